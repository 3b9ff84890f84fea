/* Convolutions of our own on Intel's matrix unit (AMX, tiles of bf16). */
#ifndef PROTEA_BACKEND_CPU_AMX_H
#define PROTEA_BACKEND_CPU_AMX_H

#include "backend/cpu/nearest.h"

/* Asks the system for the tile registers, once per process and before any other function here. False: no AMX. */
bool protea_amx_open(void);

/* dw += gradient of the weights; bf16 NHWC activations, channels and outputs multiples of 32, at least 32 samples. Equal
 * bits for any number of threads. scratch: protea_amx_backward_weights_scratch bytes, 64-aligned. */
bool protea_amx_backward_weights_takes(const protea_conv_dims *d);
size_t protea_amx_backward_weights_scratch(const protea_conv_dims *d);
void protea_amx_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch);

/* Forward and backward-data; bf16 NHWC activations, channels and outputs multiples of 32, at least 32 samples a thread.
 * Equal bits for any number of threads; the scratch is for as many as are set when its size is asked. */
bool protea_amx_conv_takes(const protea_conv_dims *d);
size_t protea_amx_conv_scratch(const protea_conv_dims *d, protea_conv_pass pass);
void protea_amx_conv_forward(void *y, const void *x, const float *w, const protea_conv_dims *d, void *scratch);
void protea_amx_conv_backward_data(void *dx, const void *dy, const float *w, const protea_conv_dims *d, void *scratch);

/* Inner parts of the search for nearest centroids; NULL where the compiler has no AMX. */
const protea_nearest_ops *protea_amx_nearest(void);

/* GFLOP/s of all threads together that the unit reaches on its registers; 0 where there is none. Takes about 50 ms. */
double protea_amx_peak(void);

#endif
