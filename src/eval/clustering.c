#include "eval/clustering.h"

#include <math.h>
#include <string.h>

#include "cluster/sinkhorn.h"

enum { BLOCK = 2048 }; /* images whose cosines are held at once */

protea_status protea_clustering_new(protea_clustering *c, const float *z, int64_t n, int64_t dim, int64_t k)
{
    *c = (protea_clustering){ .n = n, .k = k, .dim = dim, .z = z, .temperature = 0.1 };
    PROTEA_TRY(protea_new(&c->centroids, (size_t)k, (size_t)dim * sizeof(float), "centroids"));
    PROTEA_TRY(protea_new(&c->cluster, (size_t)n, sizeof *c->cluster, "clusters"));
    PROTEA_TRY(protea_new(&c->similarity, (size_t)n, sizeof *c->similarity, "clusters"));
    PROTEA_TRY(protea_new(&c->margin, (size_t)n, sizeof *c->margin, "clusters"));
    PROTEA_TRY(protea_new(&c->confidence, (size_t)n, sizeof *c->confidence, "clusters"));
    return protea_new(&c->size, (size_t)k, sizeof *c->size, "cluster sizes");
}

void protea_clustering_release(protea_clustering *c)
{
    protea_free(c->centroids);
    protea_free(c->cluster);
    protea_free(c->similarity);
    protea_free(c->margin);
    protea_free(c->confidence);
    protea_free(c->size);
    *c = (protea_clustering){ 0 };
}

protea_status protea_unit_rows(protea_ctx *cx, float *z, int64_t n, int64_t dim)
{
    float *norm; /* (n) */
    PROTEA_TRY(protea_new(&norm, (size_t)n, sizeof *norm, "lengths of features"));
    cx->be->k.l2norm(cx->be, z, norm, z, n, dim);
    protea_free(norm);
    return PROTEA_OK;
}

/* ---- what is said of an image */

/* The cluster of each image is known where `known` is set, with its confidence; else it is the nearest. */
static void describe_row(protea_clustering *c, int64_t i, const float *cosine, bool known)
{
    int64_t best = 0;
    float other = -1;
    double sum = 0;
    for (int64_t j = 1; j < c->k; j++)
        best = cosine[j] > cosine[best] ? j : best;
    int64_t own = known ? c->cluster[i] : best;
    for (int64_t j = 0; j < c->k; j++) {
        sum += exp((double)(cosine[j] - cosine[best]) / c->temperature);
        if (j != own && cosine[j] > other)
            other = cosine[j];
    }
    c->cluster[i] = (int32_t)own;
    c->similarity[i] = cosine[own];
    c->margin[i] = cosine[own] - other;
    if (!known)
        c->confidence[i] = (float)(1 / sum);
}

static protea_status cosines(protea_ctx *cx, const protea_clustering *c, float *out, int64_t first, int64_t count)
{
    return cx->be->k.gemm(cx->be, out, c->z + first * c->dim, c->centroids, false, true, count, c->k, c->dim, 1, 0, c->dim, c->dim,
                          c->k);
}

static void count_sizes(protea_clustering *c)
{
    memset(c->size, 0, (size_t)c->k * sizeof *c->size);
    for (int64_t i = 0; i < c->n; i++)
        c->size[c->cluster[i]]++;
    c->used = 0;
    for (int64_t j = 0; j < c->k; j++)
        c->used += c->size[j] > 0;
}

static protea_status describe(protea_ctx *cx, protea_clustering *c, bool known)
{
    float *cosine; /* (BLOCK,k) */
    protea_status status = PROTEA_OK;
    PROTEA_TRY(protea_new(&cosine, BLOCK, (size_t)c->k * sizeof *cosine, "cosines"));
    for (int64_t first = 0; status == PROTEA_OK && first < c->n; first += BLOCK) {
        int64_t count = c->n - first < BLOCK ? c->n - first : BLOCK;
        status = cosines(cx, c, cosine, first, count);
        if (status != PROTEA_OK)
            break;
#pragma omp parallel for schedule(static)
        for (int64_t i = 0; i < count; i++)
            describe_row(c, first + i, cosine + i * c->k, known);
    }
    protea_free(cosine);
    if (status == PROTEA_OK)
        count_sizes(c);
    return status;
}

protea_status protea_clustering_assign(protea_ctx *cx, protea_clustering *c)
{
    return describe(cx, c, false);
}

/* ---- codes */

typedef struct balance { protea_clustering *c; double eps; int64_t iters; } balance;

static protea_status run_sinkhorn(protea_ctx *cx, void *self)
{
    const balance *b = self;
    protea_clustering *c = b->c;
    protea_tensor scores, codes;
    PROTEA_TRY(protea_tensor_rows(cx, &scores, PROTEA_KEPT, c->n, c->k));
    PROTEA_TRY(protea_tensor_rows(cx, &codes, PROTEA_KEPT, c->n, c->k));
    if (!cx->planning)
        PROTEA_TRY(cosines(cx, c, protea_f32(&scores), 0, c->n));
    PROTEA_TRY(protea_sinkhorn(cx, &codes, &scores, b->eps, b->iters));
    for (int64_t i = 0; i < c->n && !cx->planning; i++) {
        const float *q = protea_f32(&codes) + i * c->k;
        int64_t best = 0;
        for (int64_t j = 1; j < c->k; j++)
            best = q[j] > q[best] ? j : best;
        c->cluster[i] = (int32_t)best;
        c->confidence[i] = q[best];
    }
    return PROTEA_OK;
}

protea_status protea_clustering_balance(protea_ctx *cx, protea_clustering *c, double eps, int64_t iters)
{
    protea_ctx own = *cx;
    own.kept = own.scratch = NULL;
    balance b = { c, eps, iters };
    protea_status status = protea_plan_arenas(&own, run_sinkhorn, &b, NULL, NULL);
    if (status == PROTEA_OK)
        status = run_sinkhorn(&own, &b);
    protea_arena_free(own.kept);
    protea_arena_free(own.scratch);
    return status == PROTEA_OK ? describe(cx, c, true) : status;
}

/* ---- merging */

static double cosine_of(const protea_clustering *c, int64_t a, int64_t b)
{
    const float *x = c->centroids + a * c->dim, *y = c->centroids + b * c->dim;
    double sum = 0;
    for (int64_t d = 0; d < c->dim; d++)
        sum += (double)x[d] * y[d];
    return sum;
}

/* group (k): the first of the centroids that each is joined with. */
static void join(const protea_clustering *c, double similarity, int64_t *group)
{
    for (int64_t j = 0; j < c->k; j++)
        group[j] = j;
    for (int64_t a = 0; a < c->k; a++)
        for (int64_t b = a + 1; b < c->k; b++) {
            int64_t low = group[a] < group[b] ? group[a] : group[b], high = group[a] + group[b] - low;
            if (low == high || cosine_of(c, a, b) < similarity)
                continue;
            for (int64_t j = 0; j < c->k; j++)
                group[j] = group[j] == high ? low : group[j];
        }
}

/* Centroid `to` becomes the direction of the sum of those in the group. */
static void take_mean(protea_clustering *c, const int64_t *group, int64_t first, int64_t to)
{
    float *mean = c->centroids + to * c->dim;
    double square = 0;
    for (int64_t d = 0; d < c->dim; d++) {
        double sum = 0;
        for (int64_t j = first; j < c->k; j++)
            sum += group[j] == first ? (double)c->centroids[j * c->dim + d] : 0;
        mean[d] = (float)sum;
        square += sum * sum;
    }
    for (int64_t d = 0; d < c->dim && square > 0; d++)
        mean[d] = (float)(mean[d] / sqrt(square));
}

protea_status protea_clustering_merge(protea_clustering *c, double similarity, int64_t *merged)
{
    int64_t *group, kept = 0; /* group (k) */
    PROTEA_TRY(protea_new(&group, (size_t)c->k, sizeof *group, "groups of centroids"));
    join(c, similarity, group);
    for (int64_t j = 0; j < c->k; j++)
        if (group[j] == j)
            take_mean(c, group, j, kept++);
    *merged = c->k - kept;
    c->k = kept;
    protea_free(group);
    return PROTEA_OK;
}
