/* Three passes over the rows: what the codes pick from the scores, softmax in the gradient's place, then the gradient. */
#include "loss/swapped_prediction.h"

typedef struct swapped {
    const protea_swapped_opts *opts;
    const float *s, *q; /* (V*N,K), (|A|*N,K) */
    float *ds;          /* (V*N,K) */
    int64_t n, k;
    double *dot;        /* (V*N): sum over the codes that row predicts of q . s / tau */
    float *log_sum;     /* (V*N): log sum exp(s / tau) */
} swapped;

static protea_status check(const protea_tensor *ds, const protea_tensor *s, const protea_tensor *q,
                           const protea_swapped_opts *o)
{
    bool fits = s->n_dims == 2 && q->n_dims == 2 && ds->n_dims == 2 && o->n_views >= 2 && o->n_assigned >= 1 &&
                o->n_assigned <= PROTEA_MAX_ASSIGNED && s->dim[0] % o->n_views == 0 && s->dim[1] == q->dim[1] &&
                s->dim[0] / o->n_views * o->n_assigned == q->dim[0] && ds->dim[0] == s->dim[0] && ds->dim[1] == s->dim[1];
    if (!fits)
        return protea_fail(PROTEA_ERR_INTERNAL,
                           "swapped prediction: scores (%lld,%lld), codes (%lld,%lld) do not fit %lld views, %lld assigned",
                           (long long)s->dim[0], (long long)s->dim[1], (long long)q->dim[0], (long long)q->dim[1],
                           (long long)o->n_views, (long long)o->n_assigned);
    return PROTEA_OK;
}

/* The codes that row has to predict, those of the assigned views of its image but its own; returns how many. */
static int64_t codes_of(const swapped *w, int64_t row, const float *code[static PROTEA_MAX_ASSIGNED])
{
    int64_t view = row / w->n, image = row % w->n, count = 0;
    for (int64_t a = 0; a < w->opts->n_assigned; a++)
        if (w->opts->assigned[a] != view)
            code[count++] = w->q + (a * w->n + image) * w->k;
    return count;
}

static double dot(const float *restrict a, const float *restrict b, int64_t k)
{
    enum { LANES = 8 };
    double lane[LANES] = { 0 }, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (double)a[i + j] * b[i + j];
    for (; i < k; i++)
        sum += (double)a[i] * b[i];
    for (int j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

/* Before ds takes the place of s. */
static void predicted_dots(const swapped *w)
{
    int64_t rows = w->n * w->opts->n_views;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const float *code[PROTEA_MAX_ASSIGNED];
        int64_t count = codes_of(w, row, code);
        w->dot[row] = 0;
        for (int64_t a = 0; a < count; a++)
            w->dot[row] += dot(w->s + row * w->k, code[a], w->k) / w->opts->temperature;
    }
}

/* Cross-entropy of row with its codes is count * log_sum - dot, because a code sums to 1. */
static double total_loss(const swapped *w)
{
    double sum = 0;
    for (int64_t row = 0; row < w->n * w->opts->n_views; row++) {
        const float *code[PROTEA_MAX_ASSIGNED];
        sum += (double)codes_of(w, row, code) * w->log_sum[row] - w->dot[row];
    }
    return sum / (double)(w->opts->n_assigned * (w->opts->n_views - 1) * w->n);
}

/* ds holds softmax(s / tau) and becomes the gradient. */
static void softmax_to_gradient(const swapped *w)
{
    int64_t rows = w->n * w->opts->n_views, k = w->k;
    double terms = (double)(w->opts->n_assigned * (w->opts->n_views - 1) * w->n);
    float scale = (float)(1 / (terms * w->opts->temperature));
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const float *code[PROTEA_MAX_ASSIGNED];
        int64_t count = codes_of(w, row, code);
        float *restrict ds = w->ds + row * k;
        for (int64_t i = 0; i < k; i++)
            ds[i] *= (float)count * scale;
        for (int64_t a = 0; a < count; a++)
            for (int64_t i = 0; i < k; i++)
                ds[i] -= scale * code[a][i];
    }
}

protea_status protea_swapped_prediction(protea_ctx *cx, double *loss, protea_tensor *d_scores, const protea_tensor *scores,
                                        const protea_tensor *codes, const protea_swapped_opts *opts)
{
    PROTEA_TRY(check(d_scores, scores, codes, opts));
    swapped w = { .opts = opts, .s = protea_f32(scores), .q = protea_f32(codes), .ds = protea_f32(d_scores),
                  .n = scores->dim[0] / opts->n_views, .k = scores->dim[1] };
    size_t mark = protea_arena_mark(cx->scratch), rows = (size_t)scores->dim[0];
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.dot, rows * sizeof *w.dot));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.log_sum, rows * sizeof *w.log_sum));
    if (!cx->planning) {
        predicted_dots(&w);
        cx->be->k.softmax(cx->be, w.ds, w.log_sum, w.s, (float)(1 / opts->temperature), scores->dim[0], w.k);
        *loss = total_loss(&w);
        softmax_to_gradient(&w);
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
