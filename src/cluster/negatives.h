/* Prototypes that a batch is told from: drawn from the clusters that none of its images is in. */
#ifndef PROTEA_CLUSTER_NEGATIVES_H
#define PROTEA_CLUSTER_NEGATIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"

/* negative (most)  clusters from 0..n_clusters-1 without those in positive (n): distinct and in random order, or each drawn anew
 *                  where `replace`.
 * room (n_clusters) of the caller's.
 * Returns how many there are: most, or all the other clusters where there are fewer (with replace: none where there is none).
 * Source: Li et al. 2021, arXiv:2005.04966, and its authors' code; replace: as ProPos (Huang et al. 2022). */
int64_t protea_draw_negatives(int32_t *negative, int64_t most, const int32_t *positive, int64_t n, int64_t n_clusters,
                              bool replace, int32_t *room, protea_rng *rng);

#endif
