/* Spherical k-means of a memory bank, from rows of the bank to pseudo-labels of images.
 * Source: Caron et al. 2020, arXiv:2006.09882, app. (DeepCluster-v2), and its authors' code. */
#ifndef PROTEA_CLUSTER_BANK_CLUSTERS_H
#define PROTEA_CLUSTER_BANK_CLUSTERS_H

#include "cluster/memory_bank.h"

enum { PROTEA_NO_CLUSTER = -1 };

/* Clusters the rows of one crop over all ranks and says which cluster each image is in.
 *
 * centroids (K,D)  in: the start, where `start` is true; out: of length 1.
 * labels (n_images) cluster of each image, PROTEA_NO_CLUSTER where the bank holds no row of it. Where it holds several, the last
 *                  counts.
 * niter            iterations of Lloyd's algorithm; an empty cluster keeps its centroid, so that one never appears twice.
 * start            false: K distinct rows, drawn by seed.
 * Collective; memory from the heap. Errors: PROTEA_ERR_INPUT (fewer rows than K), PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL. */
protea_status protea_bank_cluster(protea_ctx *cx, protea_tensor *centroids, int32_t *labels, int64_t n_images,
                                  const protea_memory_bank *bank, int64_t crop, int64_t niter, uint64_t seed, bool start);

#endif
