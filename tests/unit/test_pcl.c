/* PCL: what cannot work is refused with what can; there is InfoNCE alone until clusters are due; then every image has a cluster,
 * prototypes have length 1 and concentrations the temperature as their mean; our options do what they say; a collapse is told,
 * and a step allocates nothing and repeats. */
#include "support/method_rig.h"

enum { N = 8, IMAGES = 40, DIM = 6 };
#define SMALL "low_dim", "6", "bn_splits", "2", "pcl_r", "16", "num_cluster", "20,14", "warmup_epoch", "1", "kmeans_nredo", "2"

static rig rig_small(void)
{
    rig r = { .batch = { .n_images = N }, .now = { .n_epochs = 10, .steps_per_epoch = 2, .n_images = IMAGES } };
    rig_add_views(&r, 2, 8);
    rig_fill_views(&r, 0);
    return r;
}

static rig rig_ready(const char *const *settings)
{
    return rig_start(rig_small(), "pcl", settings);
}

static void check_refused(const char *const *settings, const char *named)
{
    rig_check_refused(rig_small(), "pcl", settings, named);
}

static void check_taken(const char *const *settings)
{
    rig r = rig_small();
    assert_ok(rig_init(&r, "pcl", NULL, settings));
    rig_close(&r);
}

static void impossible_options_are_refused(void **state)
{
    (void)state;
    check_refused((const char *const[]){ SMALL, NULL }, "pcl_r: 16 negative prototypes found, at most 6 wanted");
    check_refused((const char *const[]){ SMALL, "proto_r", "7", NULL }, "proto_r: 7 negative prototypes found, at most 6 wanted");
    check_taken((const char *const[]){ SMALL, "proto_r", "6", NULL });
    check_taken((const char *const[]){ SMALL, "proto_r", "60", "draw_with_replacement", "true", NULL });
    check_refused((const char *const[]){ SMALL, "num_cluster", "8,20", "draw_with_replacement", "true", NULL }, "at most 0");
    check_taken((const char *const[]){ SMALL, "num_cluster", "8,20", "proto_r", "0", NULL });
    check_refused((const char *const[]){ SMALL, "num_cluster", "41", "proto_r", "0", NULL }, "as many clusters as images");
    check_refused((const char *const[]){ SMALL, "num_cluster", "9.5", "proto_r", "0", NULL }, "num_cluster: 9.5");
    check_refused((const char *const[]){ SMALL, "pcl_r", "20", "proto_r", "0", NULL }, "pcl_r: 20 found");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    rig_fail_every_allocation(rig_small, "pcl", (const char *const[]){ SMALL, "proto_r", "6", NULL });
}

static double metric(const rig *r, const char *name)
{
    for (int i = 0; i < r->out.n_metrics; i++)
        if (strcmp(r->out.metric[i].name, name) == 0)
            return r->out.metric[i].value;
    fail_msg("no metric %s", name);
    return 0;
}

static void clusters_come_after_the_warm_up(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "proto_r", "6", NULL });
    assert_ok(rig_step(&r, 0));
    assert_true(metric(&r, "proto_loss") == 0 && metric(&r, "clusters_used") == 0);
    assert_ok(rig_step(&r, 2));
    assert_true(metric(&r, "proto_loss") > 0 && metric(&r, "acc_proto") >= 0);
    assert_true(metric(&r, "phi_min") <= .2 && metric(&r, "phi_max") >= .2);
    const int64_t k[2] = { 20, 14 };
    for (int m = 0; m < 2; m++) {
        char name[3][32];
        snprintf(name[0], 32, "prototypes.%d", m);
        snprintf(name[1], 32, "concentration.%d", m);
        snprintf(name[2], 32, "im2cluster.%d", m);
        const protea_tensor *c = rig_find(&r, name[0]).buffer, *phi = rig_find(&r, name[1]).buffer;
        const protea_tensor *labels = rig_find(&r, name[2]).buffer;
        double mean = 0;
        assert_true(c->dim[0] == k[m] && phi->dim[0] == k[m] && labels->dim[0] == IMAGES);
        for (int64_t i = 0; i < k[m]; i++) {
            protea_tensor row = protea_row_range(c, i, 1);
            assert_true(fabs(rig_norm(&row) - 1) < 1e-6);
            mean += protea_f32(phi)[i] / (double)k[m];
        }
        assert_true(fabs(mean - .2) < 1e-6);
        for (int i = 0; i < IMAGES; i++)
            assert_true(protea_i32(labels)[i] >= 0 && protea_i32(labels)[i] < k[m]);
    }
    rig_close(&r);
}

/* The loss of ProtoNCE in the first step with clusters. */
static double proto_loss(const char *const *settings)
{
    rig r = rig_ready(settings);
    assert_ok(rig_step(&r, 2));
    double loss = metric(&r, "proto_loss");
    assert_true(fabs(r.out.loss - loss - metric(&r, "loss_over_ln_k") * log(17)) < 1e-6);
    rig_close(&r);
    return loss;
}

static void our_options_do_what_they_say(void **state)
{
    (void)state;
    double plain = proto_loss((const char *const[]){ SMALL, "proto_r", "6", NULL });
    double half = proto_loss((const char *const[]){ SMALL, "proto_r", "6", "proto_weight", "0.5", NULL });
    double masked = proto_loss((const char *const[]){ SMALL, "proto_r", "6", "mask_same_cluster", "true", NULL });
    double fewer = proto_loss((const char *const[]){ SMALL, "proto_r", "0", NULL });
    assert_true(fabs(half - plain / 2) < 1e-9);
    assert_true(masked < plain - .01); /* eight images in fourteen clusters: some share one */
    assert_true(fewer < plain - .01);
}

/* The same images in both views: the second direction asks what the first did, with other negatives. */
static void both_directions_add_up(void **state)
{
    (void)state;
    double loss[2];
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        rig r = rig_ready((const char *const[]){ SMALL, "proto_r", "6", "symmetric", symmetric ? "true" : "false", NULL });
        float *x = protea_f32(&r.batch.group[0].x);
        memcpy(x + N * 3 * 64, x, N * 3 * 64 * sizeof *x);
        assert_ok(rig_step(&r, 0));
        loss[symmetric] = r.out.loss;
        assert_true(r.out.loss > 0 && rig_norm(&rig_find(&r, "linear.weight").param->dw) > 0);
        rig_close(&r);
    }
    assert_true(fabs(loss[1] - 2 * loss[0]) < 1e-5);
}

static void steps_repeat_and_allocate_nothing(void **state)
{
    (void)state;
    rig r = rig_ready((const char *const[]){ SMALL, "proto_r", "6", NULL });
    assert_ok(rig_step(&r, 2));
    assert_ok(rig_step(&r, 3));
    double first = r.out.loss;
    protea_alloc_fail_after(1, 1);
    protea_status status = rig_step(&r, 3);
    protea_alloc_fail_after(0, 0);
    assert_ok(status);
    assert_memory_equal(&first, &r.out.loss, sizeof first);
    assert_int_equal(protea_arena_mark(r.cx.scratch), 0);
    rig_close(&r);
}

static void collapse_is_told_with_a_remedy(void **state)
{
    (void)state;
    char text[512] = "";
    rig r = rig_ready((const char *const[]){ SMALL, "proto_r", "6", NULL });
    assert_ok(rig_step(&r, 4));
    protea_step_out mean = r.out;
    mean.metric[0].value = .8; /* loss over ln(1 + r): learning */
    mean.metric[4].value = .9; /* embedding std */
    assert_false(r.ops->sick(r.method, &mean, text, sizeof text));
    mean.metric[8].value = .95; /* largest cluster */
    assert_true(r.ops->sick(r.method, &mean, text, sizeof text));
    assert_non_null(strstr(text, "warmup_epoch"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_options_are_refused), cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(clusters_come_after_the_warm_up), cmocka_unit_test(our_options_do_what_they_say),
        cmocka_unit_test(both_directions_add_up),
        cmocka_unit_test(steps_repeat_and_allocate_nothing), cmocka_unit_test(collapse_is_told_with_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
