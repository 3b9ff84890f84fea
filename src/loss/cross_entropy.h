/* Cross-entropy of a softmax with class labels. */
#ifndef PROTEA_LOSS_CROSS_ENTROPY_H
#define PROTEA_LOSS_CROSS_ENTROPY_H

#include "tensor/context.h"

typedef struct protea_cross_entropy_opts {
    double temperature;    /* tau > 0: divides the logits; 1 in a classifier */
    double smoothing;      /* eps in 0..1: the share of the target that is spread over all classes alike */
    const int32_t *second; /* (N) labels of the images mixed in, -1 only where label is; NULL: none are */
    double share;          /* lambda in 0..1: of label in the target, with second; second has the rest */
} protea_cross_entropy_opts;

/* Loss and its gradient with respect to the logits, over the M rows whose label is not -1:
 *
 *   t_n = (1 - eps) (lambda onehot(y_n) + (1 - lambda) onehot(y'_n)) + eps / C        (lambda = 1 without second)
 *   L = 1/M sum_n - sum_c t_nc log softmax_c(x_n / tau),   dL/dx_n = (softmax(x_n / tau) - t_n) / (M tau)
 *
 * loss      0 when no row takes part; not set when planning.
 * d_logits  (N,C) may be logits; rows that take no part are 0.
 * logits    (N,C).
 * label     (N) in 0..C-1, or -1.
 * Label smoothing: Szegedy et al. 2016, arXiv:1512.00567, eq. 7 sec. 7. Two labels: Mixup, Zhang et al. 2018,
 * arXiv:1710.09412. Scratch: cx->scratch. Errors: PROTEA_ERR_INTERNAL (shapes, a label that is no class). */
protea_status protea_cross_entropy(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits,
                                   const int32_t *label, const protea_cross_entropy_opts *opts);

/* Rows whose largest logit is the label's, of those that have one; the first of equal logits counts. *n (may be NULL): rows
 * that have a label. 0 when planning. */
int64_t protea_count_correct(const protea_ctx *cx, const protea_tensor *logits, const int32_t *label, int64_t *n);

/* Class of the largest of n logits, the first of equals. */
int32_t protea_largest(const float *logits, int64_t n);

#endif
