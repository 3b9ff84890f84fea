#include "adapt/topk_cluster.h"

#include <math.h>

#include "base/alloc.h"
#include "loss/log_softmax.h"
#include "tensor/ops.h"

/* One row: g (C) = derivative with respect to x, or to p; returns the sum over its supports. x: logits or p. */
static double row_sum(double *g, const double *x, const protea_neighbours *nb, int64_t n, const protea_tensor *scores,
                      double sign)
{
    int64_t c = scores->dim[1];
    double sum = 0;
    for (int64_t i = 0; i < c; i++)
        g[i] = 0;
    for (int64_t j = 0; j < nb->found; j++) {
        const float *t = protea_f32(scores) + nb->index[n * nb->k + j] * c;
        double w = sign * nb->similarity[n * nb->k + j];
        for (int64_t i = 0; i < c; i++) {
            sum += w * (x[i] - t[i]) * (x[i] - t[i]);
            g[i] += 2 * w * (x[i] - t[i]);
        }
    }
    return sum;
}

/* Through the softmax: g_i becomes p_i (g_i - p . g). */
static void softmax_backward(double *g, const double *p, int64_t c)
{
    double dot = 0;
    for (int64_t i = 0; i < c; i++)
        dot += p[i] * g[i];
    for (int64_t i = 0; i < c; i++)
        g[i] = p[i] * (g[i] - dot);
}

/* work (2,C): the row, and its derivative. */
static double rows_sum(protea_tensor *d_logits, double *work, const protea_tensor *logits, const protea_neighbours *nb,
                       const protea_tensor *scores, const protea_kept_rows *kept, bool official)
{
    int64_t n = logits->dim[0], c = logits->dim[1];
    double share = 1 / (double)((kept != NULL ? kept->n : n) * nb->found), sum = 0;
    for (int64_t row = 0; row < n; row++) {
        const float *x = protea_f32(logits) + row * c;
        if (kept != NULL && !kept->keep[row])
            continue;
        protea_log_softmax_row(work, x, c);
        for (int64_t i = 0; i < c; i++)
            work[i] = official ? x[i] : exp(work[i]);
        sum += share * row_sum(work + c, work, nb, row, scores, official ? -1 : 1);
        if (!official)
            softmax_backward(work + c, work, c);
        for (int64_t i = 0; i < c; i++)
            protea_f32(d_logits)[row * c + i] = (float)(share * work[c + i]);
    }
    return sum;
}

protea_status protea_topk_cluster(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits,
                                  const protea_neighbours *nb, const protea_tensor *scores, const protea_kept_rows *kept,
                                  bool official)
{
    size_t mark = protea_arena_mark(cx->scratch);
    double *work;
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &work, 2 * (size_t)logits->dim[1] * sizeof *work));
    PROTEA_TRY(protea_fill(cx, d_logits, 0));
    if (!cx->planning) {
        bool any = nb->found > 0 && (kept == NULL || kept->n > 0);
        *loss = any ? rows_sum(d_logits, work, logits, nb, scores, kept, official) : 0;
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
