/* Weighted k-nearest-neighbour classifier (Wu et al. 2018, arXiv:1805.01978): the k nearest rows of the gallery vote for their
 * class, with weight exp(similarity / temperature) by cosine, and 1 / (distance + 1e-5), as solo-learn has it, by Euclidean
 * distance, which knows no temperature. Exact, blocked, in bounded memory (cluster/nearest_rows.h). */
#ifndef PROTEA_EVAL_KNN_H
#define PROTEA_EVAL_KNN_H

#include "cluster/nearest_rows.h"

/* All pairs of k and temperature are scored in one pass. */
typedef struct protea_knn_opts {
    protea_row_metric metric;
    const int64_t *k;              /* (n_k) each at least 1 */
    int n_k;
    const double *temperature;     /* (n_temperatures) above 0; by Euclidean distance none */
    int n_temperatures;
    size_t query_bytes;            /* as of protea_row_search_opts */
} protea_knn_opts;

typedef struct protea_knn_score {
    double top1, top5;       /* in 0..1 */
    int64_t n_train, n_test; /* rows that took part */
    int64_t k;               /* as used: cut to n_train */
    double temperature;      /* 0 by Euclidean distance */
} protea_knn_score;

/* How many scores opts asks for: n_k times n_temperatures, or n_k by Euclidean distance. */
int protea_knn_count(const protea_knn_opts *opts);

/* A labelled matrix. */
typedef struct protea_labelled {
    const float *z;          /* (n,d): rows, need not be normalised */
    const int32_t *label;    /* (n) in -1..n_classes-1; rows with -1 are left out */
    int64_t n;
} protea_labelled;

/* score (protea_knn_count): for each k all temperatures. k is cut to n. Ties: smaller row first, smaller class first; a class
 * without votes is never an answer. Errors: PROTEA_ERR_USAGE (k, temperature), PROTEA_ERR_INPUT (no labelled rows, a value
 * that is not finite). */
protea_status protea_knn(protea_ctx *cx, protea_knn_score *score, const protea_labelled *train, const protea_labelled *test,
                         int64_t d, int n_classes, const protea_knn_opts *opts);

#endif
