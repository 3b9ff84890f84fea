/* The negative cosine against its definition and finite differences in double; predictions of any length. And SimSiam's step:
 * gradients of the predictor against finite differences (what lies below it is seen through the stop-gradient, which no
 * difference of losses sees; that is tests/oracle's). */
#include "support/step_gradcheck.h"

#include "loss/negative_cosine.h"

enum { N = 5, D = 7 };

static double plain_loss(const double *p, const float *z, double weight)
{
    double total = 0;
    for (int i = 0; i < N; i++) {
        double dot = 0, square = 0;
        for (int j = 0; j < D; j++) {
            dot += p[i * D + j] * z[i * D + j];
            square += p[i * D + j] * p[i * D + j];
        }
        total -= dot / sqrt(square);
    }
    return weight * total / N;
}

static void gradient(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float p[N * D], z[N * D], dp[N * D];
    double p64[N * D], loss;
    protea_tensor tp = test_rows(p, N, D), tz = test_rows(z, N, D), tdp = test_rows(dp, N, D), norm;
    formula_fill(p, N * D, "p", 0, 3);
    formula_fill(z, N * D, "z", 0, 1);
    assert_ok(protea_tensor_rows(&cx, &norm, PROTEA_KEPT, N, 1));
    assert_ok(protea_l2norm(&cx, &tz, &norm, &tz));
    for (int i = 0; i < N * D; i++)
        p64[i] = p[i];
    assert_ok(protea_negative_cosine(&cx, &loss, &tdp, &tp, &tz, .5));
    assert_true(fabs(loss - plain_loss(p64, z, .5)) < 1e-6);
    for (int i = 0; i < N * D; i++) {
        double at = p64[i], h = 1e-4;
        p64[i] = at + h;
        double above = plain_loss(p64, z, .5);
        p64[i] = at - h;
        assert_true(fabs(dp[i] - (above - plain_loss(p64, z, .5)) / (2 * h)) < 1e-6);
        p64[i] = at;
    }
    assert_ok(protea_negative_cosine(&cx, &loss, &tp, &tp, &tz, .5)); /* in place */
    assert_memory_equal(p, dp, sizeof dp);
    assert_ok(protea_negative_cosine(&cx, &loss, &tp, &tz, &tz, 1));
    assert_true(fabs(loss + 1) < 1e-6 && rig_norm(&tp) < 1e-6); /* the optimum */
    protea_tensor narrow = test_rows(p, N, D - 1);
    assert_int_equal(protea_negative_cosine(&cx, &loss, &tdp, &tp, &narrow, 1), PROTEA_ERR_INTERNAL);
    test_context_close(&cx);
}

static void predictor_of_simsiam(void **state)
{
    (void)state;
    static const char *const settings[] = { "dim", "8", "pred_dim", "5", "proj_layers", "2", NULL };
    rig r = { .batch = { .n_images = 6 }, .now = { .n_epochs = 1, .steps_per_epoch = 100 } };
    rig_add_views(&r, 2, 8);
    assert_ok(rig_init(&r, "simsiam", NULL, settings));
    rig_fill_views(&r, 0);
    step_gradcheck_run((step_gradcheck){ .r = &r, .only = "predictor" }, 12);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gradient), cmocka_unit_test(predictor_of_simsiam) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
