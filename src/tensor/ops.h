/* Checked operations: each verifies shapes, then calls the back-end's kernel, unless the context is planning.
 * Outputs are allocated by the caller. Errors: PROTEA_ERR_INTERNAL with the shapes found and wanted. */
#ifndef PROTEA_TENSOR_OPS_H
#define PROTEA_TENSOR_OPS_H

#include "tensor/context.h"

/* Between plain f32 (N,C,H,W) and native activations. */
protea_status protea_to_native(protea_ctx *cx, protea_tensor *y, const protea_tensor *x);
protea_status protea_from_native(protea_ctx *cx, protea_tensor *y, const protea_tensor *x);

typedef struct protea_conv_geometry { int64_t kernel, stride, pad; } protea_conv_geometry;
/* Height or width after a window has gone over `in` pixels; below 1 when it does not fit. */
static inline int64_t protea_conv_size(int64_t in, protea_conv_geometry g)
{
    int64_t room = in + 2 * g.pad - g.kernel;
    return room < 0 ? 0 : room / g.stride + 1;
}
/* w, dw: plain f32 (O,C,K,K). */
protea_status protea_conv(protea_ctx *cx, protea_tensor *y, const protea_tensor *x, const protea_tensor *w, protea_conv_geometry g);
protea_status protea_conv_backward_data(protea_ctx *cx, protea_tensor *dx, const protea_tensor *dy, const protea_tensor *w,
                                        protea_conv_geometry g);
protea_status protea_conv_backward_weights(protea_ctx *cx, protea_tensor *dw, const protea_tensor *dy, const protea_tensor *x,
                                           protea_conv_geometry g); /* dw += */

/* For inference: y = act(conv(x, w) + bias), or with y added before act. packed: what protea_conv_fused_pack made of w (O,C,K,K)
 * and bias (O), both plain f32, for x and y of these shapes; *packed_bytes: how much memory that is, 64-aligned. */
protea_status protea_conv_fused(protea_ctx *cx, protea_tensor *y, const protea_tensor *x, void *packed, protea_conv_geometry g,
                                protea_conv_ending ending);
protea_status protea_conv_fused_bytes(protea_ctx *cx, size_t *packed_bytes, const protea_tensor *y, const protea_tensor *x,
                                      protea_conv_geometry g, protea_conv_ending ending);
protea_status protea_conv_fused_pack(protea_ctx *cx, void *packed, const protea_tensor *w, const protea_tensor *bias,
                                     const protea_tensor *y, const protea_tensor *x, protea_conv_geometry g,
                                     protea_conv_ending ending);

protea_status protea_relu(protea_ctx *cx, protea_tensor *y, const protea_tensor *x);
protea_status protea_relu_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *y, const protea_tensor *dy);
protea_status protea_add(protea_ctx *cx, protea_tensor *y, const protea_tensor *a, const protea_tensor *b);

protea_status protea_max_pool(protea_ctx *cx, protea_tensor *y, protea_tensor *where, const protea_tensor *x,
                              protea_conv_geometry g);
protea_status protea_max_pool_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *dy, const protea_tensor *where,
                                       protea_conv_geometry g);
protea_status protea_mean_pool(protea_ctx *cx, protea_tensor *y /* (N,C) */, const protea_tensor *x);
protea_status protea_mean_pool_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *dy);

/* Rows. c (M,N) = alpha op(a) op(b) + beta c. */
protea_status protea_gemm(protea_ctx *cx, protea_tensor *c, const protea_tensor *a, const protea_tensor *b, bool ta, bool tb,
                          float alpha, float beta);
protea_status protea_add_bias(protea_ctx *cx, protea_tensor *y, const protea_tensor *bias);
protea_status protea_bias_backward(protea_ctx *cx, protea_tensor *dbias, const protea_tensor *dy);
protea_status protea_l2norm(protea_ctx *cx, protea_tensor *y, protea_tensor *norm /* (N,1) */, const protea_tensor *x);
protea_status protea_l2norm_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *y, const protea_tensor *norm,
                                     const protea_tensor *dy);
/* y: plain f32. */
protea_status protea_fill(protea_ctx *cx, protea_tensor *y, float value);
/* Whether no element of a plain f32 tensor is infinite or not a number. */
bool protea_all_finite(const protea_tensor *t);
/* Copies elements; same shape, dtype and layout. */
protea_status protea_copy(protea_ctx *cx, protea_tensor *y, const protea_tensor *x);

#endif
