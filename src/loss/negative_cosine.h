/* Negative cosine similarity to a constant: SimSiam's loss. */
#ifndef PROTEA_LOSS_NEGATIVE_COSINE_H
#define PROTEA_LOSS_NEGATIVE_COSINE_H

#include "tensor/context.h"

/* Loss and its gradient with respect to p; z is a constant (the stop-gradient).
 *
 *   L       = - weight/N sum_n p_n.z_n / (|p_n| |z_n|)
 *   dL/dp_n = - weight/N (z'_n - p'_n (p'_n.z'_n)) / |p_n|       with p', z' of length 1
 *
 * loss     not set when planning.
 * dp (N,D) may be p.
 * p  (N,D) predictions, of any length.
 * z  (N,D) rows of length 1.
 * Source: Chen & He 2021, arXiv:2011.10566, eq. 1. Scratch: cx->scratch. Errors: PROTEA_ERR_INTERNAL (shapes). */
protea_status protea_negative_cosine(protea_ctx *cx, double *loss, protea_tensor *dp, const protea_tensor *p,
                                     const protea_tensor *z, double weight);

#endif
