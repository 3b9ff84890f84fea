/* What our own convolutions multiply: bf16, two at a time, where the instruction set has that (vdpbf16ps), else f32. Included only
 * by winograd_*.c and direct_weights.c (isa.cmake). */
#ifndef PROTEA_BACKEND_CPU_PRODUCT_WORDS_H
#define PROTEA_BACKEND_CPU_PRODUCT_WORDS_H

#include "backend/cpu/simd.h"

#ifdef __AVX512BF16__

typedef uint16_t word;
enum { PAIR = 2 }; /* words that one lane multiplies and adds up */
typedef vh words;  /* of LANES numbers */

SIMD_INLINE words rounded(vf f)
{
    return narrow(f);
}

/* a, and b behind it. */
SIMD_INLINE void store_two(word *to, vf a, vf b)
{
    __m512bh both = _mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
    memcpy(to, &both, sizeof both);
}

/* Lane by lane the pair (a, b). */
SIMD_INLINE void store_pair(word *to, vf a, vf b)
{
    const __m512i lane_by_lane = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                                  23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
    both = _mm512_permutexvar_epi16(lane_by_lane, both);
    memcpy(to, &both, sizeof both);
}

/* sum + the products of a pair that all lanes share and of each lane's pair. */
SIMD_INLINE vf add_products(vf sum, const word *shared, vf pairs)
{
    int32_t both;
    memcpy(&both, shared, sizeof both);
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(both), (__m512bh)pairs);
}

#else

typedef float word;
enum { PAIR = 1 };
typedef vf words;

SIMD_INLINE void store_two(word *to, vf a, vf b)
{
    memcpy(to, &a, sizeof a);
    memcpy(to + LANES, &b, sizeof b);
}

SIMD_INLINE words rounded(vf f)
{
    return f;
}

SIMD_INLINE void store_pair(word *to, vf a, vf b)
{
    (void)b;
    memcpy(to, &a, sizeof a);
}

SIMD_INLINE vf add_products(vf sum, const word *shared, vf row)
{
    return sum + *shared * row;
}

#endif

SIMD_INLINE vf load_row(const word *from)
{
    vf row;
    memcpy(&row, from, sizeof row);
    return row;
}

SIMD_INLINE void store_words(word *to, vf f)
{
    words rounded_f = rounded(f);
    memcpy(to, &rounded_f, sizeof rounded_f);
}

#endif
