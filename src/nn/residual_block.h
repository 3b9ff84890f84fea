/* The residual block (He et al. 2016, arXiv:1512.03385): y = relu(f(x) + skip(x)), where f is a chain of convolutions with
 * batch-norm, ReLU between them: two 3x3 (basic), or 1x1, 3x3, 1x1 to four times the width (bottleneck). skip is the
 * identity, or a strided 1x1 convolution with batch-norm where the shape changes. The stride is the first 3x3's. */
#ifndef PROTEA_NN_RESIDUAL_BLOCK_H
#define PROTEA_NN_RESIDUAL_BLOCK_H

#include "nn/conv_bn.h"

enum { PROTEA_BLOCK_MAX_CONVS = 3 };

typedef struct protea_block {
    int n_convs;
    protea_conv_bn conv[PROTEA_BLOCK_MAX_CONVS];
    bool has_down;
    protea_conv_bn down;
    int64_t stride, out; /* channels of y */
} protea_block;

/* planes: width of the 3x3 convolutions. Also on failure: release. */
protea_status protea_block_init(protea_block *b, bool bottleneck, int64_t in, int64_t planes, int64_t stride, protea_rng *rng);
void protea_block_release(protea_block *b);
protea_status protea_block_visit(protea_block *b, const char *prefix, const protea_visitor *v);

/* y's shape for x, with no memory yet. */
protea_status protea_block_shape(protea_ctx *cx, const protea_block *b, protea_tensor *y, const protea_tensor *x);
/* y: memory of the caller; without a tape and without has_down it may be x's. With a tape, x and y must stay until
 * backward. */
protea_status protea_block_forward(protea_ctx *cx, protea_block *b, const protea_pass *pass, protea_tensor *y,
                                   const protea_tensor *x);
/* *dx: a tensor as x in memory, which is the caller's: dy's own without has_down, apart from it with. dy is overwritten. */
protea_status protea_block_backward(protea_ctx *cx, protea_block *b, protea_tape *tape, protea_tensor *dx, void *memory,
                                    protea_tensor *dy);

#endif
