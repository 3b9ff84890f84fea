/* Concentration of clusters: the temperature of each prototype in ProtoNCE.
 * Source: Li et al. 2021, arXiv:2005.04966, eq. 12, and the percentile clip of the reference code. */
#ifndef PROTEA_CLUSTER_CONCENTRATION_H
#define PROTEA_CLUSTER_CONCENTRATION_H

#include <stdint.h>

#include "base/status.h"

/* phi (K): for clusters of Z > 1 rows
 *
 *   phi_k = mean over its rows of sqrt(distance) / ln(Z + 10)
 *
 * The others (one row, none, or all the same) take the largest of these; then all are clipped to the 10th and 90th percentile
 * (linear interpolation, over all K) and scaled so that their mean is `temperature`. Large phi: a loose cluster.
 *
 * assign (n)     cluster of each row, in [0, K).
 * distances (n)  squared distance to its centroid, as k-means gives it.
 * Where no cluster has rows that differ, every phi is `temperature`. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_concentration(double *phi, const int32_t *assign, const float *distances, int64_t n, int64_t k,
                                   double temperature);

#endif
