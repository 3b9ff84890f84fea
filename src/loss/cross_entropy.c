/* Per row: what the target picks from the logits, softmax in the gradient's place, then the gradient. */
#include "loss/cross_entropy.h"

#include <string.h>

typedef struct entropy_work {
    const protea_cross_entropy_opts *opts;
    const float *x;         /* (N,C) */
    float *dx;              /* (N,C) */
    const int32_t *label;   /* (N) */
    int64_t n, c, m;        /* m: rows that take part */
    double *picked;         /* (N): sum_c t_nc x_nc / tau */
    float *log_sum;         /* (N): log sum exp(x_n / tau) */
} entropy_work;

static bool is_class(int32_t label, int64_t c)
{
    return label >= 0 && label < c;
}

static protea_status check_labels(const entropy_work *w)
{
    const int32_t *second = w->opts->second;
    for (int64_t i = 0; i < w->n; i++) {
        bool absent = w->label[i] == -1, fits = is_class(w->label[i], w->c);
        if (!absent && (!fits || (second != NULL && !is_class(second[i], w->c))))
            return protea_fail(PROTEA_ERR_INTERNAL, "cross-entropy: row %lld has label %d, or %d mixed in, of %lld classes",
                               (long long)i, (int)w->label[i], second != NULL ? (int)second[i] : -1, (long long)w->c);
    }
    return PROTEA_OK;
}

/* Before dx takes the place of x. */
static void pick(const entropy_work *w)
{
    const protea_cross_entropy_opts *o = w->opts;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < w->n; i++) {
        const float *x = w->x + i * w->c;
        double sum = 0, aimed;
        if (w->label[i] < 0)
            continue;
        for (int64_t c = 0; c < w->c; c++)
            sum += x[c];
        aimed = x[w->label[i]];
        if (o->second != NULL)
            aimed = o->share * aimed + (1 - o->share) * x[o->second[i]];
        w->picked[i] = ((1 - o->smoothing) * aimed + o->smoothing * sum / (double)w->c) / o->temperature;
    }
}

/* A target sums to 1, so the cross-entropy of a row is log_sum - picked. */
static double mean_loss(const entropy_work *w)
{
    double sum = 0;
    for (int64_t i = 0; i < w->n; i++)
        if (w->label[i] >= 0)
            sum += w->log_sum[i] - w->picked[i];
    return w->m > 0 ? sum / (double)w->m : 0;
}

/* dx holds softmax(x / tau) and becomes the gradient. */
static void softmax_to_gradient(const entropy_work *w)
{
    const protea_cross_entropy_opts *o = w->opts;
    double scale = 1 / ((double)(w->m > 0 ? w->m : 1) * o->temperature), aimed = scale * (1 - o->smoothing);
    double spread = scale * o->smoothing / (double)w->c, share = o->second != NULL ? o->share : 1;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < w->n; i++) {
        float *dx = w->dx + i * w->c;
        if (w->label[i] < 0) {
            memset(dx, 0, (size_t)w->c * sizeof *dx);
            continue;
        }
        for (int64_t c = 0; c < w->c; c++)
            dx[c] = (float)(scale * dx[c] - spread);
        dx[w->label[i]] -= (float)(share * aimed);
        if (o->second != NULL)
            dx[o->second[i]] -= (float)((1 - share) * aimed);
    }
}

static protea_status compute(protea_ctx *cx, double *loss, entropy_work *w)
{
    if (cx->planning)
        return PROTEA_OK;
    PROTEA_TRY(check_labels(w));
    for (int64_t i = 0; i < w->n; i++)
        w->m += w->label[i] >= 0;
    pick(w);
    cx->be->k.softmax(cx->be, w->dx, w->log_sum, w->x, (float)(1 / w->opts->temperature), w->n, w->c);
    *loss = mean_loss(w);
    softmax_to_gradient(w);
    return PROTEA_OK;
}

protea_status protea_cross_entropy(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits,
                                   const int32_t *label, const protea_cross_entropy_opts *opts)
{
    bool fits = logits->n_dims == 2 && d_logits->n_dims == 2 && memcmp(logits->dim, d_logits->dim, 2 * sizeof *logits->dim) == 0;
    if (!fits || !(opts->temperature > 0))
        return protea_fail(PROTEA_ERR_INTERNAL, "cross-entropy: logits (%lld,%lld), their gradient (%lld,%lld), temperature %g",
                           (long long)logits->dim[0], (long long)logits->dim[1], (long long)d_logits->dim[0],
                           (long long)d_logits->dim[1], opts->temperature);
    entropy_work w = { .opts = opts, .x = protea_f32(logits), .dx = protea_f32(d_logits), .label = label,
                       .n = logits->dim[0], .c = logits->dim[1] };
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.picked, (size_t)w.n * sizeof *w.picked));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.log_sum, (size_t)w.n * sizeof *w.log_sum));
    protea_status status = compute(cx, loss, &w);
    protea_arena_release(cx->scratch, mark);
    return status;
}

int32_t protea_largest(const float *logits, int64_t n)
{
    int64_t best = 0;
    for (int64_t c = 1; c < n; c++)
        if (logits[c] > logits[best])
            best = c;
    return (int32_t)best;
}

int64_t protea_count_correct(const protea_ctx *cx, const protea_tensor *logits, const int32_t *label, int64_t *n)
{
    int64_t correct = 0, labelled = 0;
    for (int64_t i = 0; !cx->planning && i < logits->dim[0]; i++) {
        labelled += label[i] >= 0;
        correct += label[i] >= 0 && protea_largest(protea_f32(logits) + i * logits->dim[1], logits->dim[1]) == label[i];
    }
    if (n != NULL)
        *n = labelled;
    return correct;
}
