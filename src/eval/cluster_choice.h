/* How many clusters? Several K are tried, and the one whose clusters stand apart the most is taken. */
#ifndef PROTEA_EVAL_CLUSTER_CHOICE_H
#define PROTEA_EVAL_CLUSTER_CHOICE_H

#include "eval/clustering.h"

enum { PROTEA_LADDER_MAX = 32 };

/* Ks to try for n images: 2, 3, 4 ... growing by a quarter, to 150 or a fifth of the images. Returns how many; 0 for n < 10. */
int protea_cluster_ladder(int64_t k[static PROTEA_LADDER_MAX], int64_t n);

/* Spherical k-means into the centroids of c (from rows far from one another, the best of nredo runs), then assignment.
 * Errors: those of protea_kmeans. */
protea_status protea_clustering_fit(protea_ctx *cx, protea_clustering *c, int64_t niter, int64_t nredo, uint64_t seed);

/* The criterion, on at most PROTEA_SILHOUETTE_ROWS images spread evenly over the set. Source: Rousseeuw 1987, "Silhouettes", with
 * cosine distance; as scikit-learn's silhouette_score(metric="cosine"). */
enum { PROTEA_SILHOUETTE_ROWS = 2000 };
typedef struct protea_silhouette {
    int64_t n, total;  /* images of the sample, of the set */
    float *distance;   /* (n,n) owned */
} protea_silhouette;
/* z (total,dim) rows of length 1. Release in any case. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_silhouette_new(protea_ctx *cx, protea_silhouette *s, const float *z, int64_t total, int64_t dim);
void protea_silhouette_release(protea_silhouette *s);
/* *mean: over the sample of (b - a) / max(a, b), a: mean distance to the others of the image's own cluster, b: to those of the
 * nearest other one; 0 for an image that is alone. cluster (total), each in [0,k). 0 where there is one cluster.
 * Errors: PROTEA_ERR_MEMORY. */
protea_status protea_silhouette_of(double *mean, const protea_silhouette *s, const int32_t *cluster, int64_t k);

#endif
