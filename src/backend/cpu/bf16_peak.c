/* How fast products of bf16 are on vectors. */
#include "backend/cpu/bf16_vectors.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "backend/cpu/peak.h"

enum { ROUNDS = 100000, SUMS = 20, FLOPS = 64 };

/* 2^-7 in bf16, twice: sums stay small, and differ, lest they be computed once for all. */
static void loop(void)
{
    const __m512bh small = (__m512bh)_mm512_set1_epi16(0x3c00);
    __m512 sum[SUMS];
    for (int s = 0; s < SUMS; s++)
        sum[s] = _mm512_set1_ps((float)s);
    for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 20
        for (int s = 0; s < SUMS; s++)
            sum[s] = _mm512_dpbf16_ps(sum[s], small, small);
    for (int s = 1; s < SUMS; s++)
        sum[0] = _mm512_add_ps(sum[0], sum[s]);
    volatile float result = _mm512_cvtss_f32(sum[0]);
    (void)result;
}

double protea_bf16_peak(void)
{
    return protea_peak_of(loop, (double)FLOPS * SUMS * ROUNDS);
}

#else

double protea_bf16_peak(void)
{
    return 0;
}

#endif
