/* The support bank keeps what sorting everything that ever came would keep, ties by age; its prototypes are a fresh sum's, to
 * the bit, after a long stream; memory does not grow; and a file that is no bank is refused. */
#include "support/test_context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapt/support_bank.h"
#include "loss/log_softmax.h"
#include "support/formula.h"

enum { C = 4, D = 6, K = 5, N = 32, BATCHES = 40 };

typedef struct stream {
    float z[BATCHES * N * D], logits[BATCHES * N * C];
} stream;

/* Every fourth row repeats the logits of the one before it: ties. */
static stream *new_stream(void)
{
    stream *s = calloc(1, sizeof *s);
    formula_fill(s->z, BATCHES * N * D, "z", 0, 3);
    formula_fill(s->logits, BATCHES * N * C, "logits", 0, 2);
    for (int n = 3; n < BATCHES * N; n += 4)
        memcpy(s->logits + n * C, s->logits + (n - 1) * C, C * sizeof(float));
    return s;
}

static void open_bank(protea_bank *bank, int64_t k, bool drop_worst)
{
    const protea_bank_opts opts = { .filter_k = k, .cap_mib = 1, .with_scores = true, .drop_worst = drop_worst };
    assert_ok(protea_bank_new(bank, C, D, &opts));
}

static void add(protea_ctx *cx, protea_bank *bank, stream *s, int batch)
{
    protea_tensor z = test_rows(s->z + batch * N * D, N, D), logits = test_rows(s->logits + batch * N * C, N, C);
    assert_ok(protea_bank_add(cx, bank, &z, &logits));
}

/* ---- what sorting keeps */

typedef struct entry {
    float entropy;
    int row, label;
} entry;

static int by_entropy(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->entropy < y->entropy || y->entropy < x->entropy)
        return x->entropy < y->entropy ? -1 : 1;
    return x->row - y->row;
}

static void sorted_class(entry *out, int *n, const stream *s, int rows, int label)
{
    *n = 0;
    for (int i = 0; i < rows; i++) {
        double log_p[C];
        protea_log_softmax_row(log_p, s->logits + i * C, C);
        if (protea_argmax_row(s->logits + i * C, C) == label)
            out[(*n)++] = (entry){ (float)protea_entropy_row(log_p, C), i, label };
    }
    qsort(out, (size_t)*n, sizeof *out, by_entropy);
}

static bool holds(const protea_bank *bank, int label, const float *row)
{
    protea_tensor rows = protea_bank_class(bank, label);
    for (int64_t i = 0; i < rows.dim[0]; i++)
        if (memcmp(protea_f32(&rows) + i * D, row, D * sizeof *row) == 0)
            return true;
    return false;
}

static void keeps_what_sorting_keeps(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    stream *s = new_stream();
    entry *sorted = calloc(BATCHES * N, sizeof *sorted);
    protea_bank bank;
    (void)state;
    open_bank(&bank, K, false);
    size_t bytes = protea_bank_bytes(&bank);
    for (int b = 0; b < BATCHES; b++) {
        add(&cx, &bank, s, b);
        for (int c = 0; c < C; c++) {
            int n;
            sorted_class(sorted, &n, s, (b + 1) * N, c);
            n = n < K ? n : K;
            assert_int_equal(protea_bank_filled(&bank, c), n);
            for (int i = 0; i < n; i++)
                if (!holds(&bank, c, s->z + sorted[i].row * D))
                    fail_msg("batch %d: row %d, number %d of class %d, is not in the bank", b, sorted[i].row, i, c);
        }
    }
    assert_true(protea_bank_bytes(&bank) == bytes);
    assert_int_equal(protea_bank_rows(&bank), C * K);
    protea_bank_release(&bank);
    free(sorted);
    free(s);
    test_context_close(&cx);
}

/* ---- prototypes */

static void near_fresh_sum(const protea_bank *bank, const float *p)
{
    for (int c = 0; c < C; c++) {
        protea_tensor rows = protea_bank_class(bank, c);
        double sum[D] = { 0 };
        for (int64_t n = 0; n < protea_bank_filled(bank, c); n++) {
            const float *x = protea_f32(&rows) + n * D;
            double square = 0;
            for (int i = 0; i < D; i++)
                square += (double)x[i] * x[i];
            for (int i = 0; i < D; i++)
                sum[i] += x[i] / sqrt(square);
        }
        for (int i = 0; i < D; i++)
            assert_true(fabs(sum[i] - p[c * D + i]) < 1e-6);
    }
}

static void prototypes_do_not_drift(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    stream *s = new_stream();
    protea_bank bank;
    float p[C * D], fresh[C * D];
    protea_tensor out = test_rows(p, C, D), again = test_rows(fresh, C, D);
    (void)state;
    open_bank(&bank, K, true); /* a row of each class goes with every batch */
    for (int pass = 0; pass < 50; pass++)
        for (int b = 0; b < BATCHES; b++)
            add(&cx, &bank, s, b);
    assert_ok(protea_bank_prototypes(&cx, &bank, &out));
    near_fresh_sum(&bank, p);
    assert_ok(protea_bank_loaded(&bank)); /* sums everything anew */
    assert_ok(protea_bank_prototypes(&cx, &bank, &again));
    assert_memory_equal(p, fresh, sizeof p);
    protea_bank_release(&bank);
    free(s);
    test_context_close(&cx);
}

/* ---- all, within a cap; and nothing */

static void all_within_a_cap(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    stream *s = new_stream();
    protea_bank bank;
    (void)state;
    open_bank(&bank, -1, false);
    assert_true(protea_bank_bytes(&bank) <= 1 << 20);
    for (int b = 0; b < BATCHES; b++)
        add(&cx, &bank, s, b);
    assert_int_equal(protea_bank_rows(&bank), BATCHES * N);
    protea_bank_clear(&bank);
    assert_int_equal(protea_bank_rows(&bank), 0);
    for (int64_t i = 0; i < protea_count(&bank.rows); i++)
        assert_float_equal(protea_f32(&bank.rows)[i], 0, 0);
    protea_bank_release(&bank);
    const protea_bank_opts large = { .filter_k = 100, .cap_mib = 1 };
    assert_int_equal(protea_bank_new(&bank, 1000, 2048, &large), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "bank_mib"));
    protea_bank_release(&bank);
    free(s);
    test_context_close(&cx);
}

/* ---- a file from outside */

static void what_is_no_bank_is_refused(void **state)
{
    static const float BAD[] = { -1, K + 1, NAN, INFINITY };
    protea_ctx cx = test_context_open(1 << 16);
    stream *s = new_stream();
    protea_bank bank;
    (void)state;
    open_bank(&bank, K, false);
    add(&cx, &bank, s, 0);
    for (int i = 0; i < 4; i++) {
        float kept = protea_f32(&bank.filled)[1];
        protea_f32(&bank.filled)[1] = BAD[i];
        assert_int_equal(protea_bank_loaded(&bank), PROTEA_ERR_INPUT);
        protea_f32(&bank.filled)[1] = kept;
    }
    assert_ok(protea_bank_loaded(&bank));
    protea_f32(&bank.order)[1] = 1e30f;
    assert_int_equal(protea_bank_loaded(&bank), PROTEA_ERR_INPUT);
    protea_f32(&bank.order)[1] = 0;
    protea_f32(&bank.entropy)[0] = NAN;
    assert_int_equal(protea_bank_loaded(&bank), PROTEA_ERR_INPUT);
    protea_bank_release(&bank);
    free(s);
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_sorting_keeps), cmocka_unit_test(prototypes_do_not_drift),
        cmocka_unit_test(all_within_a_cap), cmocka_unit_test(what_is_no_bank_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
