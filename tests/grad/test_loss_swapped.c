/* Swapped prediction: the published loss, its gradient against finite differences in double, and the same in place. */
#include "support/test_context.h"

#include <math.h>
#include <string.h>

#include "cluster/sinkhorn.h"
#include "loss/swapped_prediction.h"
#include "support/formula.h"

static void golden_two_crops(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float scores[24] = { .9f, .1f, -.3f, .8f, .3f, 0,   .7f, -.2f, .6f, .95f, .9f, -.5f,
                         .8f, .2f, -.1f, .6f, .5f, .1f, .5f, 0,    .7f, .9f,  .7f, -.4f };
    float codes[24], gradient[24];
    protea_tensor s = test_rows(scores, 8, 3), q = test_rows(codes, 8, 3), ds = test_rows(gradient, 8, 3);
    protea_swapped_opts opts = { .n_views = 2, .n_assigned = 2, .assigned = { 0, 1 }, .temperature = .1 };
    for (int view = 0; view < 2; view++) {
        protea_tensor s_view = protea_row_range(&s, view * 4, 4), q_view = protea_row_range(&q, view * 4, 4);
        assert_ok(protea_sinkhorn(&cx, &q_view, &s_view, .05, 3));
    }
    double loss;
    assert_ok(protea_swapped_prediction(&cx, &loss, &ds, &s, &q, &opts));
    assert_float_equal(loss, 1.1344581, 2e-6);
    opts.n_assigned = 1; /* the code of the first crop alone, predicted from the second */
    protea_tensor q_first = protea_row_range(&q, 0, 4);
    assert_ok(protea_swapped_prediction(&cx, &loss, &ds, &s, &q_first, &opts));
    assert_float_equal(loss, .6140847, 2e-6);
    opts.assigned[0] = 1;
    protea_tensor q_second = protea_row_range(&q, 4, 4);
    for (int i = 0; i < 12; i++)
        gradient[12 + i] = 1;
    assert_int_equal(protea_swapped_prediction(&cx, &loss, &ds, &s, &s, &opts), PROTEA_ERR_INTERNAL);
    assert_ok(protea_swapped_prediction(&cx, &loss, &ds, &s, &q_second, &opts));
    assert_float_equal(loss, 1.6548314, 4e-6);
    for (int i = 0; i < 12; i++) /* a view that predicts nothing has no gradient */
        assert_float_equal(gradient[12 + i], 0, 0);
    test_context_close(&cx);
}

/* The definition, term by term, in double. */
static double plain_loss(const double *s, const float *q, int64_t n, int64_t k, const protea_swapped_opts *o)
{
    double total = 0;
    for (int64_t a = 0; a < o->n_assigned; a++)
        for (int64_t v = 0; v < o->n_views; v++)
            for (int64_t i = 0; i < n && v != o->assigned[a]; i++) {
                const double *row = s + (v * n + i) * k;
                double sum = 0;
                for (int64_t j = 0; j < k; j++)
                    sum += exp(row[j] / o->temperature);
                for (int64_t j = 0; j < k; j++)
                    total -= (double)q[(a * n + i) * k + j] * (row[j] / o->temperature - log(sum));
            }
    return total / (double)(o->n_assigned * (o->n_views - 1) * n);
}

static void check_gradient(const protea_swapped_opts *opts, int64_t n, int64_t k)
{
    enum { MOST = 512 };
    protea_ctx cx = test_context_open(1 << 16);
    float scores[MOST], codes[MOST], gradient[MOST];
    double s64[MOST], loss;
    int64_t rows = opts->n_views * n;
    assert_true(rows * k <= MOST);
    formula_fill(scores, rows * k, "scores", 0, 1);
    formula_fill(codes, opts->n_assigned * n * k, "codes", 1, 1);
    for (int64_t i = 0; i < opts->n_assigned * n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < k; j++)
            sum += codes[i * k + j];
        for (int64_t j = 0; j < k; j++)
            codes[i * k + j] = (float)(codes[i * k + j] / sum);
    }
    for (int64_t i = 0; i < rows * k; i++)
        s64[i] = scores[i];
    protea_tensor s = test_rows(scores, rows, k), q = test_rows(codes, opts->n_assigned * n, k), ds = test_rows(gradient, rows, k);
    assert_ok(protea_swapped_prediction(&cx, &loss, &ds, &s, &q, opts));
    assert_float_equal(loss, plain_loss(s64, codes, n, k, opts), 1e-6);
    for (int64_t i = 0; i < rows * k; i++) {
        double at = s64[i], h = 1e-4;
        s64[i] = at + h;
        double above = plain_loss(s64, codes, n, k, opts);
        s64[i] = at - h;
        double below = plain_loss(s64, codes, n, k, opts);
        s64[i] = at;
        assert_true(fabs(gradient[i] - (above - below) / (2 * h)) < 1e-6);
    }
    assert_ok(protea_swapped_prediction(&cx, &loss, &s, &s, &q, opts));
    assert_memory_equal(scores, gradient, (size_t)(rows * k) * sizeof(float));
    assert_int_equal(protea_arena_mark(cx.scratch), 0);
    test_context_close(&cx);
}

static void gradients(void **state)
{
    (void)state;
    check_gradient(&(protea_swapped_opts){ 2, 2, { 0, 1 }, .1 }, 3, 5);
    check_gradient(&(protea_swapped_opts){ 6, 2, { 0, 1 }, .1 }, 4, 17);
    check_gradient(&(protea_swapped_opts){ 3, 1, { 2 }, .5 }, 5, 9);
    check_gradient(&(protea_swapped_opts){ 4, 3, { 3, 0, 2 }, .2 }, 1, 33);
}

/* Scores that all agree: the loss is ln K, whatever the codes (methods.md 11). */
static void uniform_scores_cost_ln_k(void **state)
{
    (void)state;
    enum { MOST = 3000 };
    static const struct { int64_t k; double loss; } golden[] = { { 30, 3.40120 }, { 512, 6.23832 }, { MOST, 8.00637 } };
    static float scores[2 * MOST], codes[2 * MOST];
    protea_ctx cx = test_context_open(1 << 16);
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        int64_t k = golden[i].k;
        protea_tensor s = test_rows(scores, 2, k), q = test_rows(codes, 2, k);
        protea_swapped_opts opts = { 2, 2, { 0, 1 }, .1 };
        double loss;
        memset(codes, 0, sizeof codes);
        codes[3] = codes[k] = 1;
        for (int64_t j = 0; j < 2 * k; j++)
            scores[j] = .7f;
        assert_ok(protea_swapped_prediction(&cx, &loss, &s, &s, &q, &opts));
        assert_float_equal(loss, golden[i].loss, 1e-5);
    }
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(golden_two_crops), cmocka_unit_test(gradients),
                                        cmocka_unit_test(uniform_scores_cost_ln_k) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
