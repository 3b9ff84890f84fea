/* Ten supervised steps, with label smoothing and SGD with weight decay, are those of PyTorch in double
 * (tools/oracle/supervised.py): every loss, and at the end the norm and eight elements of every weight and running statistic. */
#include "support/oracle_run.h"

enum { IMAGES = 16, CLASSES = 10, STEPS = 10 };

static const protea_schedule SCHEDULE = { .start = .0005, .base = .005, .final = .0001, .warmup_steps = 2, .total_steps = STEPS };
static const char *const SETTINGS[] = { "label_smoothing", "0.1", NULL };

static void ten_steps(protea_dtype compute, oracle_tolerance allowed)
{
    rig r = { .batch = { .n_images = IMAGES }, .now = { .n_epochs = 1, .steps_per_epoch = STEPS, .n_classes = CLASSES } };
    oracle w = { .file = fopen(TEST_DATA "/supervised.txt", "r"), .allowed = allowed, .unlisted = "" };
    const protea_optim_opts opts = { .optimizer = PROTEA_OPTIM_SGD, .lr = .005, .momentum = .9, .wd = 5e-4 };
    const protea_visitor formula = { .param = formula_visit };
    int32_t label[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        label[i] = 3 * i % CLASSES;
    r.batch.label = label;
    rig_add_views(&r, 1, 32);
    assert_ok(rig_init(&r, "supervised", "resnet18-w16", SETTINGS));
    r.cx.compute = compute;
    if (compute == PROTEA_F32)
        r.cx.be->winograd = PROTEA_WINOGRAD_NONE; /* small networks amplify rounding; tests/kernel hold Winograd to its own */
    assert_ok(rig_visit(&r, &formula));
    assert_ok(rig_plan(&r));
    assert_int_equal(oracle_run(&r, &w, &opts, &SCHEDULE, 0, STEPS), STEPS + 102);
    rig_close(&r);
}

static void f32_is_pytorchs(void **state)
{
    (void)state;
    ten_steps(PROTEA_F32, (oracle_tolerance){ .early = 5e-5, .late = 5e-3, .norm = 5e-3, .element = 0.05 });
}

static void bf16_is_near(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    ten_steps(PROTEA_BF16, (oracle_tolerance){ .early = 0.02, .late = 0.05, .norm = 0.02, .element = 0.5 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_is_pytorchs), cmocka_unit_test(bf16_is_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
