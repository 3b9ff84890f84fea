/* Bytes in vectors of LANES whole numbers. Included only by simd_*.c. */
#ifndef PROTEA_IMAGE_SIMD_BYTES_H
#define PROTEA_IMAGE_SIMD_BYTES_H

#include "backend/cpu/simd.h"

/* LANES bytes from p on; and back, cut to 0..255. The compiler's own conversions of vectors go byte by byte. */
#if defined(__AVX512F__)

#include <immintrin.h>

SIMD_INLINE vi load_bytes(const uint8_t *p)
{
    return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p));
}

SIMD_INLINE void store_bytes(uint8_t *p, vi v)
{
    _mm_storeu_si128((void *)p, _mm512_cvtusepi32_epi8(_mm512_max_epi32((__m512i)v, _mm512_setzero_si512())));
}

#elif defined(__AVX2__)

#include <immintrin.h>

SIMD_INLINE vi load_bytes(const uint8_t *p)
{
    return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p));
}

SIMD_INLINE void store_bytes(uint8_t *p, vi v)
{
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
    _mm_storel_epi64((void *)p, _mm_packus_epi16(words, words));
}

#else

SIMD_INLINE vi load_bytes(const uint8_t *p)
{
    vb bytes;
    memcpy(&bytes, p, sizeof bytes);
    return (vi)__builtin_convertvector(__builtin_convertvector(bytes, vh), vu);
}

SIMD_INLINE void store_bytes(uint8_t *p, vi v)
{
    v &= ~(v < 0);
    v |= v > 255; /* all ones: 255 in the byte that is kept */
    vb bytes = __builtin_convertvector(__builtin_convertvector((vu)v, vh), vb);
    memcpy(p, &bytes, sizeof bytes);
}

#endif

/* 16 bytes at once: neighbours change places by shuffles. */
typedef uint8_t v16 __attribute__((vector_size(16)));

#endif
