/* The residual block (He et al. 2016, arXiv:1512.03385): y = relu(f(x) + skip(x)), where f is a chain of convolutions with
 * batch-norm, ReLU between them: two 3x3 (basic), or 1x1, 3x3, 1x1 to four times the width (bottleneck). skip is the
 * identity, or a strided 1x1 convolution with batch-norm where the shape changes. The stride is the first 3x3's. */
#ifndef PROTEA_NN_RESIDUAL_BLOCK_H
#define PROTEA_NN_RESIDUAL_BLOCK_H

#include "nn/conv_bn.h"
#include "nn/redo.h"

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
/* Whether y must stay until backward, where x comes by redo. Else its memory may be used again as soon as y has been read. */
bool protea_block_keeps(const protea_block *b, const protea_redo *redo);
/* y: memory of the caller; without has_down it may be x's. redo: how x is worked out again, and then how y is; without a tape it
 * is not read. */
protea_status protea_block_forward(protea_ctx *cx, protea_block *b, const protea_pass *pass, protea_tensor *y,
                                   const protea_tensor *x, protea_redo *redo);

/* What goes down from block to block in backward: an activation, the derivative there, and memory to work in. */
typedef struct protea_block_descent {
    protea_tensor y, dy;
    void *room[2];      /* each for the larger of x and y; y is in the first, or kept */
} protea_block_descent;

/* From the block's output to its input. dx is in dy's place without has_down, in `memory`, apart from it, with. */
protea_status protea_block_backward(protea_ctx *cx, protea_block *b, protea_tape *tape, protea_block_descent *at, void *memory);

#endif
