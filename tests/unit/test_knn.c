/* Proves: the blocked search finds exactly the neighbours that a plain double search finds, with ties, zero rows and sizes
 * around the blocks; the vote scores as torch's does; what cannot be voted on is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Small integers: every sum is exact, and ties are many. */
static float *draw(int64_t n, int64_t d, uint32_t stream)
{
    float *x = calloc((size_t)(n * d), sizeof *x);
    protea_rng rng = protea_rng_make(3, PROTEA_RNG_TEST, 0, 0, stream);
    for (int64_t i = 0; i < n * d; i++)
        x[i] = (float)protea_rng_below(&rng, 5) - 2;
    for (int64_t j = 0; n > 3 && j < d; j++)
        x[3 * d + j] = 0; /* a bad image's row */
    return x;
}

static double cosine(const float *a, const float *b, int64_t d)
{
    double ab = 0, aa = 0, bb = 0;
    for (int64_t j = 0; j < d; j++) {
        ab += (double)a[j] * b[j];
        aa += (double)a[j] * a[j];
        bb += (double)b[j] * b[j];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* Each neighbour's similarity must be that of the plain search at its place, and be its own row's. */
static void neighbours_are_exact(void **state)
{
    (void)state;
    const int64_t sizes[][4] = { { 1, 1, 3, 1 }, { 5, 3, 8, 9 }, { 2049, 7, 6, 40 }, { 4100, 5, 16, 200 }, { 9, 2050, 4, 3 } };
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        int64_t n = sizes[c][0], m = sizes[c][1], d = sizes[c][2], k = sizes[c][3];
        float *train = draw(n, d, 1), *test = draw(m, d, 2), *similarity = calloc((size_t)(m * k), sizeof *similarity);
        int64_t *neighbour = calloc((size_t)(m * k), sizeof *neighbour);
        assert_int_equal(protea_nearest_rows(&cx, neighbour, similarity, train, n, test, NULL, m, d, k), PROTEA_OK);
        for (int64_t i = 0; i < m; i++) {
            double *all = calloc((size_t)n, sizeof *all);
            bool *taken = calloc((size_t)n, sizeof *taken);
            for (int64_t j = 0; j < n; j++)
                all[j] = cosine(test + i * d, train + j * d, d);
            for (int64_t p = 0; p < k; p++) {
                int64_t row = neighbour[i * k + p];
                if (p >= n) {
                    assert_int_equal(row, -1);
                    continue;
                }
                assert_in_range(row, 0, n - 1);
                assert_false(taken[row]);
                taken[row] = true;
                assert_true(fabs(all[row] - (double)similarity[i * k + p]) < 1e-6);
                bool after = p == 0 || similarity[i * k + p] < similarity[i * k + p - 1] ||
                             (similarity[i * k + p] == similarity[i * k + p - 1] && row > neighbour[i * k + p - 1]);
                assert_true(after);
            }
            double worst = k <= n ? (double)similarity[i * k + k - 1] : -2;
            for (int64_t j = 0; j < n; j++)
                if (!taken[j])
                    assert_true(all[j] <= worst + 1e-6);
            free(all);
            free(taken);
        }
        free(train);
        free(test);
        free(similarity);
        free(neighbour);
    }
}

static void a_row_is_no_neighbour_of_its_own(void **state)
{
    (void)state;
    enum { N = 30, D = 4, K = 5 };
    float *x = draw(N, D, 9);
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

static void scores_are_torchs(void **state)
{
    (void)state;
    protea_tensor train, train_label, test, test_label, expected;
    assert_int_equal(protea_npy_read(&train, TEST_DATA "/knn/train.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&train_label, TEST_DATA "/knn/train-labels.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&test, TEST_DATA "/knn/test.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&test_label, TEST_DATA "/knn/test-labels.npy"), PROTEA_OK);
    assert_int_equal(protea_npy_read(&expected, TEST_DATA "/knn/expected.npy"), PROTEA_OK);
    for (int64_t i = 0; i < expected.dim[0]; i++) {
        const float *row = protea_f32(&expected) + i * 4; /* k, temperature, top1, top5 */
        protea_knn_score score;
        const protea_labelled a = { protea_f32(&train), train_label.data, train.dim[0] };
        const protea_labelled b = { protea_f32(&test), test_label.data, test.dim[0] };
        assert_int_equal(score_of(&score, &a, &b, train.dim[1], 12, (int64_t)row[0], (double)row[1]), PROTEA_OK);
        assert_true(fabs(score.top1 - (double)row[2]) < 1e-6);
        assert_true(fabs(score.top5 - (double)row[3]) < 1e-6);
        assert_int_equal(score.n_test, 250);
        assert_int_equal(score.k, row[0] > 350 ? 350 : (int64_t)row[0]);
    }
    protea_tensor_release(&train);
    protea_tensor_release(&train_label);
    protea_tensor_release(&test);
    protea_tensor_release(&test_label);
    protea_tensor_release(&expected);
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
    for (long n = 1; n <= 8; n++) {
        protea_alloc_fail_after(n, 0);
        assert_int_equal(score_of(&score, &a, &b, 2, 2, 1, 0.1), PROTEA_ERR_MEMORY);
        protea_alloc_fail_after(0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_exact), cmocka_unit_test(a_row_is_no_neighbour_of_its_own),
        cmocka_unit_test(scores_are_torchs), cmocka_unit_test(ties_and_unlabelled), cmocka_unit_test(what_cannot_be_scored),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
