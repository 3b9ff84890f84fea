/* Entropy of predictions, in nats, and the losses made of it. Rows are logits x (N,C), p = softmax(x), sums in double:
 *
 *   H_n = - sum_c p_nc ln p_nc            dH_n/dx_nc = - p_nc (ln p_nc + H_n)
 */
#ifndef PROTEA_LOSS_ENTROPY_H
#define PROTEA_LOSS_ENTROPY_H

#include "tensor/context.h"

/* h (N,1); p (N,C) or NULL: softmax of the logits; may be the logits' memory. Nothing is set when planning. */
protea_status protea_softmax_entropy(protea_ctx *cx, protea_tensor *h, protea_tensor *p, const protea_tensor *logits);
/* Mean of H over the rows; 0 when planning. */
protea_status protea_mean_entropy(protea_ctx *cx, double *mean, const protea_tensor *logits);

/* loss = sum_n w_n H_n; d_logits (N,C) its gradient. weight (N) or NULL: 1/N each. Constant, as the gradient sees it.
 * Tent: Wang et al. 2021, arXiv:2006.10726, eq. 1 (mean). EATA, SAR: weights of the rows they keep, 0 elsewhere. */
protea_status protea_entropy_loss(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits,
                                  const double *weight);

/* loss = mean_n H_n + sum_c m_c ln(m_c + 1e-5), m the batch's mean of p: sure of each row, diverse over rows.
 * Liang et al. 2020, arXiv:2002.08546, eq. 3; the 1e-5 is that of the authors' code. */
protea_status protea_information_loss(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits);

#endif
