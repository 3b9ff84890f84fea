/* Weighted k-nearest-neighbour classifier (Wu et al. 2018; methods.md 8.3): cosine similarity, the k most similar rows of
 * the gallery vote for their class with weight exp(similarity / temperature). Exact, blocked, in bounded memory. */
#ifndef PROTEA_EVAL_KNN_H
#define PROTEA_EVAL_KNN_H

#include "tensor/context.h"

typedef struct protea_knn_score {
    double top1, top5;       /* in 0..1 */
    int64_t n_train, n_test; /* rows that took part */
    int64_t k;               /* as used: cut to n_train */
} protea_knn_score;

/* train (n,d), test (m,d): rows, need not be normalised (they are copied in blocks). Labels in -1..n_classes-1; rows with
 * label -1 are left out. k is cut to n. Ties: smaller row first, smaller class first; a class without votes is never an
 * answer. Errors: PROTEA_ERR_USAGE (k, temperature), PROTEA_ERR_INPUT (no labelled rows, a value that is not finite). */
protea_status protea_knn(protea_ctx *cx, protea_knn_score *score, const float *train, const int32_t *train_label, int64_t n,
                         const float *test, const int32_t *test_label, int64_t m, int64_t d, int n_classes, int64_t k,
                         double temperature);
/* For reports: neighbour (m,k) row numbers of the k most similar rows, best first, -1 where there are fewer than k;
 * similarity (m,k), may be NULL; self (m): row of train that test row i is, left out of its
 * neighbours; NULL: none. */
protea_status protea_nearest_rows(protea_ctx *cx, int64_t *neighbour, float *similarity, const float *train, int64_t n,
                                  const float *test, const int64_t *self, int64_t m, int64_t d, int64_t k);

#endif
