/* How fast f32 products and sums are on vectors of this instruction set. */
#include "backend/cpu/fill.h"
#include "backend/cpu/peak.h"
#include "backend/cpu/simd.h"

enum { ROUNDS = 100000, SUMS = 12 };

/* As many sums as hide how long one takes, and 12 fit everywhere. Their values differ, lest they be computed once for all. */
static void loop(void)
{
    vf sum[SUMS], factor = splat(0.5f), next = splat(1);
    for (int s = 0; s < SUMS; s++)
        sum[s] = splat((float)(SUMS + s));
    for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 12
        for (int s = 0; s < SUMS; s++)
            sum[s] = sum[s] * factor + next;
    for (int s = 1; s < SUMS; s++)
        sum[0] += sum[s];
    volatile float result = sum[0][0];
    (void)result;
}

double SIMD_NAME(protea_simd_peak)(void)
{
    return protea_peak_of(loop, 2.0 * LANES * SUMS * ROUNDS);
}
