/* The supports nearest to each feature, and what is made of them. Similarity is the product of normalised rows: a cosine with
 * PROTEA_NORM_L2; with PROTEA_NORM_L1 the reference code's, for which a row need not be its own nearest (docs/math/tsd.md). */
#ifndef PROTEA_ADAPT_NEIGHBOURS_H
#define PROTEA_ADAPT_NEIGHBOURS_H

#include "adapt/support_bank.h"
#include "loss/row_norm.h"

/* The k best so far of each of n features, best first; of equal similarities the lower index. */
typedef struct protea_neighbours {
    int64_t n, k, found;            /* found: min(k, supports searched) are set */
    float *similarity;              /* (n,k) in the kept arena */
    int64_t *index;                 /* (n,k) */
} protea_neighbours;

/* k >= 1. */
protea_status protea_neighbours_start(protea_ctx *cx, protea_neighbours *nb, int64_t n, int64_t k);
/* Searches a whole bank; index is the row in the bank's tensors. z (n,D) is normalised already; the bank's rows are brought to
 * length 1, as the reference does, before they are normalised as `kind` says. On paper at its largest. */
protea_status protea_neighbours_search_bank(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *z,
                                            const protea_bank *bank, protea_row_norm_kind kind);
/* Copies the neighbours' scores (M,C) to out (n*k,C), in the kept arena, before the bank changes; index then counts the rows of
 * out. */
protea_status protea_neighbours_gather(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *scores, protea_tensor *out);

/* ---- helper functions of TSD's reference code, under its names (arXiv:2303.10902) */

/* labels[n] = argmax of the mean score (M,C) of feature n's k nearest supports (L1, as the reference); k is cut to M. */
protea_status protea_topk_labels(protea_ctx *cx, int64_t *labels, const protea_tensor *feature, const protea_tensor *supports,
                                 const protea_tensor *scores, int64_t k);

/* w (N,N): w_ij = 1 where x_j is one of the knn rows nearest to x_i by Euclidean distance of L1-normalised rows, itself left
 * out, else 0. Ours leaves a row's own number out; the reference drops the nearest found, among doubles perhaps another. */
protea_status protea_knn_affinity(protea_ctx *cx, protea_tensor *w, const protea_tensor *x, int64_t knn);

/* The same from distances d (N,N) that are there already. */
protea_status protea_knn_graph(protea_ctx *cx, protea_tensor *w, const protea_tensor *d, int64_t knn);

typedef enum protea_distance { PROTEA_COSINE, PROTEA_EUCLIDEAN } protea_distance;
/* d (N,M): 1 - cosine (1 for a row of zeros), or |x - y|. */
protea_status protea_get_distances(protea_ctx *cx, protea_tensor *d, const protea_tensor *x, const protea_tensor *y,
                                   protea_distance kind);

/* probs (N,C) = mean of bank_probs (M,C) over the k rows of the bank (M,D) nearest by cosine, labels[n] its largest; k is cut
 * to M. As in AdaContrast (arXiv:2204.10377), with k 4 in TSD's code and 10 in theirs. */
protea_status protea_soft_k_nearest_neighbors(protea_ctx *cx, int64_t *labels, protea_tensor *probs,
                                              const protea_tensor *features, const protea_tensor *bank,
                                              const protea_tensor *bank_probs, int64_t k);

#endif
