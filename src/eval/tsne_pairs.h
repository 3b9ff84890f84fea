/* The pairs of neighbours that a t-SNE map is to keep together, and how much each weighs.
 *
 *     p(j|i) ~ exp(-b_i |z_i - z_j|^2) over the k nearest j of i, with b_i such that 2^entropy of row i is the perplexity
 *     p_ij = (p(j|i) + p(i|j)) / 2n
 *
 * Source: van der Maaten & Hinton 2008, JMLR 9:2579, eq. 1; van der Maaten 2014, JMLR 15:3221, §4.1. */
#ifndef PROTEA_EVAL_TSNE_PAIRS_H
#define PROTEA_EVAL_TSNE_PAIRS_H

#include "tensor/context.h"

typedef struct protea_tsne_pairs {
    int64_t n;
    int64_t *first; /* (n + 1) pairs of row i stand at first[i] to first[i + 1], */
    int32_t *to;    /* sorted by the other row; filled up to whole groups of PROTEA_MAP_GROUP with i itself */
    float *p;       /* and p 0; p_ij and p_ji are the same bits */
} protea_tsne_pairs;

/* After each block of rows; not 0 stops. */
typedef int (*protea_tsne_rows_fn)(void *cookie, int64_t done, int64_t total);

/* Neighbours that a row of n has at a perplexity of at most (n - 1) / 3; n >= 2. */
int64_t protea_tsne_neighbours(double perplexity, int64_t n);

/* weight (k): p(j|i) of one row, from the squared distances (k, overwritten) to its neighbours; their sum is 1. Where so many are
 * the nearest that no entropy is as small as asked for, those share it. Returns the perplexity. */
double protea_tsne_weights(double *weight, double *square, int64_t k, double perplexity);

/* Of rows z (n,dim), n >= 2, by Euclidean distance. *pairs: to be released, also on failure. name: of the rows in messages.
 * Errors: as protea_row_search_new; PROTEA_STOPPED. */
protea_status protea_tsne_pairs_find(protea_ctx *cx, protea_tsne_pairs *pairs, const float *z, int64_t n, int64_t dim,
                                     double perplexity, const char *name, protea_tsne_rows_fn each, void *cookie);
void protea_tsne_pairs_release(protea_tsne_pairs *pairs); /* accepts a zeroed one */

#endif
