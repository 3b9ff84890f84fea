/* Choosing among the instruction sets that the vector kernels were compiled for. */
#include "backend/cpu/fill.h"
#include "backend/cpu/peak.h"

#define FILL(suffix)                                    \
    {                                                   \
        protea_simd_fill_batchnorm_##suffix(k);         \
        protea_simd_fill_batchnorm_sums_##suffix(k);    \
        protea_simd_fill_elementwise_##suffix(k);       \
        protea_simd_fill_layout_##suffix(k);            \
        protea_simd_fill_pool_##suffix(k);              \
        protea_simd_fill_dense_##suffix(k);             \
        protea_simd_fill_nearest_##suffix(k);           \
        protea_simd_fill_vectors_##suffix(k);           \
        protea_simd_fill_map_##suffix(k);               \
    }

static void fill_base(protea_kernels *k) FILL(base)

#if defined(__x86_64__)

#include <cpuid.h>

static void fill_avx2(protea_kernels *k) FILL(avx2)
static void fill_avx512(protea_kernels *k) FILL(avx512)

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

protea_isa protea_simd_fill(protea_kernels *k, protea_isa most)
{
    if ((most == PROTEA_ISA_BEST || most >= PROTEA_ISA_AVX512) && has_avx512()) {
        fill_avx512(k);
        return PROTEA_ISA_AVX512;
    }
    if ((most == PROTEA_ISA_BEST || most >= PROTEA_ISA_AVX2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        fill_avx2(k);
        return PROTEA_ISA_AVX2;
    }
    fill_base(k);
    return PROTEA_ISA_SSE2;
}

void protea_simd_fill_rounding(protea_kernels *k)
{
    protea_simd_fill_batchnorm_avx512bf16(k);
}

/* Intel's since Sapphire Rapids, which has half-precision arithmetic too: matrices are for its matrix unit, and vdpbf16ps begins
 * every second cycle where two f32 products begin in each (measured: 165 beside 344 GFLOP/s). */
bool protea_bf16_is_slow(void)
{
    enum { LEAF = 7, FP16 = 1 << 23 };
    unsigned a, b, c, d;
    return __builtin_cpu_is("intel") && __get_cpuid_count(LEAF, 0, &a, &b, &c, &d) && (d & FP16) != 0;
}

const protea_nearest_ops *protea_simd_nearest(protea_isa isa, bool bf16)
{
    if (isa == PROTEA_ISA_AVX512)
        return protea_simd_nearest_avx512(bf16);
    return isa == PROTEA_ISA_AVX2 ? protea_simd_nearest_avx2(bf16) : protea_simd_nearest_base(bf16);
}

double protea_simd_peak(protea_isa isa)
{
    if (isa == PROTEA_ISA_AVX512)
        return protea_simd_peak_avx512();
    return isa == PROTEA_ISA_AVX2 ? protea_simd_peak_avx2() : protea_simd_peak_base();
}

#else

protea_isa protea_simd_fill(protea_kernels *k, protea_isa most)
{
    (void)most;
    fill_base(k);
    return PROTEA_ISA_SSE2;
}

void protea_simd_fill_rounding(protea_kernels *k)
{
    (void)k;
}

bool protea_bf16_is_slow(void)
{
    return true;
}

const protea_nearest_ops *protea_simd_nearest(protea_isa isa, bool bf16)
{
    (void)isa;
    return protea_simd_nearest_base(bf16);
}

double protea_simd_peak(protea_isa isa)
{
    (void)isa;
    return protea_simd_peak_base();
}

#endif
