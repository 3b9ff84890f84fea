#include "loss/entropy.h"

#include <math.h>

#include "base/alloc.h"
#include "loss/log_softmax.h"
#include "tensor/check.h"

static protea_status new_row(protea_ctx *cx, double **log_p, int64_t n)
{
    return protea_arena_alloc(cx->scratch, log_p, (size_t)n * sizeof **log_p);
}

protea_status protea_softmax_entropy(protea_ctx *cx, protea_tensor *h, protea_tensor *p, const protea_tensor *logits)
{
    int64_t n = logits->dim[0], c = logits->dim[1];
    size_t mark = protea_arena_mark(cx->scratch);
    double *log_p;
    PROTEA_TRY(protea_check_plain("softmax entropy", "h", h, 2, (const int64_t[]){ n, 1 }));
    PROTEA_TRY(new_row(cx, &log_p, c));
    for (int64_t row = 0; row < n && !cx->planning; row++) {
        protea_log_softmax_row(log_p, protea_f32(logits) + row * c, c);
        protea_f32(h)[row] = (float)protea_entropy_row(log_p, c);
        for (int64_t i = 0; i < c && p != NULL; i++)
            protea_f32(p)[row * c + i] = (float)exp(log_p[i]);
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_mean_entropy(protea_ctx *cx, double *mean, const protea_tensor *logits)
{
    int64_t n = logits->dim[0];
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor h;
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_softmax_entropy(cx, &h, NULL, logits));
    *mean = 0;
    for (int64_t row = 0; row < n && !cx->planning; row++)
        *mean += protea_f32(&h)[row] / (double)n;
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_entropy_loss(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits,
                                  const double *weight)
{
    int64_t n = logits->dim[0], c = logits->dim[1];
    size_t mark = protea_arena_mark(cx->scratch);
    double *log_p, sum = 0;
    PROTEA_TRY(protea_check_same("entropy loss", d_logits, logits));
    PROTEA_TRY(new_row(cx, &log_p, c));
    for (int64_t row = 0; row < n && !cx->planning; row++) {
        protea_log_softmax_row(log_p, protea_f32(logits) + row * c, c);
        double h = protea_entropy_row(log_p, c), w = weight != NULL ? weight[row] : 1 / (double)n;
        for (int64_t i = 0; i < c; i++)
            protea_f32(d_logits)[row * c + i] = (float)(-w * exp(log_p[i]) * (log_p[i] + h));
        sum += w * h;
    }
    *loss = sum;
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* mean_p (C), and ln(mean + e) with its derivative factor per class: d/dm [m ln(m + e)] = ln(m + e) + m / (m + e). */
static double diversity(double *slope, const double *mean_p, int64_t c)
{
    static const double e = 1e-5;
    double sum = 0;
    for (int64_t i = 0; i < c; i++) {
        sum += mean_p[i] * log(mean_p[i] + e);
        slope[i] = log(mean_p[i] + e) + mean_p[i] / (mean_p[i] + e);
    }
    return sum;
}

static void add_to_mean(double *mean_p, double *log_p, const float *x, int64_t n, int64_t c)
{
    protea_log_softmax_row(log_p, x, c);
    for (int64_t i = 0; i < c; i++)
        mean_p[i] += exp(log_p[i]) / (double)n;
}

/* Adds p (slope - p . slope) / n to a row's derivative. */
static void diversity_gradient(float *d, double *log_p, const float *x, const double *slope, int64_t n, int64_t c)
{
    double dot = 0;
    protea_log_softmax_row(log_p, x, c);
    for (int64_t i = 0; i < c; i++)
        dot += exp(log_p[i]) * slope[i];
    for (int64_t i = 0; i < c; i++)
        d[i] += (float)(exp(log_p[i]) * (slope[i] - dot) / (double)n);
}

protea_status protea_information_loss(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits)
{
    int64_t n = logits->dim[0], c = logits->dim[1];
    size_t mark = protea_arena_mark(cx->scratch);
    double *work; /* (3,C): ln p of a row, mean p, slope */
    PROTEA_TRY(new_row(cx, &work, 3 * c));
    PROTEA_TRY(protea_entropy_loss(cx, loss, d_logits, logits, NULL));
    if (!cx->planning) {
        double *mean_p = work + c, *slope = work + 2 * c;
        for (int64_t i = 0; i < c; i++)
            mean_p[i] = 0;
        for (int64_t row = 0; row < n; row++)
            add_to_mean(mean_p, work, protea_f32(logits) + row * c, n, c);
        *loss += diversity(slope, mean_p, c);
        for (int64_t row = 0; row < n; row++)
            diversity_gradient(protea_f32(d_logits) + row * c, work, protea_f32(logits) + row * c, slope, n, c);
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
