/* Gradients of a module against finite differences.
 *
 * With L(x, w) = sum(y * cotangent), for random directions v of the input and of each parameter:
 *     (L(. + h v) - L(. - h v)) / 2h  =  <gradient, v>
 * A direction touches all elements at once, so rounding (f32 forward, L summed in double) averages out, and one wrong
 * element in n still shows as 1/sqrt(n) of the whole. Kinks are kept out of the way: batch-norm's beta is +-2.5 and its gamma
 * near 0.2, so every ReLU after one is far from 0, half the channels on either side. (Masks that change from pixel to pixel
 * are proven by the whole networks against PyTorch, to 1e-6.) */
#ifndef PROTEA_TESTS_SUPPORT_GRADCHECK_H
#define PROTEA_TESTS_SUPPORT_GRADCHECK_H

#include <math.h>
#include <string.h>

#include "nn/layers.h"
#include "support/engine.h"
#include "support/formula.h"

typedef struct gradcheck {
    const char *name;
    protea_module *module;
    protea_pass pass;      /* its tape is the check's own */
    int64_t dim[4];        /* of x: (N,C,H,W), or rows (N,C,1,1) */
    bool native;           /* module takes native activations, not plain images or rows */
    void (*spread)(float *x, int64_t n); /* away from a layer's own kinks; may be NULL */
    /* the check's own */
    protea_tape *tape;
    bool backward;
    float *x, *dx;         /* (x_count) */
    double loss;
    int64_t y_count;
} gradcheck;

enum { GRADCHECK_DIRECTIONS = 5 };
static const double gradcheck_h = 1e-3;
static const double gradcheck_tolerance = 1e-3; /* of |gradient| */
static const double gradcheck_rounding = 3e-4; /* of a slope, times the square root of y's count: L's over h */

static inline protea_status gradcheck_load(protea_ctx *cx, gradcheck *g, protea_tensor *x)
{
    protea_tensor plain;
    bool rows = !g->native && g->dim[2] == 1 && g->dim[3] == 1;
    PROTEA_TRY(protea_tensor_plain(cx, &plain, PROTEA_KEPT, PROTEA_F32, rows ? 2 : 4, g->dim));
    if (!cx->planning)
        memcpy(plain.data, g->x, protea_bytes(&plain));
    *x = plain;
    if (!g->native)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_native(cx, x, PROTEA_KEPT, cx->compute, g->dim[0], g->dim[1], g->dim[2], g->dim[3]));
    return protea_to_native(cx, x, &plain);
}

/* Plain f32 elements of t: itself, or a copy of a native one. */
static inline protea_status gradcheck_plain(protea_ctx *cx, protea_tensor *plain, const protea_tensor *t)
{
    *plain = *t;
    if (!t->native)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_plain(cx, plain, PROTEA_KEPT, PROTEA_F32, 4, t->dim));
    return protea_from_native(cx, plain, t);
}

static inline protea_status gradcheck_step(protea_ctx *cx, void *self)
{
    gradcheck *g = self;
    protea_tensor x, y, y_plain, dy, dx, cotangent;
    size_t kept = protea_arena_mark(cx->kept), scratch = protea_arena_mark(cx->scratch);
    protea_pass pass = g->pass;
    pass.tape = g->backward ? g->tape : NULL;
    protea_tape_clear(g->tape);
    PROTEA_TRY(gradcheck_load(cx, g, &x));
    PROTEA_TRY(protea_forward(cx, g->module, &pass, &x, &y));
    PROTEA_TRY(gradcheck_plain(cx, &y_plain, &y));
    PROTEA_TRY(protea_tensor_like(cx, &cotangent, PROTEA_KEPT, &y_plain));
    g->loss = 0;
    g->y_count = protea_count(&y_plain);
    if (!cx->planning) {
        formula_fill(protea_f32(&cotangent), protea_count(&cotangent), "cotangent", 0, 1);
        for (int64_t i = 0; i < protea_count(&y_plain); i++)
            g->loss += (double)protea_f32(&y_plain)[i] * protea_f32(&cotangent)[i];
    }
    if (g->backward) {
        dy = cotangent;
        if (y.native) {
            PROTEA_TRY(protea_tensor_like(cx, &dy, PROTEA_SCRATCH, &y));
            PROTEA_TRY(protea_to_native(cx, &dy, &cotangent));
        }
        PROTEA_TRY(protea_backward(cx, g->module, g->tape, &dy, &dx));
        PROTEA_TRY(gradcheck_plain(cx, &y_plain, &dx));
        if (!cx->planning)
            memcpy(g->dx, y_plain.data, protea_bytes(&y_plain));
    }
    protea_arena_release(cx->kept, kept);
    protea_arena_release(cx->scratch, scratch);
    return PROTEA_OK;
}

static inline double gradcheck_loss(protea_ctx *cx, gradcheck *g)
{
    g->backward = false;
    must(gradcheck_step(cx, g));
    return g->loss;
}

/* Moves w along formula directions and compares; w is restored. */
static inline void gradcheck_tensor(protea_ctx *cx, gradcheck *g, const char *name, float *w, const float *gradient, int64_t n)
{
    double square = 0, h = gradcheck_h;
    float *start, *v;
    must(protea_new(&start, (size_t)n, sizeof *start, "a test"));
    must(protea_new(&v, (size_t)n, sizeof *v, "a test"));
    memcpy(start, w, (size_t)n * sizeof *w);
    for (int64_t i = 0; i < n; i++)
        square += (double)gradient[i] * gradient[i];
    for (int k = 0; k < GRADCHECK_DIRECTIONS; k++) {
        char direction[32];
        double slope = 0;
        snprintf(direction, sizeof direction, "direction %d", k);
        formula_fill(v, n, direction, 0, 1);
        for (int64_t i = 0; i < n; i++)
            slope += (double)gradient[i] * v[i], w[i] = (float)(start[i] + h * v[i]);
        double above = gradcheck_loss(cx, g);
        for (int64_t i = 0; i < n; i++)
            w[i] = (float)(start[i] - h * v[i]);
        double found = (above - gradcheck_loss(cx, g)) / (2 * h);
        if (!(fabs(found - slope) <= gradcheck_tolerance * sqrt(square) + gradcheck_rounding * sqrt((double)g->y_count)))
            fail_msg("%s, %s, direction %d: slope %.8g, backward says %.8g (|gradient| %.3g, %s)", g->name, name, k, found,
                     slope, sqrt(square), cx->be->isa);
        memcpy(w, start, (size_t)n * sizeof *w);
    }
    protea_free(start);
    protea_free(v);
}

typedef struct gradcheck_visit {
    protea_ctx *cx;
    gradcheck *g;
} gradcheck_visit;

static inline protea_status gradcheck_param(void *self, const char *name, protea_param *p)
{
    gradcheck_visit *visit = self;
    gradcheck_tensor(visit->cx, visit->g, name, protea_f32(&p->w), protea_f32(&p->dw), protea_count(&p->w));
    return PROTEA_OK;
}

static inline protea_status gradcheck_weights(void *self, const char *name, protea_param *p)
{
    (void)self;
    float *w = protea_f32(&p->w);
    bool bias = strstr(name, "bias") != NULL && strstr(name, "downsample") == NULL; /* which is added to another */
    formula_param(name, p);
    for (int64_t i = 0; i < protea_count(&p->w) && p->w.n_dims == 1; i++)
        w[i] = bias ? copysignf(2.5f, w[i]) : 0.2f * w[i];
    return PROTEA_OK;
}

/* Batch-norm's running statistics, away from 0 and 1. */
static inline protea_status gradcheck_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)self;
    bool var = strstr(name, "running_var") != NULL;
    formula_fill(protea_f32(t), protea_count(t), name, var ? 1 : 0, 0.5);
    return PROTEA_OK;
}

/* Runs forward and backward: g->dx, g->loss and the parameters' gradients are set. Parameters come by formula. */
static inline void gradcheck_open(protea_ctx *cx, gradcheck *g, protea_isa isa, protea_dtype compute)
{
    int64_t n = g->dim[0] * g->dim[1] * g->dim[2] * g->dim[3];
    engine_open(cx, isa, compute);
    must(protea_tape_new(&g->tape));
    must(protea_new(&g->x, (size_t)n, sizeof *g->x, "a test"));
    must(protea_new(&g->dx, (size_t)n, sizeof *g->dx, "a test"));
    formula_fill(g->x, n, "x", 0, 1);
    if (g->spread)
        g->spread(g->x, n);
    must(protea_visit(g->module, "", &(protea_visitor){ gradcheck_weights, gradcheck_buffer, NULL }));
    must(protea_zero_gradients(g->module));
    g->backward = true;
    engine_run(cx, gradcheck_step, g);
    if (!protea_tape_is_empty(g->tape))
        fail_msg("%s left records on the tape", g->name);
}

static inline void gradcheck_close(protea_ctx *cx, gradcheck *g)
{
    protea_free(g->x);
    protea_free(g->dx);
    protea_tape_free(g->tape);
    engine_close(cx);
}

/* The whole check in f32, with the kernels of one instruction set. */
static inline void gradcheck_run(gradcheck g, protea_isa isa)
{
    protea_ctx cx;
    gradcheck_open(&cx, &g, isa, PROTEA_F32);
    gradcheck_tensor(&cx, &g, "x", g.x, g.dx, g.dim[0] * g.dim[1] * g.dim[2] * g.dim[3]);
    gradcheck_visit visit = { &cx, &g };
    must(protea_visit(g.module, "", &(protea_visitor){ .param = gradcheck_param, .self = &visit }));
    gradcheck_close(&cx, &g);
}

#endif
