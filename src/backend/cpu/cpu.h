/* What the CPU back-end keeps (protea_backend.self). */
#ifndef PROTEA_BACKEND_CPU_CPU_H
#define PROTEA_BACKEND_CPU_CPU_H

#include "backend/cpu/conv_cache.h"
#include "backend/cpu/direct_weights.h"
#include "backend/cpu/nearest.h"
#include "backend/cpu/onednn.h"
#include "backend/cpu/winograd.h"

/* Batch-norm's sums: room for one part of the samples, one chunk of channels (simd_batchnorm_sums.c). */
enum { PROTEA_SUM_PARTS = 64, PROTEA_SUM_CHUNK = 256 };
typedef struct protea_moments {
    double rows;                                                    /* summed over so far */
    double first[PROTEA_SUM_CHUNK], second[PROTEA_SUM_CHUNK];       /* mean and squared deviations, or two plain sums */
} protea_moments;

typedef struct protea_cpu {
    protea_onednn *onednn; /* NULL: reference kernels only */
    protea_isa isa;        /* of our own vector kernels */
    bool amx;              /* our own AMX kernels may run */
    bool bf16_vectors;     /* so may those on products of bf16 vectors */
    bool slow_bf16;        /* AVX-512, and bf16 is multiplied no faster than f32, or not at all */
    const protea_nearest_ops *nearest[2]; /* products in f32, in bf16 */
    const protea_winograd_ops *winograd[2]; /* products in f32, of bf16; NULL: none */
    const protea_direct_weights_ops *direct_weights[2]; /* likewise */
    protea_conv_cache convs;
    protea_moments parts[PROTEA_SUM_PARTS];
} protea_cpu;

static inline protea_cpu *protea_cpu_of(const protea_backend *be)
{
    return be->self;
}

/* Name of what computes a pass: oneDNN's, "protea:..." (conv_own.h) or "reference"; borrowed for good. */
protea_status protea_cpu_conv_name(const char **out, protea_backend *be, const protea_conv_dims *d, protea_conv_pass pass);

/* GFLOP/s of the set threads together that products of this type reach on registers: measured, in about 0.1 s. bf16: on what
 * our kernels take for it (AMX, vdpbf16ps, or f32 where the processor has neither or f32 is no slower). */
double protea_cpu_peak(const protea_backend *be, protea_dtype dtype);

/* bf16 on a CPU for which oneDNN has no bf16: the pass runs in f32, on copies in the scratch. Blocks are then the same. */
bool protea_cpu_widens(const protea_backend *be, const protea_conv_dims *d);

/* Overwrites block, the convolutions and gemm with oneDNN's. */
void protea_onednn_fill(protea_kernels *k);
/* Overwrites the convolutions for inference. */
void protea_onednn_fill_fused(protea_kernels *k);

#endif
