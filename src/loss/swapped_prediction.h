/* Swapped prediction: the code of one crop is predicted from every other crop of the same image. */
#ifndef PROTEA_LOSS_SWAPPED_PREDICTION_H
#define PROTEA_LOSS_SWAPPED_PREDICTION_H

#include "tensor/context.h"

enum { PROTEA_MAX_ASSIGNED = 16 };

typedef struct protea_swapped_opts {
    int64_t n_views;                      /* V >= 2 */
    int64_t n_assigned;                   /* |A| */
    int64_t assigned[PROTEA_MAX_ASSIGNED]; /* A: the views that have codes, each in 0..V-1, once */
    double temperature;                   /* tau > 0; 0.1 in the paper */
} protea_swapped_opts;

/* Loss and its gradient with respect to the scores; codes are constants.
 *
 *   L = 1/|A| sum_{i in A} 1/(V-1) sum_{v != i} 1/N sum_n - sum_k q^i_nk log softmax_k(s^v_n / tau)
 *   dL/ds^v_n = 1 / (|A| (V-1) N tau) sum_{i in A, i != v} (softmax(s^v_n / tau) - q^i_n)
 *
 * loss             mean over this rank's N images; not set when planning.
 * d_scores (V*N,K) may be scores.
 * scores   (V*N,K) cosine of embedding and prototype; view v of image n is row v*N + n.
 * codes    (|A|*N,K) of the assigned views in the order of A; each row sums to 1.
 * Source: Caron et al. 2020, arXiv:2006.09882, eq. 2. Scratch: cx->scratch. Errors: PROTEA_ERR_INTERNAL (shapes). */
protea_status protea_swapped_prediction(protea_ctx *cx, double *loss, protea_tensor *d_scores, const protea_tensor *scores,
                                        const protea_tensor *codes, const protea_swapped_opts *opts);

#endif
