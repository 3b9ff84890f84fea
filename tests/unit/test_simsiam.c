/* SimSiam's step: what is refused and frozen, which rate the predictor has, that views pass batch-norm apart, that a collapse
 * is told, and that a step allocates nothing and repeats. */
#include "support/method_rig.h"

#define SMALL "dim", "8", "pred_dim", "5"

static rig rig_small(void)
{
    rig r = { .batch = { .n_images = 8 }, .now = { .n_epochs = 10, .steps_per_epoch = 2 } };
    rig_add_views(&r, 2, 8);
    rig_fill_views(&r, 0);
    return r;
}

static rig rig_ready(const char *const *settings)
{
    return rig_start(rig_small(), "simsiam", settings);
}

static void other_views_are_refused(void **state)
{
    (void)state;
    rig r = { .batch = { .n_images = 4 }, .now = { .steps_per_epoch = 1 } };
    rig_add_views(&r, 3, 8);
    rig_check_refused(r, "simsiam", (const char *const[]){ SMALL, NULL }, "nmb_crops");
}

static void last_bias_is_frozen_and_the_predictor_has_its_own_rate(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "proj_layers", "3", "fix_pred_lr", "true", NULL });
    assert_true(rig_find(&r, "projector.6.bias").param->frozen);
    assert_false(rig_find(&r, "projector.6.weight").param->frozen);
    assert_null(rig_find(&r, "projector.0.bias").param);
    assert_null(rig_find(&r, "projector.7.weight").param);
    assert_non_null(rig_find(&r, "projector.7.running_mean").buffer);
    assert_true(rig_find(&r, "predictor.3.bias").param->fixed_lr);
    assert_false(rig_find(&r, "projector.3.weight").param->fixed_lr);
    rig_close(&r);
    r = rig_ready((const char *const[]){ SMALL, "proj_layers", "2", NULL });
    assert_true(rig_find(&r, "projector.3.bias").param->frozen);
    assert_false(rig_find(&r, "predictor.3.bias").param->fixed_lr);
    rig_close(&r);
}

/* Twice the same view: its projections are the same, which they are not when the other has passed batch-norm with them. */
static void views_pass_batchnorm_apart(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "proj_layers", "2", NULL });
    const protea_tensor *batches = rig_find(&r, "projector.1.num_batches_tracked").buffer;
    float *x = protea_f32(&r.batch.group[0].x);
    int64_t n = protea_count(&r.batch.group[0].x) / 2;
    assert_ok(rig_step(&r, 0));
    assert_true(protea_f32(batches)[0] == 2);
    double std = r.out.metric[0].value;
    for (int64_t i = 0; i < n; i++)
        x[n + i] = 100 * x[i]; /* the second view's statistics are far from the first's */
    assert_ok(rig_step(&r, 0));
    assert_true(r.out.metric[0].value == std); /* of the first view */
    assert_true(r.out.loss >= -1 && r.out.loss <= 1);
    rig_close(&r);
}

static void steps_repeat_and_allocate_nothing(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 0));
    double first = r.out.loss;
    size_t kept = protea_arena_mark(r.cx.kept);
    rig_step_without_heap(&r, 0);
    assert_memory_equal(&first, &r.out.loss, sizeof first);
    assert_int_equal(protea_arena_mark(r.cx.kept), kept);
    assert_int_equal(protea_arena_mark(r.cx.scratch), 0);
    rig_close(&r);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    rig_fail_every_allocation(rig_small, "simsiam", (const char *const[]){ SMALL, NULL });
}

static void head_gives_unit_rows(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    float features[3 * TINY_FEATURES];
    protea_tensor x = test_rows(features, 3, TINY_FEATURES), y;
    protea_pass pass = { .batch_stats = false };
    formula_fill(features, 3 * TINY_FEATURES, "features", 0, 1);
    rig_reset_arenas(&r);
    assert_ok(r.ops->head(&r.cx, r.method, &pass, &x, &y));
    assert_int_equal(y.dim[1], r.ops->head_dim(r.method));
    assert_true(fabs(rig_norm(&y) - sqrt(3)) < 1e-6);
    rig_close(&r);
}

static void collapse_is_told_with_a_remedy(void **state)
{
    (void)state;
    char text[512] = "";
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 0));
    protea_step_out mean = r.out;
    mean.metric[0].value = .01;
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text)); /* the first epoch tells nothing */
    assert_ok(rig_step(&r, 4));
    assert_true(r.ops->sick(r.method, &mean, text, sizeof text));
    assert_non_null(strstr(text, "try"));
    mean.metric[0].value = .9;
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_views_are_refused), cmocka_unit_test(last_bias_is_frozen_and_the_predictor_has_its_own_rate),
        cmocka_unit_test(views_pass_batchnorm_apart), cmocka_unit_test(steps_repeat_and_allocate_nothing),
        cmocka_unit_test(every_allocation_may_fail), cmocka_unit_test(head_gives_unit_rows),
        cmocka_unit_test(collapse_is_told_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
