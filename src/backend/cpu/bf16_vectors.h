/* Products of bf16 on vectors, two at a time added to an f32 (AVX512_BF16's vdpbf16ps): for processors that have it and no
 * matrix unit. Defined where the compiler has it; called only where the processor has. */
#ifndef PROTEA_BACKEND_CPU_BF16_VECTORS_H
#define PROTEA_BACKEND_CPU_BF16_VECTORS_H

#include "backend/cpu/nearest.h"

/* Inner parts of the search for nearest centroids; NULL where the compiler has no such instruction. */
const protea_nearest_ops *protea_bf16_nearest(void);

/* GFLOP/s of all threads together on registers; 0 where there is none. */
double protea_bf16_peak(void);

#endif
