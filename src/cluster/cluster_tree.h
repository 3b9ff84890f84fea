/* Clusterings of the same images at several K, as a tree: which coarser cluster each finer one comes out of. */
#ifndef PROTEA_CLUSTER_CLUSTER_TREE_H
#define PROTEA_CLUSTER_CLUSTER_TREE_H

#include <stdint.h>

#include "base/status.h"

enum { PROTEA_TREE_LEVELS = 32 };

/* One cluster. */
typedef struct protea_cluster_node {
    int64_t size;     /* its images */
    int32_t parent;   /* cluster of the level above that has most of them, the first of equals; -1: no level above, or no image */
    double share;     /* of its images, in the parent; 1 where it lies in it whole, 0 where there is no parent */
} protea_cluster_node;

/* One clustering. */
typedef struct protea_tree_level {
    int64_t k;
    protea_cluster_node *node; /* (k) owned */
} protea_tree_level;

typedef struct protea_cluster_tree {
    int n_levels;
    protea_tree_level level[PROTEA_TREE_LEVELS]; /* the first is the root's children: nodes without a parent */
} protea_cluster_tree;

/* Adds the next finer level below the last: cluster (n), each in [0,k); above (n): the clusters of the level before, NULL for
 * the first. Zeroed before the first call; release in any case. Memory: 16 n bytes while it runs.
 * Errors: PROTEA_ERR_INTERNAL (too many levels), PROTEA_ERR_MEMORY. */
protea_status protea_cluster_tree_add(protea_cluster_tree *tree, const int32_t *cluster, int64_t k, const int32_t *above,
                                      int64_t n);
void protea_cluster_tree_release(protea_cluster_tree *tree); /* accepts a zeroed one */

#endif
