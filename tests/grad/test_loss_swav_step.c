/* The gradients that a whole SwAV step leaves, multi-crop, two resolutions, head with batch-norm, prototypes, against
 * finite differences along a random direction of every parameter. Codes are hard, so that the loss as a function of the
 * parameters has them constant, as its gradient does. */
#include "support/method_rig.h"

#include <math.h>

static const char *const SETTINGS[] = { "nmb_prototypes", "7", "feat_dim", "6", "hidden_mlp", "9", "temperature", "0.5",
                                        "freeze_prototypes_niters", "0", "hard_assignment_niters", "100", NULL };

typedef struct slope {
    rig *r;
    int wanted, seen;      /* number of the parameter to be moved; counter of the visit */
    double along;          /* gradient . direction */
    double length;         /* |gradient| |direction| */
    double h;
    char name[64];
} slope;

static double loss_of(rig *r)
{
    assert_ok(rig_step(r, 0));
    return r->out.loss;
}

/* A direction for p. Rows of the prototypes are set back to length 1 by the step, so only what is at right angles to them
 * counts. */
static void make_direction(float *direction, const char *name, const protea_param *p)
{
    int64_t n = protea_count(&p->w), dim = p->w.dim[p->w.n_dims - 1];
    formula_fill(direction, n, "direction", 0, 1);
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

/* The parameter that is wanted: its finite difference and its gradient along the direction. */
static protea_status probe_param(void *self, const char *name, protea_param *p)
{
    slope *probe = self;
    float direction[256], start[256];
    int64_t n = protea_count(&p->w);
    if (probe->seen++ != probe->wanted)
        return PROTEA_OK;
    assert_true(n <= 256);
    snprintf(probe->name, sizeof probe->name, "%s", name);
    make_direction(direction, name, p);
    double dot = 0, gradients = 0, directions = 0, loss[2];
    for (int64_t i = 0; i < n; i++) {
        dot += (double)protea_f32(&p->dw)[i] * direction[i];
        gradients += (double)protea_f32(&p->dw)[i] * protea_f32(&p->dw)[i];
        directions += (double)direction[i] * direction[i];
    }
    memcpy(start, p->w.data, protea_bytes(&p->w));
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < n; i++)
            protea_f32(&p->w)[i] = start[i] + (side ? 1 : -1) * (float)probe->h * direction[i];
        loss[side] = loss_of(probe->r);
    }
    memcpy(p->w.data, start, protea_bytes(&p->w));
    probe->along = (loss[1] - loss[0]) / (2 * probe->h) - dot;
    probe->length = sqrt(gradients * directions);
    return PROTEA_OK;
}

static protea_status zero_gradient(void *self, const char *name, protea_param *p)
{
    (void)self, (void)name;
    memset(p->dw.data, 0, protea_bytes(&p->dw));
    return PROTEA_OK;
}

static void every_parameter(void **state)
{
    (void)state;
    rig r = { .batch = { .n_images = 5 }, .now = { .n_epochs = 1, .steps_per_epoch = 100 } };
    protea_visitor formula = { .param = formula_visit }, zero = { .param = zero_gradient };
    rig_add_views(&r, 2, 8);
    rig_add_views(&r, 3, 4);
    assert_ok(rig_init(&r, "swav", NULL, SETTINGS));
    assert_ok(rig_visit(&r, &formula));
    rig_fill_views(&r, 0);
    assert_ok(rig_plan(&r));
    for (int i = 0; i < 9; i++) {
        slope probe = { .r = &r, .wanted = i, .h = 2e-3 };
        protea_visitor visitor = { .param = probe_param, .self = &probe };
        assert_ok(rig_visit(&r, &zero));
        loss_of(&r); /* also sets the prototypes to length 1 */
        assert_ok(rig_visit(&r, &visitor));
        assert_int_equal(probe.seen, 9);
        /* f32 leaves 1e-7 of the loss: 1e-4 after division by 2h. The head's first bias has no effect before batch-norm. */
        if (fabs(probe.along) > 2e-3 * probe.length + 2e-4)
            fail_msg("%s: %g off, gradient times direction is %g", probe.name, probe.along, probe.length);
        assert_true(probe.length > 1e-2 || strcmp(probe.name, "projection_head.0.bias") == 0 ||
                    strcmp(probe.name, "linear.bias") == 0);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_parameter) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
