/* k-means inside the library: as <protea/kmeans.h>, with a context. */
#ifndef PROTEA_CLUSTER_KMEANS_H
#define PROTEA_CLUSTER_KMEANS_H

#include <protea/kmeans.h>

#include "tensor/context.h"

/* As protea_kmeans. The rows are this process's: with several ranks, one fits all rows and broadcasts the centroids, or every
 * rank fits the same rows, which gives the same bits. Memory from the heap; not for use while planning. */
protea_status protea_kmeans_fit(protea_ctx *cx, protea_kmeans_out *out, const float *x, int64_t n, int64_t d,
                                const protea_kmeans_opts *opts);

/* Nearest of the given centroids (k,d) for each row of x (n,d); either of assign and distances may be NULL.
 * dtype: of the products (PROTEA_F32 or PROTEA_BF16); distances are computed in f32 in any case. *objective (may be NULL): sum of
 * the distances. Errors: PROTEA_ERR_INPUT (a row that is not finite), PROTEA_ERR_MEMORY. */
protea_status protea_kmeans_assign(protea_ctx *cx, int32_t *assign, float *distances, double *objective, const float *x,
                                   int64_t n, int64_t d, const float *centroids, int64_t k, protea_dtype dtype);

#endif
