#include "eval/cluster_choice.h"

#include <math.h>
#include <string.h>

#include "cluster/kmeans.h"

enum { MOST_CLUSTERS = 150, FEWEST_IMAGES = 5 }; /* images per cluster */

int protea_cluster_ladder(int64_t k[static PROTEA_LADDER_MAX], int64_t n)
{
    int count = 0;
    for (int64_t next = 2; next <= MOST_CLUSTERS && next * FEWEST_IMAGES <= n && count < PROTEA_LADDER_MAX; next += 1 + next / 6)
        k[count++] = next;
    return count;
}

protea_status protea_clustering_fit(protea_ctx *cx, protea_clustering *c, int64_t niter, int64_t nredo, uint64_t seed)
{
    protea_kmeans_opts opts = protea_kmeans_defaults();
    protea_kmeans_out out = { .centroids = c->centroids };
    opts.k = c->k;
    opts.niter = niter;
    opts.nredo = nredo;
    opts.seed = seed;
    opts.init = PROTEA_KMEANS_PLUS_PLUS;
    opts.spherical = 1;
    opts.min_points_per_centroid = 0; /* small clusters are what some look for */
    PROTEA_TRY(protea_kmeans_fit(cx, &out, c->z, c->n, c->dim, &opts));
    return protea_clustering_assign(cx, c);
}

/* ---- the silhouette */

static int64_t image_of(const protea_silhouette *s, int64_t row)
{
    return row * s->total / s->n;
}

static protea_status fill_distances(protea_ctx *cx, protea_silhouette *s, const float *z, int64_t dim)
{
    float *sample; /* (n,dim) */
    PROTEA_TRY(protea_new(&sample, (size_t)s->n, (size_t)dim * sizeof *sample, "a sample of features"));
    for (int64_t i = 0; i < s->n; i++)
        memcpy(sample + i * dim, z + image_of(s, i) * dim, (size_t)dim * sizeof *sample);
    protea_status status = cx->be->k.gemm(cx->be, s->distance, sample, sample, false, true, s->n, s->n, dim, 1, 0, dim, dim, s->n);
    protea_free(sample);
    for (int64_t i = 0; i < s->n * s->n; i++)
        s->distance[i] = 1 - s->distance[i];
    return status;
}

protea_status protea_silhouette_new(protea_ctx *cx, protea_silhouette *s, const float *z, int64_t total, int64_t dim)
{
    *s = (protea_silhouette){ .n = total < PROTEA_SILHOUETTE_ROWS ? total : PROTEA_SILHOUETTE_ROWS, .total = total };
    PROTEA_TRY(protea_new(&s->distance, (size_t)s->n, (size_t)s->n * sizeof *s->distance, "distances of images"));
    return fill_distances(cx, s, z, dim);
}

void protea_silhouette_release(protea_silhouette *s)
{
    protea_free(s->distance);
    *s = (protea_silhouette){ 0 };
}

typedef struct cluster_sums { double *sum; int64_t *count; int64_t k; } cluster_sums; /* (k) each */

/* sum: of the row's distances to the images of each cluster. */
static double silhouette_of_row(const protea_silhouette *s, const int32_t *cluster, cluster_sums *sums, int64_t row)
{
    int32_t own = cluster[image_of(s, row)];
    double nearest = INFINITY;
    memset(sums->sum, 0, (size_t)sums->k * sizeof *sums->sum);
    for (int64_t i = 0; i < s->n; i++)
        if (i != row)
            sums->sum[cluster[image_of(s, i)]] += (double)s->distance[row * s->n + i];
    for (int64_t j = 0; j < sums->k; j++)
        if (j != own && sums->count[j] > 0)
            nearest = fmin(nearest, sums->sum[j] / (double)sums->count[j]);
    if (sums->count[own] < 2 || isinf(nearest))
        return 0;
    double within = sums->sum[own] / (double)(sums->count[own] - 1), larger = fmax(within, nearest);
    return larger > 0 ? (nearest - within) / larger : 0;
}

protea_status protea_silhouette_of(double *mean, const protea_silhouette *s, const int32_t *cluster, int64_t k)
{
    cluster_sums sums = { .k = k };
    *mean = 0;
    protea_status status = protea_new(&sums.sum, (size_t)k, sizeof *sums.sum, "silhouettes");
    if (status == PROTEA_OK)
        status = protea_new(&sums.count, (size_t)k, sizeof *sums.count, "silhouettes");
    for (int64_t i = 0; status == PROTEA_OK && i < s->n; i++)
        sums.count[cluster[image_of(s, i)]]++;
    for (int64_t i = 0; status == PROTEA_OK && i < s->n; i++)
        *mean += silhouette_of_row(s, cluster, &sums, i) / (double)s->n;
    protea_free(sums.sum);
    protea_free(sums.count);
    return status;
}
