/* InfoNCE: each query is to be told from a queue of negatives as the partner of its own key. */
#ifndef PROTEA_LOSS_INFO_NCE_H
#define PROTEA_LOSS_INFO_NCE_H

#include "tensor/context.h"

/* What a step's logits look like, means over the queries. */
typedef struct protea_info_nce_result {
    double loss;
    double accuracy;           /* share of queries that are nearer to their key than to every negative */
    double positive, negative; /* cosine with the key; mean cosine with the negatives */
} protea_info_nce_result;

/* Loss and its gradient with respect to the queries; keys and negatives are constants.
 *
 *   L     = 1/N sum_n - log( exp(q_n.k_n / tau) / (exp(q_n.k_n / tau) + sum_j exp(q_n.c_j / tau)) )
 *   dL/dq_n = (1 - p_n) / (N tau) * ( sum_j s_nj c_j - k_n )
 *
 * where p_n is the probability of the key among all of them and s_n the softmax over the negatives alone: a query is
 * drawn from the mean of what it is mistaken for to its key, the more the less it knows it (docs/math/info_nce.md).
 *
 * result           not set when planning.
 * dq        (N,D)  may be q.
 * q, k      (N,D)  rows of length 1; row n of k is the key of query n.
 * negatives (L,D)  rows of length 1, L >= 1.
 * Source: He et al. 2020, arXiv:1911.05722, eq. 1. Scratch: cx->scratch. Errors: PROTEA_ERR_INTERNAL (shapes). */
protea_status protea_info_nce(protea_ctx *cx, protea_info_nce_result *result, protea_tensor *dq, const protea_tensor *q,
                              const protea_tensor *k, const protea_tensor *negatives, double temperature);

#endif
