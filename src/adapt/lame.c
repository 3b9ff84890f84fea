/* LAME: the batch's predictions made smooth over its own neighbours; nothing is trained, and helps where neighbours in the
 * stream are of one class.
 *
 *   Y <- softmax(ln(p + 1e-10) + lambda W Y), from Y = softmax(ln(p + 1e-10)), at most 100 times
 *   E  = sum( -ln(p + 1e-10) Y - lambda (W Y) Y + Y ln Y ),  done when it changes by less than 1e-8 of itself
 *
 * W (N,N) of the features z, each of length 1: rbf exp(-|z_i - z_j|^2 / 2 sigma^2), sigma the mean distance to the k-th nearest
 * (itself counted); kNN: 1 for the k nearest others; linear: z_i . z_j. The logits that come out are ln Y.
 * Source: Boudiaf et al. 2022, arXiv:2201.05718, eq. 4-7, and the constants of the authors' configuration. */
#include <math.h>

#include "adapt/neighbours.h"
#include "adapt/network.h"
#include "base/alloc.h"
#include "loss/log_softmax.h"
#include "tensor/ops.h"

enum { RBF, KNN, LINEAR };
enum { SWEEPS = 100 };

typedef struct lame {
    int32_t affinity;
    int64_t knn;
    double lambda;
    protea_adapt_base *base;
} lame;

static const protea_opt OPTIONS[] = {
    { "affinity", NULL, PROTEA_OPT_CHOICE, offsetof(lame, affinity), "rbf", 0, 0, "rbf|knn|linear", NULL,
      "how alike two images of a batch are", "arXiv:2201.05718", 0 },
    { "knn", NULL, PROTEA_OPT_INT, offsetof(lame, knn), "5", 1, 1000, NULL, "images", "neighbours in rbf and knn",
      "arXiv:2201.05718: 5 of 1 3 5", 0 },
    { "lambda", NULL, PROTEA_OPT_FLOAT, offsetof(lame, lambda), "1", 0, 1e3, NULL, NULL, "weight of the neighbours",
      "arXiv:2201.05718", 0 },
    { .key = NULL },
};

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((lame *)self)->base = base;
    return PROTEA_OK;
}

/* ---- affinity */

/* The k-th smallest of row (n), k from 1; row is put in disorder. */
static float kth_smallest(float *row, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i + 1; j < n; j++)
            if (row[j] < row[i]) {
                float kept = row[i];
                row[i] = row[j];
                row[j] = kept;
            }
    return row[k - 1];
}

/* w becomes the rbf of distances d. With sigma 0 (all alike) each is like all at distance 0. */
static void rbf(protea_tensor *w, const protea_tensor *d, int64_t knn)
{
    int64_t n = d->dim[0], k = knn < n ? knn : n;
    double sigma = 0;
    for (int64_t row = 0; row < n; row++) {
        float *copy = protea_f32(w) + row * n;
        for (int64_t j = 0; j < n; j++)
            copy[j] = protea_f32(d)[row * n + j];
        sigma += kth_smallest(copy, n, k) / (double)n;
    }
    double scale = sigma > 0 ? 1 / (2 * sigma * sigma) : 0;
    for (int64_t i = 0; i < n * n; i++) {
        double off = protea_f32(d)[i];
        protea_f32(w)[i] = (float)exp(-off * off * scale);
    }
}

static protea_status make_affinity(protea_ctx *cx, const lame *self, protea_tensor *w, const protea_tensor *z)
{
    size_t mark = protea_arena_mark(cx->scratch);
    int64_t n = z->dim[0];
    protea_tensor unit, norm, d;
    PROTEA_TRY(protea_tensor_like(cx, &unit, PROTEA_SCRATCH, z));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_tensor_rows(cx, &d, PROTEA_SCRATCH, n, n));
    PROTEA_TRY(protea_l2norm(cx, &unit, &norm, z));
    if (self->affinity == LINEAR)
        PROTEA_TRY(protea_gemm(cx, w, &unit, &unit, false, true, 1, 0));
    else
        PROTEA_TRY(protea_get_distances(cx, &d, &unit, &unit, PROTEA_EUCLIDEAN));
    if (self->affinity == KNN)
        PROTEA_TRY(protea_knn_graph(cx, w, &d, self->knn));
    if (self->affinity == RBF && !cx->planning)
        rbf(w, &d, self->knn);
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* ---- the assignments */

/* Y (N,C) and its logarithm, from ln(p + 1e-10) = -u and wy = W Y (N,C). */
typedef struct sweep {
    int64_t n, c;
    const float *minus_u;
    float *wy, *y, *log_y;
    double *row;    /* (C) */
    double lambda;
} sweep;

/* Y = softmax(-U + lambda WY). */
static void assign(const sweep *s)
{
    for (int64_t n = 0; n < s->n; n++) {
        float *log_y = s->log_y + n * s->c;
        for (int64_t i = 0; i < s->c; i++)
            log_y[i] = s->minus_u[n * s->c + i] + (float)s->lambda * s->wy[n * s->c + i];
        protea_log_softmax_row(s->row, log_y, s->c);
        for (int64_t i = 0; i < s->c; i++) {
            log_y[i] = (float)s->row[i];
            s->y[n * s->c + i] = (float)exp(s->row[i]);
        }
    }
}

/* Of Y with the WY it was assigned by, as the authors' code has it. */
static double energy(const sweep *s)
{
    double sum = 0;
    for (int64_t i = 0; i < s->n * s->c; i++)
        sum += s->y[i] * (-s->minus_u[i] - s->lambda * s->wy[i] + log(fmax(s->y[i], 1e-20)));
    return sum;
}

static protea_status settle(protea_ctx *cx, sweep *s, const protea_tensor *w, const protea_tensor *y, protea_tensor *wy)
{
    double old = INFINITY;
    for (int i = 0; i < SWEEPS; i++) {
        PROTEA_TRY(protea_gemm(cx, wy, w, y, false, false, 1, 0));
        if (cx->planning)
            return PROTEA_OK;
        assign(s);
        double now = energy(s);
        if (i > 1 && fabs(now - old) <= 1e-8 * fabs(old))
            return PROTEA_OK;
        old = now;
    }
    return PROTEA_OK;
}

/* minus_u (N,C): ln(softmax(logits) + 1e-10). */
static void log_probabilities(protea_tensor *minus_u, const protea_tensor *logits, double *row)
{
    int64_t c = logits->dim[1];
    for (int64_t n = 0; n < logits->dim[0]; n++) {
        protea_log_softmax_row(row, protea_f32(logits) + n * c, c);
        for (int64_t i = 0; i < c; i++)
            protea_f32(minus_u)[n * c + i] = (float)log(exp(row[i]) + 1e-10);
    }
}

static protea_status smooth(protea_ctx *cx, const lame *self, const protea_tensor *z, const protea_tensor *linear,
                            protea_tensor *logits)
{
    size_t mark = protea_arena_mark(cx->scratch);
    int64_t n = linear->dim[0], c = linear->dim[1];
    protea_tensor w, y, wy, minus_u;
    double *row;
    PROTEA_TRY(protea_tensor_rows(cx, &w, PROTEA_SCRATCH, n, n));
    PROTEA_TRY(protea_tensor_rows(cx, &y, PROTEA_SCRATCH, n, c));
    PROTEA_TRY(protea_tensor_rows(cx, &wy, PROTEA_SCRATCH, n, c));
    PROTEA_TRY(protea_tensor_rows(cx, &minus_u, PROTEA_SCRATCH, n, c));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &row, (size_t)c * sizeof *row));
    PROTEA_TRY(make_affinity(cx, self, &w, z));
    PROTEA_TRY(protea_fill(cx, &wy, 0));
    sweep s = { n, c, protea_f32(&minus_u), protea_f32(&wy), protea_f32(&y), protea_f32(logits), row, self->lambda };
    if (!cx->planning) {
        log_probabilities(&minus_u, linear, row);
        assign(&s);
    }
    PROTEA_TRY(settle(cx, &s, &w, &y, &wy));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

static protea_status adapt(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    const lame *self = adapter;
    protea_tensor z, linear;
    (void)out;
    PROTEA_TRY(protea_network_forward(cx, self->base, &(protea_pass){ 0 }, x, &z, &linear));
    PROTEA_TRY(protea_tensor_like(cx, logits, PROTEA_KEPT, &linear));
    if (!cx->planning && !(protea_all_finite(&z) && protea_all_finite(&linear)))
        return protea_copy(cx, logits, &linear);
    return smooth(cx, self, &z, &linear, logits);
}

const protea_adapter_ops protea_adapter_lame_ops = {
    .name = "lame", .summary = "each batch's predictions made smooth over its neighbours", .paper = "arXiv:2201.05718",
    .size = sizeof(lame), .opts = OPTIONS, .init = init, .adapt = adapt,
};
