/* The negatives' logits fill one (N,L) matrix that becomes its own softmax; the key's logit joins by its row's log-sum. */
#include "loss/info_nce.h"

#include <math.h>

#include "tensor/ops.h"

typedef struct info_nce {
    int64_t n, dim, length;
    double tau;
    const float *q, *k;   /* (N,D) */
    float *cosines;       /* (N,L); then softmax over the negatives */
    float *log_sum;       /* (N): of the negatives' exp */
    double *positive;     /* (N): cosine with the key */
    double *negative;     /* (N): sum of the cosines with the negatives */
} info_nce;

static protea_status check(const protea_tensor *dq, const protea_tensor *q, const protea_tensor *k, const protea_tensor *negatives)
{
    bool fits = q->n_dims == 2 && k->n_dims == 2 && dq->n_dims == 2 && negatives->n_dims == 2 && q->dim[0] == k->dim[0] &&
                q->dim[0] == dq->dim[0] && q->dim[1] == k->dim[1] && q->dim[1] == dq->dim[1] && q->dim[1] == negatives->dim[1];
    if (fits)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "info_nce: queries (%lld,%lld), keys (%lld,%lld), negatives (%lld,%lld) do not fit",
                       (long long)q->dim[0], (long long)q->dim[1], (long long)k->dim[0], (long long)k->dim[1],
                       (long long)negatives->dim[0], (long long)negatives->dim[1]);
}

static void positives(const info_nce *w)
{
    for (int64_t i = 0; i < w->n; i++) {
        double dot = 0;
        for (int64_t j = 0; j < w->dim; j++)
            dot += (double)w->q[i * w->dim + j] * w->k[i * w->dim + j];
        w->positive[i] = dot;
    }
}

/* Before the softmax takes the cosines' place. */
static void describe(const info_nce *w, protea_info_nce_result *r)
{
    double known = 0, positive = 0, negative = 0;
#pragma omp parallel for schedule(static) reduction(+ : known)
    for (int64_t i = 0; i < w->n; i++) {
        const float *cosine = w->cosines + i * w->length;
        float most = cosine[0];
        w->negative[i] = 0;
        for (int64_t j = 0; j < w->length; j++) {
            most = cosine[j] > most ? cosine[j] : most;
            w->negative[i] += cosine[j];
        }
        known += w->positive[i] > (double)most;
    }
    for (int64_t i = 0; i < w->n; i++) {
        positive += w->positive[i];
        negative += w->negative[i];
    }
    r->accuracy = known / (double)w->n;
    r->positive = positive / (double)w->n;
    r->negative = negative / (double)(w->n * w->length);
}

/* log(exp(a) + exp(b)) */
static double log_add(double a, double b)
{
    double most = fmax(a, b);
    return most + log1p(exp(fmin(a, b) - most));
}

/* Mean loss; log_sum (N) becomes the weight (1 - p_n) / (N tau) of each query's gradient. */
static double total_loss(const info_nce *w)
{
    double sum = 0;
    for (int64_t i = 0; i < w->n; i++) {
        double positive = w->positive[i] / w->tau, negatives = w->log_sum[i], all = log_add(positive, negatives);
        sum += all - positive;
        w->log_sum[i] = (float)(exp(negatives - all) / ((double)w->n * w->tau));
    }
    return sum / (double)w->n;
}

/* dq holds the mean of the negatives by their softmax. */
static void finish_gradient(const info_nce *w, float *dq)
{
    for (int64_t i = 0; i < w->n; i++)
        for (int64_t j = i * w->dim; j < (i + 1) * w->dim; j++)
            dq[j] = w->log_sum[i] * (dq[j] - w->k[j]);
}

protea_status protea_info_nce(protea_ctx *cx, protea_info_nce_result *result, protea_tensor *dq, const protea_tensor *q,
                              const protea_tensor *k, const protea_tensor *negatives, double temperature)
{
    PROTEA_TRY(check(dq, q, k, negatives));
    info_nce w = { .n = q->dim[0], .dim = q->dim[1], .length = negatives->dim[0], .tau = temperature, .q = protea_f32(q),
                   .k = protea_f32(k) };
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor cosines;
    PROTEA_TRY(protea_tensor_rows(cx, &cosines, PROTEA_SCRATCH, w.n, w.length));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.positive, (size_t)w.n * sizeof *w.positive));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.negative, (size_t)w.n * sizeof *w.negative));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &w.log_sum, (size_t)w.n * sizeof *w.log_sum));
    PROTEA_TRY(protea_gemm(cx, &cosines, q, negatives, false, true, 1, 0));
    w.cosines = protea_f32(&cosines);
    if (!cx->planning) {
        positives(&w);
        describe(&w, result);
        cx->be->k.softmax(cx->be, w.cosines, w.log_sum, w.cosines, (float)(1 / temperature), w.n, w.length);
        result->loss = total_loss(&w);
    }
    PROTEA_TRY(protea_gemm(cx, dq, &cosines, negatives, false, false, 1, 0));
    if (!cx->planning)
        finish_gradient(&w, protea_f32(dq));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
