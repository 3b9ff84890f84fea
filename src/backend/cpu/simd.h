/* Vectors of PROTEA_LANES floats in the compiler's own notation, which gcc and clang turn into any instruction set.
 * Included only by simd_*.c (see isa.cmake). */
#ifndef PROTEA_BACKEND_CPU_SIMD_H
#define PROTEA_BACKEND_CPU_SIMD_H

#ifdef __FMA__
#include <immintrin.h>
#endif
#include <stdint.h>
#include <string.h>

#include "backend/kernels.h"

#define SIMD_PASTE_(a, b) a##_##b
#define SIMD_PASTE(a, b) SIMD_PASTE_(a, b)
#define SIMD_NAME(name) SIMD_PASTE(name, PROTEA_SUFFIX) /* protea_simd_fill_pool -> protea_simd_fill_pool_avx2 */
#define SIMD_INLINE static inline __attribute__((always_inline))

enum { LANES = PROTEA_LANES };
typedef float vf __attribute__((vector_size(PROTEA_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(PROTEA_LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(PROTEA_LANES * 4)));
typedef uint16_t vh __attribute__((vector_size(PROTEA_LANES * 2)));
typedef uint8_t vb __attribute__((vector_size(PROTEA_LANES)));

SIMD_INLINE vf splat(float value)
{
    return value - (vf){ 0 };
}

/* Lanes of a where the mask is set, of b elsewhere. */
SIMD_INLINE vf choose(vi mask, vf a, vf b)
{
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

SIMD_INLINE vf widen(vh h)
{
    return (vf)(__builtin_convertvector(h, vu) << 16);
}

/* Round to nearest even, NaN kept: bf16.h has the scalar. Where that is one instruction, it takes what is subnormal for 0. */
SIMD_INLINE vh narrow(vf f)
{
#ifdef __AVX512BF16__
    return (vh)_mm512_cvtneps_pbh((__m512)f);
#else
    vu bits = (vu)f;
    vu rounded = bits + 0x7fff + ((bits >> 16) & 1);
    vu nan = (vu)(f != f);
    return __builtin_convertvector(((rounded & ~nan) | ((bits | 0x400000) & nan)) >> 16, vh);
#endif
}

/* count lanes from element i on; the others are zero. count is LANES nearly always. */
SIMD_INLINE vf load(const void *p, int64_t i, int64_t count, protea_dtype dtype)
{
    if (dtype == PROTEA_BF16) {
        vh h = { 0 };
        memcpy(&h, (const uint16_t *)p + i, count == LANES ? sizeof h : (size_t)count * 2);
        return widen(h);
    }
    vf f = { 0 };
    memcpy(&f, (const float *)p + i, count == LANES ? sizeof f : (size_t)count * 4);
    return f;
}

SIMD_INLINE void store(void *p, int64_t i, int64_t count, protea_dtype dtype, vf f)
{
    if (dtype == PROTEA_BF16) {
        vh h = narrow(f);
        memcpy((uint16_t *)p + i, &h, count == LANES ? sizeof h : (size_t)count * 2);
        return;
    }
    memcpy((float *)p + i, &f, count == LANES ? sizeof f : (size_t)count * 4);
}

/* a b + c, rounded once where that is one instruction; elsewhere in double, which is nearly that. */
#ifdef __FMA__
#define SIMD_FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define SIMD_FMA(a, b, c) ((float)((double)(a) * (double)(b) + (double)(c)))
#endif

SIMD_INLINE vf multiply_add(vf a, vf b, vf c)
{
#if defined(__AVX512F__)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

/* Maximum with 0; NaN stays NaN. */
SIMD_INLINE vf relu_of(vf x)
{
    return choose(x < 0, (vf){ 0 }, x);
}

#endif
