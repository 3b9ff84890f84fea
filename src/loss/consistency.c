#include "loss/consistency.h"

#include <math.h>

#include "base/alloc.h"
#include "loss/log_softmax.h"
#include "tensor/check.h"

/* One row of both, in double. */
typedef struct pair {
    int64_t c;
    double *log_a, *log_b;  /* (C) */
    double *slope;          /* (C): derivative with respect to softmax(target) */
} pair;

/* Through a softmax: d_i = p_i (slope_i - p . slope). sign: 1 or -1 times the slope. */
static void to_logits(float *d, const double *log_p, const double *slope, int64_t c, double sign)
{
    double dot = 0;
    for (int64_t i = 0; i < c; i++)
        dot += exp(log_p[i]) * slope[i];
    for (int64_t i = 0; i < c; i++)
        d[i] = (float)(sign * exp(log_p[i]) * (slope[i] - dot));
}

static void mse_row(const pair *p, float *e, float *d_input, float *d_target)
{
    for (int64_t i = 0; i < p->c; i++) {
        double off = exp(p->log_a[i]) - exp(p->log_b[i]);
        e[i] = (float)(off * off);
        p->slope[i] = -2 * off;
    }
    if (d_input != NULL)
        to_logits(d_input, p->log_a, p->slope, p->c, -1);
    if (d_target != NULL)
        to_logits(d_target, p->log_b, p->slope, p->c, 1);
}

static void kl_row(const pair *p, float *e, float *d_input, float *d_target)
{
    for (int64_t i = 0; i < p->c; i++) {
        p->slope[i] = p->log_b[i] - p->log_a[i]; /* and 1, which the softmax takes away */
        e[i] = (float)(exp(p->log_b[i]) * p->slope[i]);
        if (d_input != NULL)
            d_input[i] = (float)(exp(p->log_a[i]) - exp(p->log_b[i]));
    }
    if (d_target != NULL)
        to_logits(d_target, p->log_b, p->slope, p->c, 1);
}

typedef void (*row_fn)(const pair *p, float *e, float *d_input, float *d_target);

static protea_status each_row(protea_ctx *cx, row_fn row, protea_tensor *e, protea_tensor *d_input, protea_tensor *d_target,
                              const protea_tensor *input, const protea_tensor *target)
{
    size_t mark = protea_arena_mark(cx->scratch);
    int64_t n = input->dim[0], c = input->dim[1];
    double *work;
    PROTEA_TRY(protea_check_same("consistency", input, target));
    PROTEA_TRY(protea_check_same("consistency", e, input));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &work, 3 * (size_t)c * sizeof *work));
    const pair p = { c, work, work + c, work + 2 * c };
    for (int64_t i = 0; i < n && !cx->planning; i++) {
        protea_log_softmax_row(p.log_a, protea_f32(input) + i * c, c);
        protea_log_softmax_row(p.log_b, protea_f32(target) + i * c, c);
        row(&p, protea_f32(e) + i * c, d_input ? protea_f32(d_input) + i * c : NULL,
            d_target ? protea_f32(d_target) + i * c : NULL);
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_softmax_mse(protea_ctx *cx, protea_tensor *e, protea_tensor *d_input, protea_tensor *d_target,
                                 const protea_tensor *input, const protea_tensor *target)
{
    return each_row(cx, mse_row, e, d_input, d_target, input, target);
}

protea_status protea_softmax_kl(protea_ctx *cx, protea_tensor *e, protea_tensor *d_input, protea_tensor *d_target,
                                const protea_tensor *input, const protea_tensor *target)
{
    return each_row(cx, kl_row, e, d_input, d_target, input, target);
}
