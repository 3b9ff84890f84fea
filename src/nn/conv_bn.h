/* A convolution and the batch-norm after it: what residual networks are made of. The caller keeps the convolution's
 * output c; the normalised one is worked out again in backward where it is needed. */
#ifndef PROTEA_NN_CONV_BN_H
#define PROTEA_NN_CONV_BN_H

#include "nn/batchnorm.h"
#include "tensor/ops.h"

typedef struct protea_conv_bn {
    protea_param weight; /* (O,C,K,K) */
    protea_conv_geometry geometry;
    protea_bn bn;
} protea_conv_bn;

/* Also on failure: release. */
protea_status protea_conv_bn_init(protea_conv_bn *u, int64_t in, int64_t out, protea_conv_geometry g, protea_rng *rng);
void protea_conv_bn_release(protea_conv_bn *u);
protea_status protea_conv_bn_visit(protea_conv_bn *u, const char *prefix, const char *conv, const char *bn,
                                   const protea_visitor *v);

/* For inference: y = act(bn(conv(x))), or with y added before act (ending); its memory is the caller's. */
protea_status protea_conv_bn_infer(protea_ctx *cx, protea_conv_bn *u, const protea_pass *pass, protea_tensor *y,
                                   const protea_tensor *x, protea_conv_ending ending);
/* y's shape for x, with no memory yet. */
protea_status protea_conv_bn_shape(protea_ctx *cx, const protea_conv_bn *u, protea_tensor *y, const protea_tensor *x);

/* c: the convolution's output for x, of the caller's choosing where; record: its batch-norm, prepared. */
protea_status protea_conv_bn_forward(protea_ctx *cx, protea_conv_bn *u, const protea_pass *pass, protea_tensor *c,
                                     protea_where where, const protea_tensor *x, protea_bn_record *record);
/* dc: derivative at the convolution's output; nothing happens for a frozen weight. dx: its memory is the caller's. */
protea_status protea_conv_bn_backward_weights(protea_ctx *cx, protea_conv_bn *u, const protea_tensor *dc, const protea_tensor *x);
protea_status protea_conv_bn_backward_data(protea_ctx *cx, protea_conv_bn *u, protea_tensor *dx, const protea_tensor *dc);

#endif
