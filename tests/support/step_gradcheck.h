/* The gradients that a whole step of a method leaves, against finite differences of its loss along a random direction of every
 * parameter. */
#ifndef PROTEA_TESTS_SUPPORT_STEP_GRADCHECK_H
#define PROTEA_TESTS_SUPPORT_STEP_GRADCHECK_H

#include <math.h>

#include "support/method_rig.h"

enum { STEP_GRADCHECK_MOST = 256 }; /* elements of a parameter */

typedef struct step_gradcheck {
    rig *r;
    /* Takes out of a direction for p what a step undoes (lengths that it sets, say); may be NULL. */
    void (*project)(float *direction, const char *name, const protea_param *p);
    /* Sets back before each step what a step changes and its loss depends on; may be NULL. */
    void (*restore)(rig *r);
    double h;              /* 0: 2e-3 */
    const char *only;      /* checks parameters whose names begin so; NULL: all */
    /* Parameters that have no effect by design, NULL at the end; the others must have a gradient. */
    const char *const *without_effect;
    /* the check's own */
    int wanted, seen;      /* number of the parameter to be moved; counter of the visit */
} step_gradcheck;

static inline double step_gradcheck_loss(step_gradcheck *g)
{
    if (g->restore != NULL)
        g->restore(g->r);
    assert_ok(rig_step(g->r, 0));
    return g->r->out.loss;
}

static inline bool step_gradcheck_is_without_effect(const step_gradcheck *g, const char *name)
{
    for (const char *const *known = g->without_effect; known != NULL && *known != NULL; known++)
        if (strcmp(name, *known) == 0)
            return true;
    return false;
}

/* The parameter that is wanted: its finite difference against its gradient along the direction. */
static inline protea_status step_gradcheck_param(void *self, const char *name, protea_param *p)
{
    step_gradcheck *g = self;
    float direction[STEP_GRADCHECK_MOST], start[STEP_GRADCHECK_MOST];
    int64_t n = protea_count(&p->w);
    if (g->seen++ != g->wanted || (g->only != NULL && strncmp(name, g->only, strlen(g->only)) != 0))
        return PROTEA_OK;
    assert_true(n <= STEP_GRADCHECK_MOST);
    formula_fill(direction, n, "direction", 0, 1);
    if (g->project != NULL)
        g->project(direction, name, p);
    double along = 0, gradients = 0, directions = 0, loss[2];
    for (int64_t i = 0; i < n; i++) {
        along += (double)protea_f32(&p->dw)[i] * direction[i];
        gradients += (double)protea_f32(&p->dw)[i] * protea_f32(&p->dw)[i];
        directions += (double)direction[i] * direction[i];
    }
    memcpy(start, p->w.data, protea_bytes(&p->w));
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < n; i++)
            protea_f32(&p->w)[i] = start[i] + (side ? 1 : -1) * (float)g->h * direction[i];
        loss[side] = step_gradcheck_loss(g);
    }
    memcpy(p->w.data, start, protea_bytes(&p->w));
    /* f32 leaves 1e-7 of the loss: 1e-4 after division by 2h. */
    double off = (loss[1] - loss[0]) / (2 * g->h) - along, length = sqrt(gradients * directions);
    if (!(fabs(off) <= 2e-3 * length + 2e-4))
        fail_msg("%s: %g off, gradient times direction is %g", name, off, length);
    if (length <= 1e-2 && !step_gradcheck_is_without_effect(g, name))
        fail_msg("%s: its gradient is %g long", name, length);
    return PROTEA_OK;
}

static inline protea_status step_gradcheck_zero(void *self, const char *name, protea_param *p)
{
    (void)self, (void)name;
    memset(p->dw.data, 0, protea_bytes(&p->dw));
    return PROTEA_OK;
}

/* Checks all n_params parameters of an initialised rig whose views are filled; they start by formula. */
static inline void step_gradcheck_run(step_gradcheck g, int n_params)
{
    protea_visitor formula = { .param = formula_visit }, zero = { .param = step_gradcheck_zero };
    g.h = g.h > 0 ? g.h : 2e-3;
    assert_ok(rig_visit(g.r, &formula));
    assert_ok(rig_plan(g.r));
    for (g.wanted = 0; g.wanted < n_params; g.wanted++) {
        protea_visitor probe = { .param = step_gradcheck_param, .self = &g };
        assert_ok(rig_visit(g.r, &zero));
        step_gradcheck_loss(&g);
        g.seen = 0;
        assert_ok(rig_visit(g.r, &probe));
        assert_int_equal(g.seen, n_params);
    }
}

#endif
