/* A query's candidates while neighbours are searched for. */
#ifndef PROTEA_CLUSTER_NEAR_LIST_H
#define PROTEA_CLUSTER_NEAR_LIST_H

#include <stdint.h>

/* Numbers of rows with a value each, of which less is nearer: the first n_exact are exact, the others scores of a first pass. */
typedef struct protea_near_list {
    float *value;       /* (room) */
    int32_t *row;       /* (room) */
    int64_t n, n_exact;
} protea_near_list;

/* A value that at least k of the list's are not above, and that is not much above the k-th; 1 <= k <= n. The middle of a
 * bisection that ends when at most k / 32 more are below it. */
float protea_near_about(const protea_near_list *list, int64_t k);
/* Leaves out what is above most, in place; what stays keeps its order. */
void protea_near_keep(protea_near_list *list, float most);
/* Keeps the k nearest, and of equals those with the smaller row, in no order but the farthest last; scratch (n). k >= 1. */
void protea_near_select(protea_near_list *list, int64_t k, uint64_t *scratch);
/* Sorts the nearest to the front, of equals the smaller row; scratch (2 n). */
void protea_near_sort(protea_near_list *list, uint64_t *scratch);

#endif
