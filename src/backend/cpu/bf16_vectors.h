/* Products of bf16 on vectors, two at a time added to an f32 (AVX512_BF16's vdpbf16ps): for processors that have it and no
 * matrix unit. Defined where the compiler has it; called only where the processor has. */
#ifndef PROTEA_BACKEND_CPU_BF16_VECTORS_H
#define PROTEA_BACKEND_CPU_BF16_VECTORS_H

#include "backend/cpu/nearest.h"

/* Inner parts of the search for nearest centroids; NULL where the compiler has no such instruction. */
const protea_nearest_ops *protea_bf16_nearest(void);

/* dw += gradient of the weights, of bf16 activations in blocks of 16 channels. Equal bits for any number of threads. scratch:
 * protea_bf16_backward_weights_scratch bytes, 64-aligned; it does not grow with the batch. */
bool protea_bf16_backward_weights_takes(const protea_conv_dims *d);
size_t protea_bf16_backward_weights_scratch(const protea_conv_dims *d);
void protea_bf16_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch);

/* GFLOP/s of all threads together on registers; 0 where there is none. */
double protea_bf16_peak(void);

#endif
