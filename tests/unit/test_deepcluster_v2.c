/* DeepCluster-v2: what is refused; that the first bank holds what the network makes of the epoch's images, that every image of the
 * bank gets the nearest prototype of each head's own bank and the others none; when prototypes move; that training goes on
 * where images have no cluster; that a collapse is told, and that a step allocates nothing and repeats. */
#include "support/method_rig.h"

#include "cluster/bank_clusters.h"

enum { N = 8, EPOCH = 3, IMAGES = 32, DIM = 6 };
#define SMALL "nmb_prototypes", "5,4,5", "feat_dim", "6", "hidden_mlp", "9"

static rig rig_small(void)
{
    rig r = { .batch = { .n_images = N }, .now = { .n_epochs = 10, .steps_per_epoch = EPOCH, .n_images = IMAGES } };
    rig_add_views(&r, 2, 8);
    rig_add_views(&r, 1, 4);
    rig_fill_views(&r, 0);
    return r;
}

static rig rig_ready(const char *const *settings)
{
    return rig_start(rig_small(), "deepcluster-v2", settings);
}

static void check_refused(const char *const *settings, const char *named)
{
    rig_check_refused(rig_small(), "deepcluster-v2", settings, named);
}

static void impossible_options_are_refused(void **state)
{
    (void)state;
    check_refused((const char *const[]){ SMALL, "nmb_prototypes", "5,25", NULL }, "at most 24");
    check_refused((const char *const[]){ SMALL, "nmb_prototypes", "5.5", NULL }, "nmb_prototypes");
    check_refused((const char *const[]){ SMALL, "crops_for_assign", "0,3", NULL }, "crops_for_assign");
    check_refused((const char *const[]){ SMALL, "crops_for_assign", "0,0", NULL }, "crops_for_assign");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    rig_fail_every_allocation(rig_small, "deepcluster-v2", (const char *const[]){ SMALL, NULL });
}

/* ---- the first bank and its clusters */

static protea_status begin_epoch(rig *r)
{
    r->now.self = r;
    r->batch.index = r->index;
    r->handed = 0;
    return r->ops->epoch_begin(&r->cx, r->method, &r->now);
}

/* Nearest prototype of a row. */
static int32_t nearest(const protea_tensor *prototypes, const float *row)
{
    int32_t best = 0;
    double most = -2;
    for (int32_t k = 0; k < prototypes->dim[0]; k++) {
        double dot = 0;
        for (int64_t d = 0; d < DIM; d++)
            dot += (double)protea_f32(prototypes)[k * DIM + d] * row[d];
        if (dot > most + 1e-7)
            best = k, most = dot;
    }
    return best;
}

static void images_get_the_nearest_prototype(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(begin_epoch(&r));
    const protea_tensor *bank = rig_find(&r, "memory").buffer, *index = rig_find(&r, "memory_index").buffer;
    const protea_tensor *labels = rig_find(&r, "clusters").buffer;
    int without = 0;
    for (int h = 0; h < 3; h++) {
        char name[64];
        snprintf(name, sizeof name, "prototypes.prototypes%d.weight", h);
        const protea_tensor *c = &rig_find(&r, name).param->w;
        for (int64_t row = 0; row < EPOCH * N; row++) {
            const float *z = protea_f32(bank) + (h % 2 * EPOCH * N + row) * DIM;
            assert_int_equal(protea_i32(labels)[h * IMAGES + protea_i32(index)[row]], nearest(c, z));
        }
        for (int64_t k = 0; k < c->dim[0]; k++) {
            protea_tensor one = protea_row_range(c, k, 1);
            assert_true(fabs(rig_norm(&one) - 1) < 1e-6);
        }
    }
    for (int i = 0; i < 3 * IMAGES; i++)
        without += protea_i32(labels)[i] == PROTEA_NO_CLUSTER;
    assert_int_equal(without, 3 * (IMAGES - EPOCH * N));
    assert_true(memcmp(rig_find(&r, "prototypes.prototypes0.weight").param->w.data,
                       rig_find(&r, "prototypes.prototypes2.weight").param->w.data, 5 * DIM * sizeof(float)) != 0);
    rig_close(&r);
}

/* The last batch of the pass, embedded once more: batch statistics do not depend on the passes before. */
static void first_bank_is_the_epochs_embeddings(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    const protea_pass train = { .batch_stats = true };
    assert_ok(begin_epoch(&r));
    const protea_tensor *bank = rig_find(&r, "memory").buffer, *index = rig_find(&r, "memory_index").buffer;
    for (int view = 0; view < 2; view++) {
        protea_tensor x = protea_row_range(&r.batch.group[0].x, view * N, N), features, z;
        rig_reset_arenas(&r);
        assert_ok(protea_forward(&r.cx, r.backbone, &train, &x, &features));
        assert_ok(r.ops->head(&r.cx, r.method, &train, &features, &z));
        const float *rows = protea_f32(bank) + ((view * EPOCH + EPOCH - 1) * N) * DIM;
        assert_memory_equal(rows, z.data, N * DIM * sizeof(float));
    }
    for (int i = 0; i < EPOCH * N; i++)
        assert_int_equal(protea_i32(index)[i], i * 7 % IMAGES);
    rig_close(&r);
}

/* ---- a step */

static void without_clusters_nothing_is_learnt(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 1)); /* no epoch has begun */
    assert_true(r.out.loss == 0 && rig_norm(&rig_find(&r, "linear.weight").param->dw) == 0);
    assert_ok(rig_step(&r, 3));
    assert_true(r.out.loss > 0 && rig_norm(&rig_find(&r, "linear.weight").param->dw) > 0);
    rig_close(&r);
}

static void prototypes_move_after_their_freeze(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "freeze_prototypes_niters", "2", NULL });
    const protea_param *c = rig_find(&r, "prototypes.prototypes1.weight").param;
    for (int step = 0; step < 3; step++) {
        assert_ok(rig_step(&r, step));
        assert_int_equal(c->frozen, step < 2);
        assert_int_equal(rig_norm(&c->dw) > 0, step >= 2);
    }
    rig_close(&r);
}

static void steps_repeat_and_allocate_nothing(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 0));
    assert_ok(rig_step(&r, 1));
    double first = r.out.loss;
    protea_alloc_fail_after(1, 1);
    protea_status status = rig_step(&r, 1);
    protea_alloc_fail_after(0, 0);
    assert_ok(status);
    assert_memory_equal(&first, &r.out.loss, sizeof first);
    assert_int_equal(protea_arena_mark(r.cx.scratch), 0);
    rig_close(&r);
}

static void a_row_that_is_not_finite_stays_out_of_the_bank(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 0));
    protea_f32(&r.batch.group[0].x)[5] = NAN;
    protea_status status = rig_step(&r, 1);
    assert_true(status == PROTEA_ERR_DIVERGED || !isfinite(r.out.loss));
    assert_true(isfinite(rig_norm(rig_find(&r, "memory").buffer)));
    rig_close(&r);
}

static void collapse_is_told_with_a_remedy(void **state)
{
    (void)state;
    char text[512] = "";
    rig r = rig_ready((const char *const[]){ SMALL, NULL });
    assert_ok(rig_step(&r, 0));
    protea_step_out mean = r.out;
    assert_int_equal(mean.n_metrics, 8);
    assert_true(fabs(mean.metric[0].value - r.out.loss / ((2 * log(5) + log(4)) / 3)) < 1e-9);
    mean.metric[5].value = 0;
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text)); /* the first epoch tells nothing */
    assert_ok(rig_step(&r, 4));
    assert_true(r.ops->sick(r.method, &mean, text, sizeof text));
    assert_non_null(strstr(text, "try"));
    mean.metric[5].value = .9;
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text));
    mean.metric[4].value = .97; /* of the images in one cluster */
    assert_true(r.ops->sick(r.method, &mean, text, sizeof text));
    assert_non_null(strstr(text, "one cluster"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_options_are_refused), cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(images_get_the_nearest_prototype), cmocka_unit_test(first_bank_is_the_epochs_embeddings),
        cmocka_unit_test(without_clusters_nothing_is_learnt), cmocka_unit_test(prototypes_move_after_their_freeze),
        cmocka_unit_test(steps_repeat_and_allocate_nothing), cmocka_unit_test(a_row_that_is_not_finite_stays_out_of_the_bank),
        cmocka_unit_test(collapse_is_told_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
