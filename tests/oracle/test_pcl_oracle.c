/* Ten PCL steps with given clusters of two granularities, negatives drawn, a queue that wraps, the key encoder and SGD with its
 * schedule, are those of PyTorch in double (tools/oracle/pcl.py): every loss, and at the end the norm and eight elements of every
 * tensor of both encoders and of the queue. */
#include "support/oracle_run.h"

enum { STEPS = 10, FIRST = 5, N = 16, IMAGES = 96, DIM = 32 };

static const protea_optim_opts SGD = { .optimizer = PROTEA_OPTIM_SGD, .lr = .01, .momentum = .9, .wd = 1e-4 };
static const protea_schedule SCHEDULE = { .base = .01, .total_steps = STEPS };
static const char *const SETTINGS[] = { "low_dim", "32", "pcl_r", "32", "proto_r", "8", "moco_m", "0.9", "temperature", "0.2",
                                        "mlp", "true", "num_cluster", "40,28", "bn_splits", "1", "proto_weight", "0.5", NULL };

static bool starts_with(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

static void unit_rows(protea_tensor *t, const char *name)
{
    float *rows = protea_f32(t);
    formula_fill(rows, protea_count(t), name, 0, 1);
    for (int64_t row = 0; row < t->dim[0]; row++) {
        double square = 0;
        for (int64_t d = 0; d < DIM; d++)
            square += (double)rows[row * DIM + d] * rows[row * DIM + d];
        for (int64_t d = 0; d < DIM; d++)
            rows[row * DIM + d] = (float)(rows[row * DIM + d] / sqrt(square));
    }
}

/* encoder_k.backbone.NAME and encoder_k.fc.NAME start as the query's NAME and fc.NAME. */
static void copy_of_query(protea_tensor *t, const char *name)
{
    protea_param as_param = { .w = *t };
    const char *own = name + strlen("encoder_k.");
    if (starts_with(own, "backbone."))
        own += strlen("backbone.");
    if (strstr(own, "running_") == NULL && strstr(own, "num_batches") == NULL)
        formula_param(own, &as_param);
}

static protea_status fill_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)self;
    if (starts_with(name, "encoder_k."))
        copy_of_query(t, name);
    else if (strcmp(name, "queue") == 0 || starts_with(name, "prototypes."))
        unit_rows(t, name);
    else if (starts_with(name, "concentration."))
        formula_fill(protea_f32(t), protea_count(t), name, .2, .1);
    else if (strcmp(name, "clustering") == 0)
        protea_f32(t)[0] = 1; /* there are clusters */
    for (int64_t i = 0; starts_with(name, "im2cluster.") && i < protea_count(t); i++)
        protea_i32(t)[i] = (int32_t)((i * 11 + 3 * (name[11] - '0')) % (name[11] == '0' ? 40 : 28));
    return PROTEA_OK;
}

static void ten_steps(protea_dtype compute, oracle_tolerance allowed)
{
    rig r = { .batch = { .n_images = N }, .now = { .n_epochs = 3, .steps_per_epoch = 100, .n_images = IMAGES } };
    oracle w = { .file = fopen(TEST_DATA "/pcl.txt", "r"), .allowed = allowed,
                 .unlisted = "queue_ptr clustering prototypes.0 prototypes.1 concentration.0 concentration.1 im2cluster.0 "
                             "im2cluster.1" };
    const protea_visitor formula = { .param = formula_visit, .buffer = fill_buffer };
    rig_add_views(&r, 2, 32);
    assert_ok(rig_init(&r, "pcl", "resnet18-w16", SETTINGS));
    r.cx.compute = compute;
    if (compute == PROTEA_F32)
        r.cx.be->winograd = PROTEA_WINOGRAD_NONE; /* small networks amplify rounding; tests/kernel hold Winograd to its own */
    assert_ok(rig_visit(&r, &formula));
    assert_ok(rig_plan(&r));
    assert_int_equal(oracle_run(&r, &w, &SGD, &SCHEDULE, FIRST, STEPS), STEPS + 209);
    fclose(w.file);
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
    ten_steps(PROTEA_BF16, (oracle_tolerance){ .early = 0.02, .late = 0.05, .norm = 0.1, .element = 0.5 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_is_pytorchs), cmocka_unit_test(bf16_is_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
