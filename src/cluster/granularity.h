/* One granularity of PCL: a data set in K clusters, their prototypes and how concentrated each is.
 * Source: Li et al. 2021, arXiv:2005.04966, sec. 3.2 and 3.3. Letters: n images, K clusters, D width. */
#ifndef PROTEA_CLUSTER_GRANULARITY_H
#define PROTEA_CLUSTER_GRANULARITY_H

#include "cluster/cluster_sizes.h"
#include "nn/module.h"

typedef struct protea_granularity {
    protea_tensor prototypes;     /* (K,D), of length 1 once fitted */
    protea_tensor concentration;  /* (K) phi */
    protea_tensor labels;         /* (n) i32: cluster of each image */
    int64_t candidates;           /* clusters that negatives are drawn from; 0: not known yet */
} protea_granularity;

protea_status protea_granularity_new(protea_granularity *g, int64_t k, int64_t dim, int64_t n_images);
void protea_granularity_release(protea_granularity *g); /* accepts a zeroed one */

typedef struct protea_granularity_opts {
    int64_t niter, nredo, max_points; /* of k-means */
    uint64_t seed;
    double temperature;               /* mean of the concentrations */
} protea_granularity_opts;

/* What a clustering is like. */
typedef struct protea_granularity_stats {
    protea_cluster_sizes sizes;
    double phi_min, phi_max;
    double agreement;             /* with the clustering before it, see agreement.h */
} protea_granularity_stats;

/* Clusters z (n,D), rows of length 1, by Euclidean k-means; concentrations are those of its centroids, which are then set to length
 * 1. Memory from the heap. Errors: those of protea_kmeans. */
protea_status protea_granularity_fit(protea_ctx *cx, protea_granularity *g, const float *z, const protea_granularity_opts *opts,
                                     protea_granularity_stats *stats);

/* Clusters 0 to the last that has an image: where negatives come from, as in the authors' code. */
int64_t protea_granularity_candidates(protea_granularity *g);

/* Saved as "prototypes.M", "concentration.M" and "im2cluster.M". */
protea_status protea_granularity_visit(protea_granularity *g, int m, const protea_visitor *v);

#endif
