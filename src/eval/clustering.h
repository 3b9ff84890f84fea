/* Images in clusters: which one each is in, and how sure that is. Rows and centroids have length 1, so prototypes of a method and
 * centroids of spherical k-means are one and the same thing here: directions, and an image is in the nearest one's cluster. */
#ifndef PROTEA_EVAL_CLUSTERING_H
#define PROTEA_EVAL_CLUSTERING_H

#include "tensor/context.h"

typedef struct protea_clustering {
    int64_t n, k, dim;
    const float *z;       /* (n,dim) rows of length 1; borrowed */
    float *centroids;     /* (k,dim) rows of length 1; owned */
    int32_t *cluster;     /* (n) owned */
    float *similarity;    /* (n) cosine of the image and its cluster's centroid; owned */
    float *margin;        /* (n) by how much that is above the next centroid's (below it, where codes decided); owned */
    float *confidence;    /* (n) probability of the cluster: softmax of the cosines over the temperature, or the code's; owned */
    int64_t *size;        /* (k) owned */
    int64_t used;         /* clusters with an image */
    double temperature;   /* 0.1 unless the caller sets another */
} protea_clustering;

/* Room for k clusters of z; centroids are for the caller to fill. Release in any case. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_clustering_new(protea_clustering *c, const float *z, int64_t n, int64_t dim, int64_t k);
void protea_clustering_release(protea_clustering *c); /* accepts a zeroed one */

/* Rows of z (n,dim) to length 1, in place; a row of zeros stays one. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_unit_rows(protea_ctx *cx, float *z, int64_t n, int64_t dim);

/* Each image into the cluster of the nearest centroid, the first of equals. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_clustering_assign(protea_ctx *cx, protea_clustering *c);
/* By the largest entry of its code from Sinkhorn-Knopp over all images, which uses every cluster alike (cluster/sinkhorn.h).
 * Memory: 8 n k bytes. Errors: PROTEA_ERR_MEMORY, those of protea_sinkhorn. */
protea_status protea_clustering_balance(protea_ctx *cx, protea_clustering *c, double eps, int64_t iters);

/* Centroids whose cosine is `similarity` at least become one, their mean by direction, as do those that are joined by others. Fewer
 * clusters remain, in the order of their first; assign or balance again. *merged: how many went. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_clustering_merge(protea_clustering *c, double similarity, int64_t *merged);

#endif
