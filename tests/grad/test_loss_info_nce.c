/* InfoNCE: the published loss, its gradient against finite differences in double, what its numbers say, and that cosines far
 * from one another do not overflow. */
#include "support/test_context.h"

#include <math.h>

#include "loss/info_nce.h"
#include "support/formula.h"

enum { MOST = 2048 };

static void unit_rows(float *x, int64_t n, int64_t d, const char *name)
{
    formula_fill(x, n * d, name, 0, 1);
    for (int64_t i = 0; i < n; i++) {
        double square = 0;
        for (int64_t j = 0; j < d; j++)
            square += (double)x[i * d + j] * x[i * d + j];
        for (int64_t j = 0; j < d; j++)
            x[i * d + j] = (float)(x[i * d + j] / sqrt(square));
    }
}

/* The definition, term by term, in double. */
static double plain_loss(const double *q, const float *k, const float *c, int64_t n, int64_t d, int64_t length, double tau)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        double positive = 0, sum = 0;
        for (int64_t j = 0; j < d; j++)
            positive += q[i * d + j] * k[i * d + j];
        for (int64_t row = 0; row < length; row++) {
            double dot = 0;
            for (int64_t j = 0; j < d; j++)
                dot += q[i * d + j] * c[row * d + j];
            sum += exp(dot / tau);
        }
        total -= positive / tau - log(exp(positive / tau) + sum);
    }
    return total / (double)n;
}

static void check_gradient(int64_t n, int64_t d, int64_t length, double tau)
{
    protea_ctx cx = test_context_open(1 << 16);
    float q[MOST], k[MOST], c[MOST], dq[MOST];
    double q64[MOST];
    unit_rows(q, n, d, "q");
    unit_rows(k, n, d, "k");
    unit_rows(c, length, d, "negatives");
    for (int64_t i = 0; i < n * d; i++)
        q64[i] = q[i];
    protea_tensor tq = test_rows(q, n, d), tk = test_rows(k, n, d), tc = test_rows(c, length, d), tdq = test_rows(dq, n, d);
    protea_info_nce_result r;
    assert_ok(protea_info_nce(&cx, &r, &tdq, &tq, &tk, &tc, tau));
    assert_true(fabs(r.loss - plain_loss(q64, k, c, n, d, length, tau)) < 1e-6);
    for (int64_t i = 0; i < n * d; i++) {
        double at = q64[i], h = 1e-4 * tau;
        q64[i] = at + h;
        double above = plain_loss(q64, k, c, n, d, length, tau);
        q64[i] = at - h;
        double slope = (above - plain_loss(q64, k, c, n, d, length, tau)) / (2 * h);
        q64[i] = at;
        assert_true(fabs(dq[i] - slope) < 2e-6 / tau);
    }
    assert_ok(protea_info_nce(&cx, &r, &tq, &tq, &tk, &tc, tau)); /* in place */
    assert_memory_equal(q, dq, (size_t)(n * d) * sizeof(float));
    assert_int_equal(protea_arena_mark(cx.scratch), 0);
    test_context_close(&cx);
}

static void gradients(void **state)
{
    (void)state;
    check_gradient(3, 5, 7, .2);
    check_gradient(4, 17, 33, .07);
    check_gradient(1, 2, 1, 1);
    check_gradient(9, 8, 100, .1);
}

/* Three orthogonal directions: q is its key, the negatives are one more like it and one unlike it. */
static void golden(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float q[3] = { 1, 0, 0 }, k[3] = { .6f, .8f, 0 }, c[6] = { .8f, 0, .6f, 0, 1, 0 }, dq[3];
    protea_tensor tq = test_rows(q, 1, 3), tk = test_rows(k, 1, 3), tc = test_rows(c, 2, 3), tdq = test_rows(dq, 1, 3);
    protea_info_nce_result r;
    assert_ok(protea_info_nce(&cx, &r, &tdq, &tq, &tk, &tc, .5));
    double sum = exp(1.2) + exp(1.6) + 1;
    assert_true(fabs(r.loss - log(sum / exp(1.2))) < 1e-6);
    assert_true(fabs(dq[0] - (.6 * exp(1.2) + .8 * exp(1.6)) / sum / .5 + .6 / .5) < 1e-6);
    assert_true(r.accuracy == 0 && fabs(r.positive - .6) < 1e-6 && fabs(r.negative - .4) < 1e-6);
    test_context_close(&cx);
}

static void numbers_say_how_well_keys_are_known(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float q[8] = { 1, 0, 0, 1, -1, 0, 0, -1 }, c[4] = { .7071068f, .7071068f, .7071068f, .7071068f }, dq[8];
    protea_tensor tq = test_rows(q, 4, 2), tc = test_rows(c, 2, 2), tdq = test_rows(dq, 4, 2);
    protea_info_nce_result r;
    assert_ok(protea_info_nce(&cx, &r, &tdq, &tq, &tq, &tc, .005)); /* exp(200): beyond f32 */
    assert_true(isfinite(r.loss) && r.loss < 1e-6);
    assert_true(r.accuracy == 1 && r.positive == 1 && fabs(r.negative) < 1e-7);
    protea_tensor wrong = test_rows(dq, 4, 1);
    assert_int_equal(protea_info_nce(&cx, &r, &wrong, &tq, &tq, &tc, .1), PROTEA_ERR_INTERNAL);
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gradients), cmocka_unit_test(golden),
                                        cmocka_unit_test(numbers_say_how_well_keys_are_known) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
