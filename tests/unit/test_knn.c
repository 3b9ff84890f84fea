/* Proves: the search finds exactly the neighbours that a plain double search finds, by both metrics, with ties, zero rows, rows
 * that the first pass cannot tell apart, and sizes around the blocks; neither blocks nor threads change a bit; the vote scores
 * as torch's and scikit-learn's do, one or many at once; what cannot be voted on is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/rng.h"
#include "eval/knn.h"
#include "format/npy.h"

static protea_ctx cx;

static int open_context(void **state)
{
    (void)state;
    return protea_backend_cpu_open(&cx.be, PROTEA_ISA_BEST) == PROTEA_OK ? 0 : -1;
}

static int close_context(void **state)
{
    (void)state;
    protea_backend_close(cx.be);
    return 0;
}

/* How rows are drawn. Small integers: every sum is exact, and ties are many. Alike: nearly the same direction, so that the first
 * pass tells none from another. Uneven: lengths from a thousandth to a thousand. */
typedef enum row_kind { INTEGERS, NORMAL, ALIKE, UNEVEN, KINDS } row_kind;

static float *draw(row_kind k, int64_t n, int64_t d, uint32_t stream)
{
    float *x = calloc((size_t)(n * d), sizeof *x);
    protea_rng rng = protea_rng_make(3, PROTEA_RNG_TEST, 0, 0, stream);
    for (int64_t i = 0; i < n; i++) {
        float length = k == UNEVEN ? expf(3 * protea_rng_normal(&rng)) : 1;
        for (int64_t j = 0; j < d; j++) {
            float value = k == INTEGERS ? (float)protea_rng_below(&rng, 5) - 2 : protea_rng_normal(&rng);
            x[i * d + j] = k == ALIKE ? 1 + 1e-4f * value : length * value;
        }
    }
    for (int64_t j = 0; n > 3 && j < d; j++)
        x[3 * d + j] = x[(n - 1) * d + j] = 0; /* bad images' rows */
    return x;
}

/* What orders rows, smaller first, in double. */
static double plain_key(protea_row_metric metric, const float *a, const float *b, int64_t d)
{
    double ab = 0, aa = 0, bb = 0, off = 0;
    for (int64_t j = 0; j < d; j++) {
        ab += (double)a[j] * b[j];
        aa += (double)a[j] * a[j];
        bb += (double)b[j] * b[j];
        off += ((double)a[j] - b[j]) * ((double)a[j] - b[j]);
    }
    if (metric == PROTEA_EUCLIDEAN)
        return sqrt(off);
    return aa > 0 && bb > 0 ? -ab / sqrt(aa * bb) : 0;
}

typedef struct found {
    int64_t k, *n;
    protea_neighbour *best; /* (m,k) */
} found;

static found search(protea_row_metric metric, const float *train, int64_t n, const float *test, int64_t m, int64_t d, int64_t k,
                    size_t query_bytes)
{
    const protea_some_rows gallery = { train, NULL, n, "gallery" }, query = { test, NULL, m, "query" };
    const protea_row_search_opts opts = { .metric = metric, .k = k, .query_bytes = query_bytes };
    protea_row_search *s;
    protea_neighbour_block b;
    assert_int_equal(protea_row_search_new(&s, &cx, &gallery, &query, d, &opts), PROTEA_OK);
    found f = { k < n ? k : n, calloc((size_t)m, sizeof *f.n), calloc((size_t)(m * k), sizeof *f.best) };
    for (protea_row_search_next(s, &b); b.count > 0; protea_row_search_next(s, &b)) {
        memcpy(f.n + b.first, b.n, (size_t)b.count * sizeof *b.n);
        memcpy(f.best + b.first * b.k, b.best, (size_t)(b.count * b.k) * sizeof *b.best);
    }
    protea_row_search_free(s);
    return f;
}

/* Every neighbour's value must be its row's, in order, and no row that was left out may be nearer. */
static void check_query(const found *f, int64_t q, protea_row_metric metric, const double *key, int64_t n, double slack)
{
    bool *taken = calloc((size_t)n, sizeof *taken);
    double last = -INFINITY;
    int32_t last_row = -1;
    assert_int_equal(f->n[q], f->k);
    for (int64_t p = 0; p < f->k; p++) {
        const protea_neighbour *at = &f->best[q * f->k + p];
        double value = metric == PROTEA_COSINE ? -(double)at->value : (double)at->value;
        assert_in_range(at->i, 0, n - 1);
        assert_false(taken[at->i]);
        taken[at->i] = true;
        assert_true(fabs(key[at->i] - value) <= slack);
        assert_true(value > last || (value == last && at->i > last_row));
        last = value;
        last_row = at->i;
    }
    for (int64_t j = 0; j < n; j++)
        assert_true(taken[j] || key[j] >= last - slack);
    free(taken);
}

static void check_search(row_kind kind, protea_row_metric metric, int64_t n, int64_t m, int64_t d, int64_t k)
{
    float *train = draw(kind, n, d, 1), *test = draw(kind, m, d, 2);
    double *key = calloc((size_t)n, sizeof *key);
    found f = search(metric, train, n, test, m, d, k, 0), small = search(metric, train, n, test, m, d, k, 5000);
    for (int64_t q = 0; q < m; q++) {
        double longest = 1;
        for (int64_t j = 0; j < n; j++) {
            key[j] = plain_key(metric, test + q * d, train + j * d, d);
            longest = key[j] > longest ? key[j] : longest;
        }
        check_query(&f, q, metric, key, n, 1e-6 * longest);
    }
    assert_memory_equal(f.best, small.best, (size_t)(m * f.k) * sizeof *f.best);
    free(train);
    free(test);
    free(key);
    free(f.n);
    free(f.best);
    free(small.n);
    free(small.best);
}

/* Sizes around the blocks; a bound of 5,000 bytes makes blocks of one query or a few, which change no bit. */
static void neighbours_are_exact(void **state)
{
    (void)state;
    const int64_t sizes[][4] = { { 1, 1, 3, 1 }, { 5, 3, 8, 9 }, { 2049, 7, 6, 40 }, { 4100, 5, 16, 200 }, { 9, 2050, 4, 3 },
                                 { 2500, 70, 67, 20 },
                                 { 20000, 4, 9, 30 } };
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int metric = PROTEA_COSINE; metric <= PROTEA_EUCLIDEAN; metric++)
                check_search((row_kind)kind, (protea_row_metric)metric, sizes[c][0], sizes[c][1], sizes[c][2], sizes[c][3]);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    enum { N = 3000, M = 200, D = 40, K = 30 };
    float *train = draw(NORMAL, N, D, 5), *test = draw(NORMAL, M, D, 6);
    int threads = protea_threads();
    found f[2];
    for (int i = 0; i < 2; i++) {
        protea_set_threads(i == 0 ? 1 : 3);
        f[i] = search(PROTEA_COSINE, train, N, test, M, D, K, 0);
    }
    protea_set_threads(threads);
    assert_memory_equal(f[0].best, f[1].best, (size_t)(M * K) * sizeof *f[0].best);
    for (int i = 0; i < 2; i++) {
        free(f[i].n);
        free(f[i].best);
    }
    free(train);
    free(test);
}

static void a_row_is_no_neighbour_of_its_own(void **state)
{
    (void)state;
    enum { N = 30, D = 4, K = 5 };
    float *x = draw(INTEGERS, N, D, 9);
    int64_t neighbour[2 * K], self[2] = { 4, 17 };
    float query[2 * D];
    for (int i = 0; i < 2; i++)
        memcpy(query + i * D, x + self[i] * D, D * sizeof *x);
    assert_int_equal(protea_nearest_rows(&cx, neighbour, NULL, x, N, query, self, 2, D, K), PROTEA_OK);
    for (int i = 0; i < 2 * K; i++)
        assert_int_not_equal(neighbour[i], self[i / K]);
    free(x);
}

static protea_status score_of(protea_knn_score *score, const protea_labelled *train, const protea_labelled *test, int64_t d,
                              int n_classes, int64_t k, double temperature)
{
    const protea_knn_opts opts = { .k = &k, .n_k = 1, .temperature = &temperature, .n_temperatures = 1 };
    return protea_knn(&cx, score, train, test, d, n_classes, &opts);
}

enum { EXPECTED = 4 };

/* What tools/oracle/knn.py drew. */
typedef struct oracle {
    protea_tensor train_z, train_label, test_z, test_label; /* owned */
    protea_labelled train, test;
    int64_t d;
} oracle;

static oracle oracle_read(void)
{
    oracle o;
    assert_int_equal(protea_npy_read(&o.train_z, TEST_DATA "/knn/train.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&o.train_label, TEST_DATA "/knn/train-labels.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&o.test_z, TEST_DATA "/knn/test.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&o.test_label, TEST_DATA "/knn/test-labels.npy"), PROTEA_OK);
    o.train = (protea_labelled){ protea_f32(&o.train_z), o.train_label.data, o.train_z.dim[0] };
    o.test = (protea_labelled){ protea_f32(&o.test_z), o.test_label.data, o.test_z.dim[0] };
    o.d = o.train_z.dim[1];
    return o;
}

static void oracle_release(oracle *o)
{
    protea_tensor_release(&o->train_z);
    protea_tensor_release(&o->train_label);
    protea_tensor_release(&o->test_z);
    protea_tensor_release(&o->test_label);
}

static void an_empty_gallery_has_no_neighbours(void **state)
{
    (void)state;
    const float x[4] = { 1, 2, 3, 4 };
    int64_t neighbour[4] = { 0 };
    assert_int_equal(protea_nearest_rows(&cx, neighbour, NULL, x, 0, x, NULL, 2, 2, 2), PROTEA_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(neighbour[i], -1);
}

static void scores_are_torchs(void **state)
{
    (void)state;
    protea_tensor expected;
    oracle o = oracle_read();
    assert_int_equal(protea_npy_read(&expected, TEST_DATA "/knn/expected.npy"), PROTEA_OK);
    for (int64_t i = 0; i < expected.dim[0]; i++) {
        const float *row = protea_f32(&expected) + i * 4; /* k, temperature, top1, top5 */
        protea_knn_score score;
        assert_int_equal(score_of(&score, &o.train, &o.test, o.d, 12, (int64_t)row[0], (double)row[1]), PROTEA_OK);
        assert_true(fabs(score.top1 - (double)row[2]) < 1e-6);
        assert_true(fabs(score.top5 - (double)row[3]) < 1e-6);
        assert_int_equal(score.n_test, 250);
        assert_int_equal(score.k, row[0] > 350 ? 350 : (int64_t)row[0]);
    }
    protea_tensor_release(&expected);
    oracle_release(&o);
}

static void scores_are_scikit_learns(void **state)
{
    (void)state;
    protea_tensor expected;
    oracle o = oracle_read();
    int64_t k[EXPECTED];
    protea_knn_score score[EXPECTED];
    assert_int_equal(protea_npy_read(&expected, TEST_DATA "/knn/euclidean.npy"), PROTEA_OK);
    assert_int_equal(expected.dim[0], EXPECTED);
    for (int i = 0; i < EXPECTED; i++)
        k[i] = (int64_t)protea_f32(&expected)[3 * i]; /* k, top1, top5 */
    const protea_knn_opts opts = { .metric = PROTEA_EUCLIDEAN, .k = k, .n_k = EXPECTED };
    assert_int_equal(protea_knn_count(&opts), EXPECTED);
    assert_int_equal(protea_knn(&cx, score, &o.train, &o.test, o.d, 12, &opts), PROTEA_OK);
    for (int i = 0; i < EXPECTED; i++) {
        assert_true(fabs(score[i].top1 - (double)protea_f32(&expected)[3 * i + 1]) < 1e-6);
        assert_true(fabs(score[i].top5 - (double)protea_f32(&expected)[3 * i + 2]) < 1e-6);
    }
    protea_tensor_release(&expected);
    oracle_release(&o);
}

/* Several k and temperatures in one pass score as each alone. */
static void one_pass_scores_all(void **state)
{
    (void)state;
    oracle o = oracle_read();
    const int64_t k[] = { 5, 200, 20 };
    const double temperature[] = { 0.07, 0.5 };
    protea_knn_score all[6], one;
    const protea_knn_opts opts = { .k = k, .n_k = 3, .temperature = temperature, .n_temperatures = 2 };
    assert_int_equal(protea_knn_count(&opts), 6);
    assert_int_equal(protea_knn(&cx, all, &o.train, &o.test, o.d, 12, &opts), PROTEA_OK);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(score_of(&one, &o.train, &o.test, o.d, 12, k[i / 2], temperature[i % 2]), PROTEA_OK);
        assert_memory_equal(&one, &all[i], sizeof one);
    }
    oracle_release(&o);
}

/* Two classes with the same votes: the smaller wins. One without votes: never right. Unlabelled rows: not there. */
static void ties_and_unlabelled(void **state)
{
    (void)state;
    const float train[] = { 1, 0, 1, 0, 0, 1, 1, 0 }, test[] = { 2, 0, 3, 0, 5, 0, 1, 1 };
    const int32_t train_label[] = { 2, 1, 0, -1 }, test_label[] = { 1, 2, 3, -1 };
    const protea_labelled a = { train, train_label, 4 }, b = { test, test_label, 4 };
    protea_knn_score score;
    assert_int_equal(score_of(&score, &a, &b, 2, 4, 2, 0.1), PROTEA_OK);
    assert_true(fabs(score.top1 - 1.0 / 3) < 1e-12);
    assert_true(fabs(score.top5 - 2.0 / 3) < 1e-12);
    assert_int_equal(score.n_train, 3);
    assert_int_equal(score.n_test, 3);
}

static void what_cannot_be_scored(void **state)
{
    (void)state;
    float train[4] = { 1, 0, 0, 1 }, test[2] = { 1, 1 };
    const int32_t label[2] = { 0, 1 }, none[2] = { -1, -1 };
    const protea_labelled a = { train, label, 2 }, b = { test, label, 1 }, a_none = { train, none, 2 }, b_none = { test, none, 1 };
    protea_knn_score score;
    assert_int_equal(score_of(&score, &a, &b, 2, 2, 0, 0.1), PROTEA_ERR_USAGE);
    assert_int_equal(score_of(&score, &a, &b, 2, 2, 1, 0), PROTEA_ERR_USAGE);
    assert_int_equal(score_of(&score, &a_none, &b, 2, 2, 1, 0.1), PROTEA_ERR_INPUT);
    assert_int_equal(score_of(&score, &a, &b_none, 2, 2, 1, 0.1), PROTEA_ERR_INPUT);
    train[3] = NAN;
    assert_int_equal(score_of(&score, &a, &b, 2, 2, 1, 0.1), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "row 1 of the training features"));
    train[3] = 1;
    protea_status status = PROTEA_ERR_MEMORY;
    long failed = 0;
    for (; status != PROTEA_OK; failed++) { /* until all its allocations have failed once */
        protea_alloc_fail_after(failed + 1, 0);
        status = score_of(&score, &a, &b, 2, 2, 1, 0.1);
        protea_alloc_fail_after(0, 0);
        assert_true(status == PROTEA_OK || status == PROTEA_ERR_MEMORY);
    }
    assert_true(failed > 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_exact), cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(a_row_is_no_neighbour_of_its_own), cmocka_unit_test(scores_are_torchs),
        cmocka_unit_test(an_empty_gallery_has_no_neighbours),
        cmocka_unit_test(scores_are_scikit_learns), cmocka_unit_test(one_pass_scores_all),
        cmocka_unit_test(ties_and_unlabelled), cmocka_unit_test(what_cannot_be_scored),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
