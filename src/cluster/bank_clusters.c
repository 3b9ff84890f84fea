#include "cluster/bank_clusters.h"

#include "cluster/kmeans.h"
#include "comm/comm.h"

/* One crop of all ranks' banks, in rank order, and what becomes of its rows. */
typedef struct gathered {
    int64_t n, dim;
    float *rows;      /* (n,dim) */
    int32_t *index;   /* (n) */
    int32_t *assign;  /* (n) */
} gathered;

static void gathered_release(gathered *g)
{
    protea_free(g->rows);
    protea_free(g->index);
    protea_free(g->assign);
}

/* Numbers of images travel as the bits of floats: a gather only copies. */
static protea_status gather(protea_ctx *cx, gathered *g, const protea_memory_bank *bank, int64_t crop)
{
    protea_tensor rows = protea_memory_bank_crop(bank, crop);
    g->n = rows.dim[0] * cx->comm->size;
    g->dim = rows.dim[1];
    PROTEA_TRY(protea_new(&g->rows, (size_t)(g->n * g->dim), sizeof *g->rows, "rows of the memory bank"));
    PROTEA_TRY(protea_new(&g->index, (size_t)g->n, sizeof *g->index, "rows of the memory bank"));
    PROTEA_TRY(protea_new(&g->assign, (size_t)g->n, sizeof *g->assign, "rows of the memory bank"));
    PROTEA_TRY(cx->comm->gather_f32(cx->comm, g->rows, protea_f32(&rows), (size_t)protea_count(&rows)));
    return cx->comm->gather_f32(cx->comm, (float *)g->index, bank->index.data, (size_t)rows.dim[0]);
}

static protea_status label_images(int32_t *labels, int64_t n_images, const gathered *g)
{
    for (int64_t i = 0; i < n_images; i++)
        labels[i] = PROTEA_NO_CLUSTER;
    for (int64_t row = 0; row < g->n; row++) {
        if (g->index[row] < 0 || g->index[row] >= n_images)
            return protea_fail(PROTEA_ERR_INTERNAL, "memory bank: image %d of %lld", (int)g->index[row], (long long)n_images);
        labels[g->index[row]] = g->assign[row];
    }
    return PROTEA_OK;
}

/* Every rank fits the same rows from the same start, which gives the same bits. first: where k-means starts, or NULL. */
static protea_status fit(protea_ctx *cx, protea_tensor *centroids, gathered *g, int64_t niter, uint64_t seed, const float *first)
{
    protea_kmeans_opts o = protea_kmeans_defaults();
    protea_kmeans_out out = { .centroids = protea_f32(centroids), .assign = g->assign };
    o.k = centroids->dim[0];
    o.niter = niter;
    o.seed = seed;
    o.spherical = 1;
    o.empty = PROTEA_KMEANS_KEEP;
    o.max_points_per_centroid = o.min_points_per_centroid = 0;
    o.centroids = first;
    return protea_kmeans_fit(cx, &out, g->rows, g->n, g->dim, &o);
}

/* From the centroids as they are, set to length 1: what spherical k-means leaves has that already, but for rounding. */
static protea_status fit_on(protea_ctx *cx, protea_tensor *centroids, gathered *g, int64_t niter, uint64_t seed)
{
    float *first, *norm; /* (K,D), (K) */
    int64_t k = centroids->dim[0], dim = centroids->dim[1];
    PROTEA_TRY(protea_new(&first, (size_t)(k * (dim + 1)), sizeof *first, "centroids"));
    norm = first + k * dim;
    cx->be->k.l2norm(cx->be, first, norm, protea_f32(centroids), k, dim);
    protea_status status = fit(cx, centroids, g, niter, seed, first);
    protea_free(first);
    return status;
}

protea_status protea_bank_cluster(protea_ctx *cx, protea_tensor *centroids, int32_t *labels, int64_t n_images,
                                  const protea_memory_bank *bank, int64_t crop, int64_t niter, uint64_t seed, bool start)
{
    gathered g = { 0 };
    protea_status status = gather(cx, &g, bank, crop);
    if (status == PROTEA_OK)
        status = start ? fit_on(cx, centroids, &g, niter, seed) : fit(cx, centroids, &g, niter, seed, NULL);
    if (status == PROTEA_OK)
        status = label_images(labels, n_images, &g);
    gathered_release(&g);
    return status;
}
