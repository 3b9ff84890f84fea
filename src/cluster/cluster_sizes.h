/* How many rows the clusters have: what tells a useful clustering from a collapsed one. */
#ifndef PROTEA_CLUSTER_CLUSTER_SIZES_H
#define PROTEA_CLUSTER_CLUSTER_SIZES_H

#include <stdint.h>

#include "base/status.h"

typedef struct protea_cluster_sizes {
    int64_t used;       /* clusters with a row */
    int64_t singles;    /* of these, with one */
    double largest;     /* share of the rows that the largest has */
    double imbalance;   /* k * sum of squared sizes / n^2, as faiss has it: 1 when all are equal, k when one has all */
} protea_cluster_sizes;

/* assign (n): cluster of each row in [0, k), or negative: left out. Zeros when no row is in one. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_sizes_of(protea_cluster_sizes *out, const int32_t *assign, int64_t n, int64_t k);

#endif
