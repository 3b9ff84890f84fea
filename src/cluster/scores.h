/* How well clusters agree with classes. All four are 1 for clusters that are the classes under other names, and do not change
 * when clusters or classes are numbered otherwise. */
#ifndef PROTEA_CLUSTER_SCORES_H
#define PROTEA_CLUSTER_SCORES_H

#include <stdint.h>

#include "base/status.h"

typedef struct protea_cluster_scores {
    double nmi;       /* mutual information over the mean of the entropies */
    double ami;       /* the same, less what chance gives (Vinh et al. 2010): 0 for random clusters */
    double ari;       /* Rand index, less what chance gives (Hubert & Arabie 1985) */
    double accuracy;  /* of the best one-to-one map from clusters to classes (Kuhn 1955) */
} protea_cluster_scores;

/* cluster (n) in [0,k), label (n) in [0,c); rows where either is negative are left out. The definitions, means and special cases
 * are scikit-learn's (normalized_mutual_info_score, adjusted_mutual_info_score, adjusted_rand_score). With more clusters
 * than classes, the rows of those that no class is left for count as wrong. All zero when no row is left.
 * Time of the accuracy ~ min(k,c)^2 max(k,c); of ami ~ k c (rows of a class). Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_scores_of(protea_cluster_scores *out, const int32_t *cluster, const int32_t *label, int64_t n,
                                       int64_t k, int64_t c);

/* The largest sum of table (rows,columns) >= 0 over one-to-one pairs of rows and columns. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_best_matching(double *sum, const int64_t *table, int64_t rows, int64_t columns);

#endif
