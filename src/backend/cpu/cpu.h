/* What the CPU back-end keeps (protea_backend.self). */
#ifndef PROTEA_BACKEND_CPU_CPU_H
#define PROTEA_BACKEND_CPU_CPU_H

#include "backend/cpu/conv_cache.h"
#include "backend/cpu/onednn.h"

typedef struct protea_cpu {
    protea_onednn *onednn; /* NULL: reference kernels only */
    protea_conv_cache convs;
} protea_cpu;

static inline protea_cpu *protea_cpu_of(const protea_backend *be)
{
    return be->self;
}

/* Overwrites block, the convolutions and gemm with oneDNN's. */
void protea_onednn_fill(protea_kernels *k);

#endif
