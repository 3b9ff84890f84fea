/* SwAV's step: what is refused, when prototypes move and the queue fills, what the metrics say, that a collapse is told,
 * and that a step allocates nothing and repeats to the bit. */
#include "support/method_rig.h"

#include <math.h>

#define SMALL "nmb_prototypes", "7", "feat_dim", "6", "hidden_mlp", "9"

static rig rig_small(void)
{
    rig r = { .batch = { .n_images = 8 }, .now = { .n_epochs = 10, .steps_per_epoch = 2 } };
    rig_add_views(&r, 2, 8);
    rig_add_views(&r, 2, 4);
    rig_fill_views(&r, 0);
    return r;
}

static rig rig_ready(const char *const *settings)
{
    return rig_start(rig_small(), "swav", settings);
}

/* ---- options */

static void check_refused(const char *const *settings, const char *named)
{
    rig_check_refused(rig_small(), "swav", settings, named);
}

static void impossible_options_are_refused(void **state)
{
    (void)state;
    check_refused((const char *const[]){ SMALL, "queue_length", "7", NULL }, "queue_length");
    check_refused((const char *const[]){ SMALL, "crops_for_assign", "1,1", NULL }, "crops_for_assign");
    check_refused((const char *const[]){ SMALL, "crops_for_assign", "0.5", NULL }, "crops_for_assign");
    check_refused((const char *const[]){ SMALL, "crops_for_assign", "0,4", NULL }, "crops_for_assign");
}

static void one_view_is_refused(void **state)
{
    (void)state;
    rig r = { .batch = { .n_images = 4 }, .now = { .steps_per_epoch = 1 } };
    rig_add_views(&r, 1, 8);
    rig_check_refused(r, "swav", (const char *const[]){ SMALL, NULL }, "nmb_crops");
}

static void methods_are_found_by_name(void **state)
{
    (void)state;
    const protea_method_ops *ops;
    assert_ok(protea_method_find(&ops, "swav"));
    assert_string_equal(ops->name, "swav");
    assert_int_equal(protea_method_find(&ops, "swva"), PROTEA_ERR_USAGE);
    assert_null(ops);
    assert_non_null(strstr(protea_last_error(), "swav"));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    rig_fail_every_allocation(rig_small, "swav", (const char *const[]){ SMALL, "queue_length", "16", NULL });
}

/* As linear layers without bias do: uniform within 1/sqrt(128) = .088388. */
static void prototypes_start_uniform(void **state)
{
    (void)state;
    rig r = rig_small();
    double most = 0, square = 0, bound = .08838835;
    assert_ok(rig_init(&r, "swav", NULL, (const char *const[]){ "nmb_prototypes", "300", "hidden_mlp", "9", NULL }));
    const protea_tensor *w = &rig_find(&r, "prototypes.weight").param->w;
    assert_true(w->dim[0] == 300 && w->dim[1] == 128);
    for (int64_t i = 0; i < protea_count(w); i++) {
        double x = protea_f32(w)[i];
        most = fmax(most, fabs(x));
        square += x * x / (double)protea_count(w);
    }
    assert_true(most < bound * (1 + 1e-6) && most > 0.99 * bound);
    assert_true(fabs(square - bound * bound / 3) < 0.03 * bound * bound / 3);
    rig_close(&r);
}

/* ---- a step */

static void frozen_prototypes_have_no_gradient(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "freeze_prototypes_niters", "2", NULL });
    const protea_param *prototypes = rig_find(&r, "prototypes.weight").param;
    const protea_param *head = rig_find(&r, "projection_head.0.weight").param;
    for (int step = 0; step < 3; step++) {
        assert_ok(rig_step(&r, step));
        assert_int_equal(prototypes->frozen, step < 2);
        assert_int_equal(rig_norm(&prototypes->dw) > 0, step >= 2);
        assert_true(rig_norm(&head->dw) > 0);
        for (int64_t k = 0; k < 7; k++) {
            protea_tensor row = protea_row_range(&prototypes->w, k, 1);
            assert_true(fabs(rig_norm(&row) - 1) < 1e-6);
        }
    }
    rig_close(&r);
}

static rig rig_two(void)
{
    rig r = { .batch = { .n_images = 8 }, .now = { .n_epochs = 10, .steps_per_epoch = 2 } };
    rig_add_views(&r, 2, 8);
    rig_fill_views(&r, 0);
    return r;
}

static void exchange_views(rig *r)
{
    float *x = protea_f32(&r->batch.group[0].x);
    int64_t half = protea_count(&r->batch.group[0].x) / 2;
    for (int64_t i = 0; i < half; i++) {
        float kept = x[i];
        x[i] = x[half + i];
        x[half + i] = kept;
    }
}

/* Predicting the first view's codes from the second is predicting the second's from the first with the two exchanged. */
static void the_views_named_are_assigned(void **state)
{
    (void)state;
    rig first = rig_start(rig_two(), "swav", (const char *const[]){ SMALL, "crops_for_assign", "0", NULL });
    rig second = rig_start(rig_two(), "swav", (const char *const[]){ SMALL, "crops_for_assign", "1", NULL });
    assert_ok(rig_step(&first, 0));
    assert_ok(rig_step(&second, 0));
    assert_true(fabs(first.out.loss - second.out.loss) > 1e-4);
    exchange_views(&second);
    assert_ok(rig_step(&second, 0));
    assert_true(fabs(first.out.loss - second.out.loss) < 5e-5); /* sums in another order */
    rig_close(&first);
    rig_close(&second);
}

/* 10 epochs of 2 steps: a tenth are two steps; the queue begins in the second epoch. */
static void lengths_may_be_shares_of_the_run(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "freeze_prototypes_niters", "10%", "queue_length", "16", "epoch_queue_starts",
                                             "10%", NULL });
    const protea_param *prototypes = rig_find(&r, "prototypes.weight").param;
    const protea_tensor *filled = rig_find(&r, "queue_filled").buffer;
    for (int step = 0; step < 4; step++) {
        assert_ok(rig_step(&r, step));
        assert_int_equal(prototypes->frozen, step < 2);
        assert_int_equal(protea_f32(filled)[0] > 0, step >= 2);
    }
    rig_close(&r);
}

static void queue_fills_from_its_epoch(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "queue_length", "19", "epoch_queue_starts", "1", NULL });
    const protea_tensor *queue = rig_find(&r, "queue").buffer, *filled = rig_find(&r, "queue_filled").buffer;
    const float wanted[] = { 0, 0, 8, 16, 16 };
    assert_int_equal(queue->dim[0], 2);
    assert_int_equal(queue->dim[1], 16); /* whole batches */
    double before = 0, after = 0;
    for (int step = 0; step < 5; step++) {
        before = after;
        assert_ok(rig_step(&r, step));
        after = r.out.loss;
        assert_true(protea_f32(filled)[0] == wanted[step] && protea_f32(filled)[1] == wanted[step]);
    }
    assert_true(before != after); /* the fifth step is the first with other samples in its codes */
    rig_close(&r);
}

static void metrics_are_what_they_say(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 0));
    assert_int_equal(r.out.n_metrics, 6);
    for (int i = 0; i < r.out.n_metrics; i++) {
        const protea_metric *m = &r.out.metric[i];
        assert_true(m->value > 0 && m->value < 8);
        if (strcmp(m->name, "loss_over_ln_k") == 0)
            assert_true(fabs(m->value - r.out.loss / log(7)) < 1e-12);
    }
    rig_close(&r);
}

static void steps_repeat_and_allocate_nothing(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "queue_length", "16", "epoch_queue_starts", "0", NULL });
    for (int step = 0; step < 3; step++)
        assert_ok(rig_step(&r, step));
    assert_ok(rig_step(&r, 3));
    double first = r.out.loss;
    size_t kept = protea_arena_mark(r.cx.kept);
    rig_step_without_heap(&r, 3);
    /* Twice the same crops in the queue are the same samples in another order: nearly the same codes. */
    assert_true(fabs(first - r.out.loss) < 1e-5);
    assert_int_equal(protea_arena_mark(r.cx.kept), kept);
    assert_int_equal(protea_arena_mark(r.cx.scratch), 0);
    rig_close(&r);

    rig a = rig_ready((const char *const[]){ SMALL, NULL }), b = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&a, 0));
    assert_ok(rig_step(&b, 0));
    assert_memory_equal(&a.out.loss, &b.out.loss, sizeof a.out.loss);
    const protea_param *of_a = rig_find(&a, "linear.weight").param, *of_b = rig_find(&b, "linear.weight").param;
    assert_memory_equal(of_a->dw.data, of_b->dw.data, protea_bytes(&of_a->dw));
    rig_close(&a);
    rig_close(&b);
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
    for (int64_t i = 0; i < 3; i++) {
        protea_tensor row = protea_row_range(&y, i, 1);
        assert_true(fabs(rig_norm(&row) - 1) < 1e-6);
    }
    rig_close(&r);
}

/* ---- health */

static bool is_sick(rig *r, const char *metric, double value, char *text)
{
    protea_step_out mean = r->out;
    for (int i = 0; i < mean.n_metrics; i++) {
        if (strcmp(mean.metric[i].name, metric) == 0)
            mean.metric[i].value = value;
        if (strcmp(metric, "uniform") == 0 && strstr("code_entropy loss_over_ln_k", mean.metric[i].name) != NULL)
            mean.metric[i].value = value;
    }
    return r->ops->sick(r->method, &mean, text, 512);
}

static void collapse_is_told_with_a_remedy(void **state)
{
    (void)state;
    char text[512] = "";
    rig r = rig_ready((const char *const[]){ SMALL, "freeze_prototypes_niters", "1", NULL });
    assert_ok(rig_step(&r, 0));
    assert_false(is_sick(&r, "embedding_std", 0, text)); /* the first epoch tells nothing */
    assert_ok(rig_step(&r, 4));
    r.out.metric[0].value = .8; /* loss over ln K: learning */
    assert_false(is_sick(&r, "none", 0, text));
    assert_true(is_sick(&r, "embedding_std", .01, text));
    assert_non_null(strstr(text, "try"));
    assert_true(is_sick(&r, "uniform", .9999, text));
    assert_non_null(strstr(text, "epsilon"));
    assert_false(is_sick(&r, "code_entropy", .9999, text)); /* uniform codes alone: the loss still falls */
    assert_true(is_sick(&r, "prototypes_used", 1, text));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_options_are_refused), cmocka_unit_test(one_view_is_refused),
        cmocka_unit_test(methods_are_found_by_name), cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(prototypes_start_uniform),
        cmocka_unit_test(frozen_prototypes_have_no_gradient), cmocka_unit_test(queue_fills_from_its_epoch),
        cmocka_unit_test(lengths_may_be_shares_of_the_run), cmocka_unit_test(the_views_named_are_assigned),
        cmocka_unit_test(metrics_are_what_they_say), cmocka_unit_test(steps_repeat_and_allocate_nothing),
        cmocka_unit_test(head_gives_unit_rows), cmocka_unit_test(collapse_is_told_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
