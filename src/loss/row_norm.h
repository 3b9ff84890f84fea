/* Rows divided by their length, in one of two norms: y = x / max(|x|, 1e-12). The reference code of TSD normalises by the sum
 * of absolute values (docs/math/tsd.md), everything else by the Euclidean length. */
#ifndef PROTEA_LOSS_ROW_NORM_H
#define PROTEA_LOSS_ROW_NORM_H

#include "tensor/context.h"

typedef enum protea_row_norm_kind { PROTEA_NORM_L2, PROTEA_NORM_L1 } protea_row_norm_kind;

/* y (N,D) may be x; norm (N,1): what was divided by. */
protea_status protea_row_norm(protea_ctx *cx, protea_row_norm_kind kind, protea_tensor *y, protea_tensor *norm,
                              const protea_tensor *x);
/* dx may be dy. L2: dx = (dy - y (y.dy)) / norm; L1: dx = (dy - sign(y) (y.dy)) / norm with sign(0) = 0. */
protea_status protea_row_norm_backward(protea_ctx *cx, protea_row_norm_kind kind, protea_tensor *dx, const protea_tensor *y,
                                       const protea_tensor *norm, const protea_tensor *dy);

#endif
