#include "loss/prototype_loss.h"

#include <math.h>

#include "base/alloc.h"
#include "loss/log_softmax.h"
#include "tensor/ops.h"

/* Tensors of one call, in scratch. */
typedef struct parts {
    protea_tensor z, z_norm, p, p_norm; /* (N,D), (N,1), (C,D), (C,1): normalised, and what by */
    protea_tensor d;                    /* (N,C): similarities, then their derivative */
    double *log_q, *log_t;              /* (C) */
} parts;

static protea_status make_parts(protea_ctx *cx, parts *w, const protea_tensor *z, const protea_tensor *prototypes)
{
    int64_t n = z->dim[0], c = prototypes->dim[0];
    PROTEA_TRY(protea_tensor_like(cx, &w->z, PROTEA_SCRATCH, z));
    PROTEA_TRY(protea_tensor_like(cx, &w->p, PROTEA_SCRATCH, prototypes));
    PROTEA_TRY(protea_tensor_rows(cx, &w->z_norm, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_tensor_rows(cx, &w->p_norm, PROTEA_SCRATCH, c, 1));
    PROTEA_TRY(protea_tensor_rows(cx, &w->d, PROTEA_SCRATCH, n, c));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w->log_q, (size_t)c * sizeof *w->log_q));
    return protea_arena_alloc(cx->scratch, &w->log_t, (size_t)c * sizeof *w->log_t);
}

static double forward_row(float *d, const parts *w, int64_t c)
{
    double loss = 0;
    for (int64_t i = 0; i < c; i++) {
        double t = exp(w->log_t[i]);
        loss += t * (w->log_t[i] - w->log_q[i]);
        d[i] = (float)(exp(w->log_q[i]) - t);
    }
    return loss;
}

static double reverse_row(float *d, const parts *w, int64_t c)
{
    double loss = 0;
    for (int64_t i = 0; i < c; i++)
        loss += exp(w->log_q[i]) * (w->log_q[i] - w->log_t[i]);
    for (int64_t i = 0; i < c; i++)
        d[i] = (float)(exp(w->log_q[i]) * (w->log_q[i] - w->log_t[i] - loss));
    return loss;
}

static double hard_row(float *d, const parts *w, int64_t label, int64_t c)
{
    for (int64_t i = 0; i < c; i++)
        d[i] = (float)(exp(w->log_q[i]) - (i == label));
    return -w->log_q[label];
}

/* One row: d becomes dL/dd, times tau and without the factor 1/kept; returns the row's loss. */
static double row_loss(parts *w, float *d, const float *target, int64_t c, const protea_prototype_opts *o)
{
    int64_t label = protea_argmax_row(o->own_labels ? d : target, c);
    protea_log_softmax_row(w->log_q, d, c);
    protea_log_softmax_row(w->log_t, target, c);
    switch (o->kind) {
    case PROTEA_DISTIL_FORWARD: return forward_row(d, w, c);
    case PROTEA_DISTIL_REVERSE: return reverse_row(d, w, c);
    case PROTEA_DISTIL_HARD: return hard_row(d, w, label, c);
    }
    return 0;
}

/* w->d becomes the derivative with respect to the similarities themselves. */
static double rows_loss(parts *w, protea_kept_rows *kept, const protea_tensor *target, const protea_prototype_opts *o)
{
    int64_t n = target->dim[0], c = target->dim[1];
    double sum = 0;
    kept->n = 0;
    for (int64_t row = 0; row < n; row++) {
        float *d = protea_f32(&w->d) + row * c;
        const float *t = protea_f32(target) + row * c;
        bool keep = !o->consistent_only || protea_argmax_row(d, c) == protea_argmax_row(t, c);
        kept->keep[row] = keep;
        kept->n += keep;
        sum += keep ? row_loss(w, d, t, c, o) : 0;
        for (int64_t i = 0; i < c && !keep; i++)
            d[i] = 0;
    }
    for (int64_t i = 0; i < n * c && kept->n > 0; i++)
        protea_f32(&w->d)[i] /= (float)(o->tau * (double)kept->n);
    return kept->n > 0 ? sum / (double)kept->n : 0;
}

protea_status protea_prototype_loss(protea_ctx *cx, double *loss, protea_kept_rows *kept, protea_tensor *d_z, protea_tensor *d,
                                    const protea_tensor *z, const protea_tensor *prototypes, const protea_tensor *target,
                                    const protea_prototype_opts *opts)
{
    size_t mark = protea_arena_mark(cx->scratch);
    parts w;
    PROTEA_TRY(make_parts(cx, &w, z, prototypes));
    PROTEA_TRY(protea_row_norm(cx, opts->norm, &w.z, &w.z_norm, z));
    PROTEA_TRY(protea_row_norm(cx, opts->norm, &w.p, &w.p_norm, prototypes));
    PROTEA_TRY(protea_gemm(cx, &w.d, &w.z, &w.p, false, true, (float)(1 / opts->tau), 0));
    if (d != NULL)
        PROTEA_TRY(protea_copy(cx, d, &w.d));
    if (!cx->planning)
        *loss = rows_loss(&w, kept, target, opts);
    PROTEA_TRY(protea_gemm(cx, d_z, &w.d, &w.p, false, false, 1, 0));
    PROTEA_TRY(protea_row_norm_backward(cx, opts->norm, d_z, &w.z, &w.z_norm, d_z));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
