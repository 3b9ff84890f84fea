/* Weighted k-nearest-neighbour classifier (Wu et al. 2018; methods.md 8.3): cosine similarity, the k most similar rows of
 * the gallery vote for their class with weight exp(similarity / temperature). Exact, blocked, in bounded memory. */
#ifndef PROTEA_EVAL_KNN_H
#define PROTEA_EVAL_KNN_H

#include "tensor/context.h"

typedef struct protea_knn_score { double top1, top5; } protea_knn_score;

/* train (n,d), test (m,d): rows, need not be normalised (they are copied in blocks). Labels >= 0; rows with label -1 are
 * left out. k is cut to n. Ties: smaller row first, smaller class first. */
protea_status protea_knn(protea_ctx *cx, protea_knn_score *score, const float *train, const int32_t *train_label, int64_t n,
                         const float *test, const int32_t *test_label, int64_t m, int64_t d, int n_classes, int64_t k,
                         double temperature);
/* For reports: neighbour (m,k) row numbers of the k most similar rows, best first; skip_self: row i of test is row i of train. */
protea_status protea_nearest_rows(protea_ctx *cx, int64_t *neighbour, float *similarity, const float *train, int64_t n,
                                  const float *test, int64_t m, int64_t d, int64_t k, bool skip_self);

#endif
