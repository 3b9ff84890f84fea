/* How far apart two predictions are, element by element, with gradients to both. Rows of logits x, t (N,C), a = softmax(x),
 * b = softmax(t):
 *
 *   softmax_mse   e = (a - b)^2             softmax_kl   e = b (ln b - ln a)
 *
 * Named as in TSD's listing (arXiv:2303.10902), where the comment says that none flows to the targets; in its code it does. */
#ifndef PROTEA_LOSS_CONSISTENCY_H
#define PROTEA_LOSS_CONSISTENCY_H

#include "tensor/context.h"

/* e (N,C); d_input, d_target (N,C): of the sum of all elements; each may be NULL. Nothing is set when planning. */
protea_status protea_softmax_mse(protea_ctx *cx, protea_tensor *e, protea_tensor *d_input, protea_tensor *d_target,
                                 const protea_tensor *input, const protea_tensor *target);
protea_status protea_softmax_kl(protea_ctx *cx, protea_tensor *e, protea_tensor *d_input, protea_tensor *d_target,
                                const protea_tensor *input, const protea_tensor *target);

#endif
