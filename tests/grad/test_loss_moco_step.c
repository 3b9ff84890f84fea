/* The gradients that a whole MoCo step leaves, one direction and both, one linear layer and two, against finite differences
 * along a random direction of every parameter. Keys and queue are constants: the key encoder moves after the update only. */
#include "support/step_gradcheck.h"

static void check(const char *symmetric, const char *mlp, int n_params)
{
    const char *const settings[] = { "moco_dim", "6", "moco_k", "12", "moco_t", "0.5", "bn_splits", "2", "mlp", mlp,
                                     "symmetric", symmetric, NULL };
    rig r = { .batch = { .n_images = 6 }, .now = { .n_epochs = 1, .steps_per_epoch = 100 } };
    rig_add_views(&r, 2, 8);
    assert_ok(rig_init(&r, "moco", NULL, settings));
    rig_fill_views(&r, 0);
    step_gradcheck_run((step_gradcheck){ .r = &r, .h = 1e-3 }, n_params);
    rig_close(&r);
}

static void every_parameter(void **state)
{
    (void)state;
    check("false", "false", 4);
    check("true", "false", 4);
    check("true", "true", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_parameter) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
