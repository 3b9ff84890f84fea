/* Gradients of convolution weights as the sums they are, of any kernel, stride and padding. */
#ifndef PROTEA_BACKEND_CPU_DIRECT_WEIGHTS_H
#define PROTEA_BACKEND_CPU_DIRECT_WEIGHTS_H

#include "backend/kernels.h"

/* The pass on one instruction set, for activations in blocks of `lanes` channels. Equal bits for any number of threads. scratch: so
 * many bytes, 64-aligned; it does not grow with the batch. */
typedef struct protea_direct_weights_ops {
    int64_t lanes;
    size_t (*scratch)(const protea_conv_dims *d);
    /* dw += */
    void (*backward_weights)(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch);
} protea_direct_weights_ops;

/* With products in f32, on AVX-512: on AVX2 oneDNN is as fast. NULL: none. */
const protea_direct_weights_ops *protea_direct_weights_f32(protea_isa isa);
/* With products of bf16, of bf16 activations: for processors with AVX512_BF16. NULL: not compiled for this machine. */
const protea_direct_weights_ops *protea_direct_weights_bf16(void);

#endif
