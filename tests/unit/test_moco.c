/* MoCo's step: what is refused and what old flags set, when the key encoder and the queue move, that keys come back in order
 * although the encoder sees them shuffled in groups, that a collapse is told, and that a step allocates nothing and repeats. */
#include "support/method_rig.h"

#include "data/augment.h"
#include "method/embedding.h"
#include "method/momentum_encoder.h"
#include "train/trainer.h"

#define SMALL "moco_dim", "6", "bn_splits", "2"

static rig rig_small(void)
{
    rig r = { .batch = { .n_images = 8 }, .now = { .n_epochs = 10, .steps_per_epoch = 2 } };
    rig_add_views(&r, 2, 8);
    rig_fill_views(&r, 0);
    return r;
}

static rig rig_ready(const char *const *settings)
{
    return rig_start(rig_small(), "moco", settings);
}

/* ---- options */

static void check_refused(const char *const *settings, const char *named)
{
    rig_check_refused(rig_small(), "moco", settings, named);
}

static void impossible_options_are_refused(void **state)
{
    (void)state;
    check_refused((const char *const[]){ SMALL, "moco_k", "20", NULL }, "moco_k: 20 found");
    check_refused((const char *const[]){ SMALL, "moco_k", "24", "symmetric", "true", NULL }, "16 keys of a step");
    check_refused((const char *const[]){ SMALL, "moco_k", "16", "bn_splits", "3", NULL }, "bn_splits: 3 found");
    check_refused((const char *const[]){ SMALL, "moco_k", "16", "bn_splits", "8", NULL }, "bn_splits: 8 found");
    rig r = rig_small();
    rig_add_views(&r, 2, 4);
    rig_check_refused(r, "moco", (const char *const[]){ SMALL, "moco_k", "16", NULL }, "nmb_crops");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    rig_fail_every_allocation(rig_small, "moco", (const char *const[]){ SMALL, "moco_k", "16", NULL });
}

typedef struct settled {
    protea_train_opts train;
    protea_augment_opts views;
    protea_options *options;
} settled;

/* The options of a run whose recipe has blur for all and 0.8 of hue. */
static void settle(settled *s, void *method, const char *flag, const char *value)
{
    const protea_method_ops *ops;
    assert_ok(protea_method_find(&ops, "moco"));
    s->options = protea_options_new();
    assert_ok(protea_options_add(s->options, "training", protea_train_table, &s->train));
    assert_ok(protea_options_add(s->options, "method", ops->opts, method));
    assert_ok(protea_options_add(s->options, "views", protea_augment_table, &s->views));
    assert_ok(protea_options_set(s->options, "blur_p", "1", PROTEA_FROM_RECIPE));
    assert_ok(protea_options_set(s->options, "hue", "0.05", PROTEA_FROM_FLAG));
    assert_ok(protea_options_set(s->options, flag, value, PROTEA_FROM_FLAG));
    assert_ok(ops->settle(s->options));
    protea_options_free(s->options);
}

static void old_flags_set_what_they_did(void **state)
{
    (void)state;
    settled s = { 0 };
    rig r = rig_small();
    assert_ok(rig_init(&r, "moco", NULL, (const char *const[]){ SMALL, "moco_k", "16", NULL }));
    void *method = calloc(1, r.ops->size);
    settle(&s, method, "moco_t", "0.2");
    assert_true(s.views.blur_p == 1 && s.train.lr_schedule == PROTEA_LR_COSINE); /* the recipe's and the default stay */
    settle(&s, method, "aug_plus", "true");
    assert_true(s.views.blur_p == .5 && s.views.jitter_p == .8 && s.views.brightness == .4);
    assert_true(s.views.hue == .05); /* what was given itself */
    settle(&s, method, "aug_plus", "false");
    assert_true(s.views.blur_p == 0 && s.views.jitter_p == 1);
    settle(&s, method, "cos", "true");
    assert_int_equal(s.train.lr_schedule, PROTEA_LR_COSINE_EPOCH);
    settle(&s, method, "cos", "false");
    assert_int_equal(s.train.lr_schedule, PROTEA_LR_STEPS);
    free(method);
    rig_close(&r);
}

/* ---- a step */

static void key_and_queue_move_after_the_update(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "moco_k", "32", "moco_m", "0.5", "symmetric", "true", NULL });
    const protea_param *query = rig_find(&r, "fc.weight").param;
    const protea_tensor *key = rig_find(&r, "encoder_k.fc.weight").buffer, *queue = rig_find(&r, "queue").buffer;
    const protea_tensor *next = rig_find(&r, "queue_ptr").buffer;
    protea_tensor second = protea_row_range(queue, 16, 16);
    float before = protea_f32(key)[2], rest[16 * 6], old[16 * 6];
    assert_true(protea_f32(&query->w)[2] != before); /* the formula came after the copy */
    memcpy(rest, second.data, sizeof rest);
    memcpy(old, queue->data, sizeof old);
    assert_ok(rig_step(&r, 0));
    assert_true(protea_f32(key)[2] == before && memcmp(old, queue->data, sizeof old) == 0);
    assert_ok(r.ops->after_update(&r.cx, r.method, &r.now));
    assert_true(fabs(protea_f32(key)[2] - .5 * (before + protea_f32(&query->w)[2])) < 1e-7);
    assert_true(memcmp(old, queue->data, sizeof old) != 0 && protea_f32(next)[0] == 16);
    assert_memory_equal(rest, second.data, sizeof rest);
    for (int64_t i = 0; i < 16; i++) {
        protea_tensor row = protea_row_range(queue, i, 1);
        assert_true(fabs(rig_norm(&row) - 1) < 1e-6);
    }
    rig_close(&r);
}

/* Keys of the first 8 images by an encoder that has heads with hidden batch-norm or one linear layer, in groups of two. */
static void keys_of(rig *r, int64_t hidden, int64_t step, float keys[8 * 6])
{
    protea_momentum_encoder m = { 0 };
    protea_module *head[2];
    protea_rng rng = protea_rng_make(2, PROTEA_RNG_TEST, 0, 0, 0);
    const protea_tensor x = protea_view_images(&r->batch, 0);
    protea_tensor out = test_rows(keys, 8, 6);
    for (int i = 0; i < 2; i++)
        assert_ok(protea_mlp_head_new(&head[i], TINY_FEATURES, hidden, 6, &rng));
    assert_ok(protea_momentum_encoder_init(&m, &r->now, r->backbone, head[0], head[1], &rng));
    assert_ok(protea_momentum_encoder_keys(&r->cx, &m, &out, &x, 4, step, 0));
    protea_momentum_encoder_release(&m);
    protea_module_free(head[0]);
}

/* Without batch-norm an image has its own key in whatever order it was seen, but for rounding: a matrix product may treat a
 * row by its place. With it a key depends on its company, which is another in another step, and the same when a step is
 * made again. */
static void keys_come_back_in_order(void **state)
{
    (void)state;
    rig r = rig_small();
    float first[8 * 6], second[8 * 6];
    assert_ok(rig_init(&r, "moco", NULL, (const char *const[]){ SMALL, "moco_k", "16", NULL }));
    test_context_close(&r.cx);
    r.cx = test_context_open(1 << 20);
    r.now.self = &r;
    keys_of(&r, 0, 0, first);
    keys_of(&r, 0, 1, second);
    for (int i = 0; i < 8 * 6; i++)
        assert_true(fabsf(first[i] - second[i]) < 1e-6f);
    keys_of(&r, 5, 0, first);
    keys_of(&r, 5, 0, second);
    assert_memory_equal(first, second, sizeof first);
    keys_of(&r, 5, 1, second);
    assert_memory_not_equal(first, second, sizeof first);
    rig_close(&r);
}

static void metrics_are_what_they_say(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "moco_k", "16", NULL });
    assert_ok(rig_step(&r, 0));
    assert_int_equal(r.out.n_metrics, 5);
    assert_true(fabs(r.out.metric[0].value - r.out.loss / log(17)) < 1e-12);
    for (int i = 1; i < r.out.n_metrics; i++)
        assert_true(fabs(r.out.metric[i].value) <= 1.2);
    rig_close(&r);
}

static void steps_repeat_and_allocate_nothing(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "moco_k", "16", "symmetric", "true", NULL });
    assert_ok(rig_step(&r, 0));
    double first = r.out.loss;
    size_t kept = protea_arena_mark(r.cx.kept);
    rig_step_without_heap(&r, 0); /* nothing moved in between */
    assert_memory_equal(&first, &r.out.loss, sizeof first);
    assert_int_equal(protea_arena_mark(r.cx.kept), kept);
    assert_int_equal(protea_arena_mark(r.cx.scratch), 0);
    rig_close(&r);
}

static void head_gives_unit_rows(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "moco_k", "16", "mlp", "true", NULL });
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

/* ---- health */

static void collapse_is_told_with_a_remedy(void **state)
{
    (void)state;
    char text[512] = "";
    rig r = rig_ready((const char *const[]){ SMALL, "moco_k", "16", NULL });
    assert_ok(rig_step(&r, 1));
    protea_step_out mean = r.out;
    mean.metric[4].value = 0;
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text)); /* the first epoch tells nothing */
    assert_ok(rig_step(&r, 4));
    mean.metric[0].value = .8;
    assert_true(r.ops->sick(r.method, &mean, text, sizeof text));
    assert_non_null(strstr(text, "try"));
    mean.metric[4].value = .9;
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text));
    mean.metric[0].value = .999;
    assert_true(r.ops->sick(r.method, &mean, text, sizeof text));
    assert_non_null(strstr(text, "moco_t"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_options_are_refused), cmocka_unit_test(old_flags_set_what_they_did),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(key_and_queue_move_after_the_update), cmocka_unit_test(keys_come_back_in_order),
        cmocka_unit_test(metrics_are_what_they_say), cmocka_unit_test(steps_repeat_and_allocate_nothing),
        cmocka_unit_test(head_gives_unit_rows), cmocka_unit_test(collapse_is_told_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
