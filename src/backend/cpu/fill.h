/* The parts the CPU's kernel table is filled from. Each function overwrites the entries that its file has. */
#ifndef PROTEA_BACKEND_CPU_FILL_H
#define PROTEA_BACKEND_CPU_FILL_H

#include "backend/cpu/nearest.h"
#include "backend/kernels.h"

/* The plain reference kernels: any block size, f32 and bf16, sums in double. Together they fill the whole table. */
void protea_ref_fill_layout(protea_kernels *k);
void protea_ref_fill_conv(protea_kernels *k);
void protea_ref_fill_conv_fused(protea_kernels *k);
void protea_ref_fill_batchnorm(protea_kernels *k);
void protea_ref_fill_elementwise(protea_kernels *k);
void protea_ref_fill_pool(protea_kernels *k);
void protea_ref_fill_dense(protea_kernels *k);
void protea_ref_fill_vectors(protea_kernels *k);
void protea_ref_fill_map(protea_kernels *k);
void protea_ref_fill_nearest(protea_kernels *k);

/* Of conv_fused, by the table's conv_forward and bn_apply. */
protea_status protea_ref_conv_fused_bytes(protea_backend *be, size_t *packed, size_t *scratch, const protea_conv_dims *d,
                                          protea_conv_ending ending);
protea_status protea_ref_conv_fused_pack(protea_backend *be, void *packed, const float *w, const float *bias,
                                         const protea_conv_dims *d, protea_conv_ending ending, void *scratch);
protea_status protea_ref_conv_fused(protea_backend *be, void *y, const void *x, void *packed, const protea_conv_dims *d,
                                    protea_conv_ending ending, void *scratch);

/* The same kernels for each instruction set of isa.cmake: any block size, vectors over channels. */
#define PROTEA_SIMD_FILLS(suffix)                                       \
    void protea_simd_fill_batchnorm_##suffix(protea_kernels *k);        \
    void protea_simd_fill_batchnorm_sums_##suffix(protea_kernels *k);   \
    void protea_simd_fill_elementwise_##suffix(protea_kernels *k);      \
    void protea_simd_fill_layout_##suffix(protea_kernels *k);           \
    void protea_simd_fill_pool_##suffix(protea_kernels *k);             \
    void protea_simd_fill_dense_##suffix(protea_kernels *k);            \
    void protea_simd_fill_vectors_##suffix(protea_kernels *k);          \
    void protea_simd_fill_map_##suffix(protea_kernels *k);              \
    void protea_simd_fill_nearest_##suffix(protea_kernels *k);          \
    const protea_nearest_ops *protea_simd_nearest_##suffix(bool bf16);  \
    double protea_simd_peak_##suffix(void);
PROTEA_SIMD_FILLS(base)
PROTEA_SIMD_FILLS(avx2)
PROTEA_SIMD_FILLS(avx512)

/* Overwrites what our own vector kernels have, for the best instruction set up to `most` that this CPU has. Returns it. */
protea_isa protea_simd_fill(protea_kernels *k, protea_isa most);
/* Then, where the CPU rounds to bf16 by one instruction (AVX512_BF16), what gains by it. */
void protea_simd_fill_rounding(protea_kernels *k);
void protea_simd_fill_batchnorm_avx512bf16(protea_kernels *k);
/* Whether a processor with AVX512_BF16 multiplies f32 at no less a rate. */
bool protea_bf16_is_slow(void);

#endif
