/* The parts the CPU's kernel table is filled from. Each function overwrites the entries that its file has. */
#ifndef PROTEA_BACKEND_CPU_FILL_H
#define PROTEA_BACKEND_CPU_FILL_H

#include "backend/kernels.h"

/* The plain reference kernels: any block size, f32 and bf16, sums in double. Together they fill the whole table. */
void protea_ref_fill_layout(protea_kernels *k);
void protea_ref_fill_conv(protea_kernels *k);
void protea_ref_fill_batchnorm(protea_kernels *k);
void protea_ref_fill_elementwise(protea_kernels *k);
void protea_ref_fill_pool(protea_kernels *k);
void protea_ref_fill_dense(protea_kernels *k);

#endif
