/* How alike two clusterings of the same images are, at any number of clusters: what a clustering kept of the one before. */
#ifndef PROTEA_CLUSTER_AGREEMENT_H
#define PROTEA_CLUSTER_AGREEMENT_H

#include <stdint.h>

#include "base/status.h"

/* Normalised mutual information of a and b (n): 2 I(a,b) / (H(a) + H(b)), 1 where they are the same under other names, 0 where one
 * says nothing about the other or both have one cluster. Images where either is negative are left out. As protea_cluster_scores_of
 * has it, without its table: memory is that of n numbers. Source: Caron et al. 2018, arXiv:1807.05520, sec. 4.1 (NMI t / t-1).
 * Errors: PROTEA_ERR_MEMORY. */
protea_status protea_agreement(double *nmi, const int32_t *a, const int32_t *b, int64_t n);

#endif
