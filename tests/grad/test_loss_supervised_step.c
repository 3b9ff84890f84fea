/* The gradients that a whole supervised step leaves, with label smoothing and with Mixup, against finite differences along a
 * random direction of every parameter; and Mixup's loss is that of the blended images with either label, in the shares drawn. */
#include "support/step_gradcheck.h"

#include "loss/cross_entropy.h"

enum { IMAGES = 6, SIZE = 8, VALUES = 3 * SIZE * SIZE, STEP = 4 };
static const int32_t LABEL[IMAGES] = { 0, 3, 1, 2, 2, 0 };

static void open_rig(rig *r, const char *smoothing, const char *mixup)
{
    const char *const settings[] = { "label_smoothing", smoothing, "mixup", mixup, NULL };
    *r = (rig){ .batch = { .n_images = IMAGES, .label = LABEL }, .now = { .n_epochs = 1, .steps_per_epoch = 100, .n_classes = 4 } };
    rig_add_views(r, 1, SIZE);
    assert_ok(rig_init(r, "supervised", NULL, settings));
    rig_fill_views(r, 0);
}

static void every_parameter(void **state)
{
    (void)state;
    static const char *const cases[][2] = { { "0", "0" }, { "0.1", "0" }, { "0.1", "0.4" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        open_rig(&r, cases[i][0], cases[i][1]);
        step_gradcheck_run((step_gradcheck){ .r = &r, .h = 1e-3 }, 4);
        rig_close(&r);
    }
}

/* Draws as the method does. */
static double draw(const rig *r, double alpha, int64_t partner[IMAGES])
{
    protea_rng rng = protea_rng_make(r->cx.seed, PROTEA_RNG_METHOD, 0, STEP, 0);
    double a = exp(protea_rng_log_gamma(&rng, alpha)), b = exp(protea_rng_log_gamma(&rng, alpha));
    for (int i = 0; i < IMAGES; i++)
        partner[i] = i;
    protea_rng_shuffle(&rng, partner, IMAGES);
    return a / (a + b);
}

static double loss_with(rig *r, const int32_t *label)
{
    r->batch.label = label;
    assert_ok(rig_plan(r));
    assert_ok(rig_step(r, STEP));
    return r->out.loss;
}

static void mixup_is_a_mixture(void **state)
{
    (void)state;
    rig mixed, plain;
    int64_t partner[IMAGES];
    int32_t second[IMAGES];
    const protea_visitor formula = { .param = formula_visit };
    open_rig(&mixed, "0.1", "0.4");
    open_rig(&plain, "0.1", "0");
    assert_ok(rig_visit(&mixed, &formula));
    assert_ok(rig_visit(&plain, &formula));
    double share = draw(&mixed, 0.4, partner), wanted;
    assert_true(share > 0.02 && share < 0.98);
    for (int i = 0; i < IMAGES; i++) {
        const float *own = protea_f32(&mixed.batch.group[0].x) + i * VALUES;
        const float *other = protea_f32(&mixed.batch.group[0].x) + partner[i] * VALUES;
        for (int j = 0; j < VALUES; j++)
            protea_f32(&plain.batch.group[0].x)[i * VALUES + j] = (float)(share * own[j] + (1 - share) * other[j]);
        second[i] = LABEL[partner[i]];
    }
    wanted = share * loss_with(&plain, LABEL) + (1 - share) * loss_with(&plain, second);
    assert_float_equal(loss_with(&mixed, LABEL), wanted, 1e-5);
    rig_close(&mixed);
    rig_close(&plain);
}

static void what_cannot_work(void **state)
{
    (void)state;
    const char *const settings[] = { NULL };
    rig r = { .batch = { .n_images = IMAGES }, .now = { .n_epochs = 1, .steps_per_epoch = 100, .n_classes = 1 } };
    assert_int_equal(rig_init(&r, "supervised", NULL, settings), PROTEA_ERR_INPUT);
    rig_close(&r);
    open_rig(&r, "0", "0");
    rig_add_views(&r, 1, SIZE);
    assert_int_equal(rig_plan(&r), PROTEA_ERR_USAGE);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_parameter), cmocka_unit_test(mixup_is_a_mixture),
                                        cmocka_unit_test(what_cannot_work) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
