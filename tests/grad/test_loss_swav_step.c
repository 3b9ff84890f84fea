/* The gradients that a whole SwAV step leaves, multi-crop, two resolutions, head with batch-norm, prototypes, against
 * finite differences along a random direction of every parameter. Codes are hard, so that the loss as a function of the
 * parameters has them constant, as its gradient does. */
#include "support/step_gradcheck.h"

static const char *const SETTINGS[] = { "nmb_prototypes", "7", "feat_dim", "6", "hidden_mlp", "9", "temperature", "0.5",
                                        "freeze_prototypes_niters", "0", "hard_assignment_niters", "100", NULL };

/* Rows of the prototypes are set back to length 1 by the step, so only what is at right angles to them counts. */
static void keep_lengths(float *direction, const char *name, const protea_param *p)
{
    int64_t n = protea_count(&p->w), dim = p->w.dim[p->w.n_dims - 1];
    if (strcmp(name, "prototypes.weight") != 0)
        return;
    for (int64_t i = 0; i < n; i += dim) {
        double dot = 0;
        for (int64_t j = i; j < i + dim; j++)
            dot += (double)direction[j] * protea_f32(&p->w)[j];
        for (int64_t j = i; j < i + dim; j++)
            direction[j] -= (float)dot * protea_f32(&p->w)[j];
    }
}

static void every_parameter(void **state)
{
    (void)state;
    /* A bias before batch-norm has no effect. */
    static const char *const without_effect[] = { "projection_head.0.bias", "linear.bias", NULL };
    rig r = { .batch = { .n_images = 5 }, .now = { .n_epochs = 1, .steps_per_epoch = 100 } };
    rig_add_views(&r, 2, 8);
    rig_add_views(&r, 3, 4);
    assert_ok(rig_init(&r, "swav", NULL, SETTINGS));
    rig_fill_views(&r, 0);
    step_gradcheck_run((step_gradcheck){ .r = &r, .project = keep_lengths, .without_effect = without_effect }, 9);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_parameter) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
