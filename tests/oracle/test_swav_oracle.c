/* Ten SwAV steps, with multi-crop, frozen prototypes, a hard first step, a queue that starts to be used in the sixth and LARC
 * with its schedule, are those of PyTorch in double (tools/oracle/swav.py): every loss, and at the end the norm and eight
 * elements of every weight, running statistic and of the queue. */
#include "support/oracle_run.h"

enum { STEPS = 10 };

static const protea_schedule SCHEDULE = { .start = .1, .base = .6, .final = .006, .warmup_steps = 3, .total_steps = STEPS };
static const char *const SETTINGS[] = { "nmb_prototypes", "30", "feat_dim", "32", "hidden_mlp", "64", "queue_length", "50",
                                        "epoch_queue_starts", "1", "freeze_prototypes_niters", "2",
                                        "hard_assignment_niters", "1", NULL };

static void ten_steps(protea_dtype compute, protea_winograd_use winograd, oracle_tolerance allowed)
{
    rig r = { .batch = { .n_images = 16 }, .now = { .n_epochs = 5, .steps_per_epoch = 2 } };
    oracle w = { .file = fopen(TEST_DATA "/swav.txt", "r"), .allowed = allowed, .unlisted = "queue_filled" };
    const protea_optim_opts opts = { .optimizer = PROTEA_OPTIM_LARC, .lr = .6, .momentum = .9, .wd = 1e-4 };
    const protea_visitor formula = { .param = formula_visit };
    rig_add_views(&r, 2, 32);
    rig_add_views(&r, 2, 20);
    assert_ok(rig_init(&r, "swav", "resnet18-w16", SETTINGS));
    r.cx.compute = compute;
    r.cx.be->winograd = winograd;
    assert_ok(rig_visit(&r, &formula));
    assert_ok(rig_plan(&r));
    assert_int_equal(oracle_run(&r, &w, &opts, &SCHEDULE, 0, STEPS), STEPS + 110);
    fclose(w.file);
    rig_close(&r);
}

static void f32_is_pytorchs(void **state)
{
    (void)state;
    ten_steps(PROTEA_F32, PROTEA_WINOGRAD_CLOSE, (oracle_tolerance){ .early = 1e-5, .late = 5e-3, .norm = 1e-3, .element = 0.05 });
}

/* Wider from the first step on: its codes are hard, and one of them turns to another prototype. */
static void bf16_is_near(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    ten_steps(PROTEA_BF16, PROTEA_WINOGRAD_CLOSE, (oracle_tolerance){ .early = 0.08, .late = 0.08, .norm = 0.02, .element = 0.5 });
}

/* Convolutions with three bits less. */
static void fast_is_near(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    ten_steps(PROTEA_BF16, PROTEA_WINOGRAD_FAST, (oracle_tolerance){ .early = 0.1, .late = 0.1, .norm = 0.03, .element = 0.7 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_is_pytorchs), cmocka_unit_test(bf16_is_near),
                                        cmocka_unit_test(fast_is_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
