/* Images that deserve a look: those far from everything in their cluster, and those that are there twice. */
#ifndef PROTEA_EVAL_CLUSTER_CHECKS_H
#define PROTEA_EVAL_CLUSTER_CHECKS_H

#include "eval/clustering.h"

/* outlier (n): set where the similarity is more than 1.5 interquartile ranges below the lower quartile of the image's cluster
 * (Tukey 1977, "Exploratory data analysis"); never in clusters of fewer than 8 images. *count: how many.
 * Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_outliers(uint8_t *outlier, int64_t *count, const protea_clustering *c);

typedef struct protea_near_pair {
    int64_t a, b;      /* rows, a < b */
    float similarity;  /* cosine */
} protea_near_pair;

/* Pairs of rows of z (n,dim), of length 1, whose cosine is `similarity` at least, among each row's PROTEA_NEAR_MOST nearest; the
 * most alike first. *pair: owned. Errors: PROTEA_ERR_MEMORY. */
enum { PROTEA_NEAR_MOST = 4 };
protea_status protea_near_duplicates(protea_ctx *cx, protea_near_pair **pair, int64_t *n_pairs, const float *z, int64_t n,
                                     int64_t dim, double similarity);

#endif
