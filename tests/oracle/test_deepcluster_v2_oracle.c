/* Ten DeepCluster-v2 steps over two epochs, each with its clustering, two heads, multi-crop, images without a cluster, LARC and its
 * schedule, are those of PyTorch in double (tools/oracle/deepcluster_v2.py): every loss, the clusters of the images, and at the
 * end the norm and eight elements of every tensor. */
#include "support/oracle_run.h"

enum { STEPS = 10, STEPS_PER_EPOCH = 5, N = 16, IMAGES = 96, DIM = 32 };

static const protea_schedule SCHEDULE = { .start = .1, .base = .6, .final = .006, .warmup_steps = 3, .total_steps = STEPS };
static const char *const SETTINGS[] = { "nmb_prototypes", "12,9", "feat_dim", "32", "hidden_mlp", "64", "kmeans_warm_start",
                                        "true", NULL };

/* The bank as the first epoch would have left it. */
static protea_status fill_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)self;
    for (int64_t i = 0; strcmp(name, "memory_index") == 0 && i < protea_count(t); i++)
        protea_i32(t)[i] = (int32_t)(i * 7 % IMAGES);
    if (strcmp(name, "memory") != 0)
        return PROTEA_OK;
    float *rows = protea_f32(t);
    formula_fill(rows, protea_count(t), name, 0, 1);
    for (int64_t row = 0; row < protea_count(t) / DIM; row++) {
        double square = 0;
        for (int64_t d = 0; d < DIM; d++)
            square += (double)rows[row * DIM + d] * rows[row * DIM + d];
        for (int64_t d = 0; d < DIM; d++)
            rows[row * DIM + d] = (float)(rows[row * DIM + d] / sqrt(square));
    }
    return PROTEA_OK;
}

static const protea_optim_opts LARC = { .optimizer = PROTEA_OPTIM_LARC, .lr = .6, .momentum = .9, .wd = 1e-4 };

static void rig_ready(rig *r, protea_dtype compute)
{
    *r = (rig){ .batch = { .n_images = N }, .now = { .n_epochs = 3, .steps_per_epoch = STEPS_PER_EPOCH, .n_images = IMAGES } };
    const protea_visitor formula = { .param = formula_visit, .buffer = fill_buffer };
    rig_add_views(r, 2, 32);
    rig_add_views(r, 2, 20);
    assert_ok(rig_init(r, "deepcluster-v2", "resnet18-w16", SETTINGS));
    r->cx.compute = compute;
    assert_ok(rig_visit(r, &formula));
    assert_ok(rig_plan(r));
}

static void f32_is_pytorchs(void **state)
{
    (void)state;
    rig r;
    rig_ready(&r, PROTEA_F32);
    oracle w = { .file = fopen(TEST_DATA "/deepcluster_v2.txt", "r"), .unlisted = "clustering",
                 .allowed = { .early = 1e-5, .late = 5e-3, .norm = 1e-3, .element = 0.05 } };
    assert_int_equal(oracle_run(&r, &w, &LARC, &SCHEDULE, STEPS_PER_EPOCH, STEPS), STEPS + 113);
    fclose(w.file);
    rig_close(&r);
}

/* Up to the second clustering: of random embeddings, which rounding to bf16 makes another. */
static void bf16_is_near(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    rig r;
    rig_ready(&r, PROTEA_BF16);
    oracle w = { .file = fopen(TEST_DATA "/deepcluster_v2.txt", "r"), .allowed = { .early = 0.05, .late = 0.05 } };
    oracle_steps(&r, &w, &LARC, &SCHEDULE, STEPS_PER_EPOCH, STEPS_PER_EPOCH);
    assert_int_equal(w.n_found, STEPS_PER_EPOCH);
    fclose(w.file);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_is_pytorchs), cmocka_unit_test(bf16_is_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
