/* Ten SimSiam steps, the predictor at a rate that stays, are those of PyTorch in double (tools/oracle/simsiam.py): every loss, and
 * at the end the norm and eight elements of every weight and running statistic. */
#include "support/oracle_run.h"

enum { STEPS = 10, STEPS_PER_EPOCH = 2 };

static const protea_schedule SCHEDULE = { .base = .005, .total_steps = STEPS, .shape = PROTEA_LR_COSINE_EPOCH,
                                          .steps_per_epoch = STEPS_PER_EPOCH };
static const protea_optim_opts SGD = { .optimizer = PROTEA_OPTIM_SGD, .lr = .005, .momentum = .9, .wd = 1e-4 };
static const char *const SETTINGS[] = { "dim", "64", "pred_dim", "16", "fix_pred_lr", "true", NULL };

static void ten_steps(protea_dtype compute, oracle_tolerance allowed)
{
    rig r = { .batch = { .n_images = 16 }, .now = { .n_epochs = 5, .steps_per_epoch = STEPS_PER_EPOCH } };
    oracle w = { .file = fopen(TEST_DATA "/simsiam.txt", "r"), .allowed = allowed, .unlisted = "predictor.1.running_mean" };
    const protea_visitor formula = { .param = formula_visit };
    rig_add_views(&r, 2, 32);
    assert_ok(rig_init(&r, "simsiam", "resnet18-w16", SETTINGS));
    assert_true(rig_norm(&rig_find(&r, "layer1.0.bn2.weight").param->w) == 0); /* zero_init_residual */
    r.cx.compute = compute;
    if (compute == PROTEA_F32)
        r.cx.be->winograd = PROTEA_WINOGRAD_NONE; /* small networks amplify rounding; tests/kernel hold Winograd to its own */
    assert_ok(rig_visit(&r, &formula));
    assert_ok(rig_plan(&r));
    assert_int_equal(oracle_run(&r, &w, &SGD, &SCHEDULE, 0, STEPS), STEPS + 100 + 13 + 7);
    fclose(w.file);
    rig_close(&r);
}

static void f32_is_pytorchs(void **state)
{
    (void)state;
    /* Projections of 16 images are divided by their deviation, which amplifies rounding fourfold a step. */
    ten_steps(PROTEA_F32, (oracle_tolerance){ .early = 1e-4, .late = 0.03, .norm = 0.01, .element = 0.1 });
}

static void bf16_is_near(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    ten_steps(PROTEA_BF16, (oracle_tolerance){ .early = 0.05, .late = 0.08, .norm = 0.03, .element = 0.5 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_is_pytorchs), cmocka_unit_test(bf16_is_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
