/* Ten MoCo steps are those of PyTorch in double (tools/oracle/moco.py): every loss, and at the end the norm and eight elements of
 * every weight and running statistic of both encoders, and of the queue. Once with a hidden layer and one direction, once with
 * one linear layer and both. */
#include "support/oracle_run.h"

enum { STEPS = 10, STEPS_PER_EPOCH = 2 };

static const protea_schedule SCHEDULE = { .base = .01, .total_steps = STEPS, .shape = PROTEA_LR_COSINE_EPOCH,
                                          .steps_per_epoch = STEPS_PER_EPOCH };
static const protea_optim_opts SGD = { .optimizer = PROTEA_OPTIM_SGD, .lr = .01, .momentum = .9, .wd = 1e-4 };

/* The key encoder as a copy of the query, which the formula has filled, and the queue by formula. */
static protea_status fill_buffer(void *self, const char *name, protea_tensor *t)
{
    static const char backbone[] = "encoder_k.backbone.", key[] = "encoder_k.";
    rig *r = self;
    const char *of_query = strncmp(name, backbone, strlen(backbone)) == 0 ? name + strlen(backbone)
                         : strncmp(name, key, strlen(key)) == 0           ? name + strlen(key)
                                                                          : NULL;
    if (strcmp(name, "queue") == 0) {
        formula_fill(protea_f32(t), protea_count(t), name, 0, 1);
        for (int64_t row = 0; row < t->dim[0]; row++) {
            protea_tensor x = protea_row_range(t, row, 1);
            double norm = rig_norm(&x);
            for (int64_t i = 0; i < t->dim[1]; i++)
                protea_f32(&x)[i] = (float)(protea_f32(&x)[i] / norm);
        }
    }
    const protea_param *p = of_query != NULL ? rig_find(r, of_query).param : NULL;
    if (p != NULL)
        memcpy(t->data, p->w.data, protea_bytes(t));
    return PROTEA_OK;
}

static void ten_steps(const char *file, const char *mlp, const char *symmetric, protea_dtype compute, oracle_tolerance allowed)
{
    const char *const settings[] = { "moco_dim", "32", "moco_k", "64", "moco_m", "0.9", "moco_t", "0.2", "bn_splits", "4",
                                     "mlp", mlp, "symmetric", symmetric, NULL };
    rig r = { .batch = { .n_images = 16 }, .now = { .n_epochs = 5, .steps_per_epoch = STEPS_PER_EPOCH } };
    oracle w = { .file = fopen(file, "r"), .allowed = allowed, .unlisted = "queue_ptr" };
    const protea_visitor formula = { .param = formula_visit }, start = { .buffer = fill_buffer, .self = &r };
    rig_add_views(&r, 2, 32);
    assert_ok(rig_init(&r, "moco", "resnet18-w16", settings));
    r.cx.compute = compute;
    if (compute == PROTEA_F32)
        r.cx.be->winograd = PROTEA_WINOGRAD_NONE; /* small networks amplify rounding; tests/kernel hold Winograd to its own */
    assert_ok(rig_visit(&r, &formula));
    assert_ok(rig_visit(&r, &start));
    assert_ok(rig_plan(&r));
    int tensors = 100 + (strcmp(mlp, "true") == 0 ? 4 : 2); /* of an encoder; counters of batches are not listed */
    assert_int_equal(oracle_run(&r, &w, &SGD, &SCHEDULE, 0, STEPS), STEPS + 2 * tensors + 1);
    fclose(w.file);
    rig_close(&r);
}

static void f32_is_pytorchs(void **state)
{
    (void)state;
    const oracle_tolerance allowed = { .early = 1e-5, .late = 5e-3, .norm = 4e-3, .element = 0.05 };
    ten_steps(TEST_DATA "/moco.txt", "true", "false", PROTEA_F32, allowed);
    ten_steps(TEST_DATA "/moco_symmetric.txt", "false", "true", PROTEA_F32, allowed);
}

static void bf16_is_near(void **state)
{
    (void)state;
    if (!test_has_bf16())
        skip();
    const oracle_tolerance allowed = { .early = 0.05, .late = 0.08, .norm = 0.03, .element = 0.5 };
    ten_steps(TEST_DATA "/moco.txt", "true", "false", PROTEA_BF16, allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_is_pytorchs), cmocka_unit_test(bf16_is_near) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
