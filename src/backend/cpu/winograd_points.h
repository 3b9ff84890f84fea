/* Winograd's one-dimensional transforms F(m,3) on vectors, m = 2 or 4. All follow from the points, 0, some pairs +-p and
 * infinity (docs/math/winograd.md):
 *
 *     y (m) = A^T [ (G g) * (B^T d) ],   g (3), d (m + 2)
 *
 * Row i of the three belongs to a point: 0 first, then p and -p for each pair, infinity last. A pair's two rows are even + odd
 * and even - odd of half the terms. Loops are over constants, and unrolled. Included only by winograd_*.c (isa.cmake). */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_POINTS_H
#define PROTEA_BACKEND_CPU_WINOGRAD_POINTS_H

#include "backend/cpu/simd.h"

enum { MAX_TILE = 4, MAX_SIDE = MAX_TILE + 2, MAX_PAIRS = MAX_TILE / 2 };

typedef struct points {
    float all[MAX_PAIRS + 1];               /* product of (z - p^2) over all pairs: coefficients of z^0, z^1 ... */
    float other[MAX_PAIRS][MAX_PAIRS];      /* the same over all pairs but one */
    float power[MAX_PAIRS][MAX_TILE];       /* p^0, p^1 ... */
    float weight[MAX_PAIRS];                /* 1 / (2 p^2 times the product of (p^2 - q^2) over the other pairs +-q) */
    float zero;                             /* 1 / product of (-p^2) */
} points;

#define SINGLE(a) (float)(a)
#define POWERS(p) { 1, SINGLE(p), SINGLE((p) * (p)), SINGLE((p) * (p) * (p)) }

/* F(2,3): 0, +-1. */
static const points points_2 = { .all = { -1, 1 }, .other = { { 1 } }, .power = { POWERS(1.) }, .weight = { 0.5f }, .zero = -1 };

/* F(4,3): 0, +-21/32, +-49/32. Of all such pairs .65144 and 1.53506 amplify rounding least; these are near, and short. */
#define P 0.65625
#define Q 1.53125
#define PP (P * P)
#define QQ (Q * Q)
static const points points_4 = {
    .all = { SINGLE(PP * QQ), SINGLE(-PP - QQ), 1 },
    .other = { { SINGLE(-QQ), 1 }, { SINGLE(-PP), 1 } },
    .power = { POWERS(P), POWERS(Q) },
    .weight = { SINGLE(1 / (2 * PP * (PP - QQ))), SINGLE(1 / (2 * QQ * (QQ - PP))) },
    .zero = SINGLE(1 / (PP * QQ)),
};
#undef P
#undef Q
#undef PP
#undef QQ

SIMD_INLINE const points *points_of(int m)
{
    return m == 2 ? &points_2 : &points_4;
}

/* Sum of factor[i] * d[2 i step], i < n; the last factor is 1. */
SIMD_INLINE vf every_other(const vf *d, const float *factor, int n)
{
    vf sum = d[2 * (n - 1)];
#pragma GCC unroll 4
    for (int i = n - 2; i >= 0; i--)
        sum += d[2 * i] * factor[i];
    return sum;
}

/* out = B^T d. */
SIMD_INLINE void transform_inputs(vf *out, const vf *d, int m)
{
    const points *p = points_of(m);
    out[0] = every_other(d, p->all, m / 2 + 1);
#pragma GCC unroll 2
    for (int k = 0; k < m / 2; k++) {
        vf even = every_other(d + 2, p->other[k], m / 2), odd = every_other(d + 1, p->other[k], m / 2) * p->power[k][1];
        out[2 * k + 1] = even + odd;
        out[2 * k + 2] = even - odd;
    }
    out[m + 1] = every_other(d + 1, p->all, m / 2 + 1);
}

/* out (m) = A^T t. */
SIMD_INLINE void transform_sums(vf *out, const vf *t, int m)
{
    const points *p = points_of(m);
    vf sum[MAX_PAIRS], difference[MAX_PAIRS];
#pragma GCC unroll 2
    for (int k = 0; k < m / 2; k++) {
        sum[k] = t[2 * k + 1] + t[2 * k + 2];
        difference[k] = t[2 * k + 1] - t[2 * k + 2];
    }
#pragma GCC unroll 4
    for (int i = 0; i < m; i++) {
        vf y = (i % 2 == 0 ? sum[0] : difference[0]) * p->power[0][i];
#pragma GCC unroll 2
        for (int k = 1; k < m / 2; k++)
            y += (i % 2 == 0 ? sum[k] : difference[k]) * p->power[k][i];
        out[i] = i == 0 ? y + t[0] : i == m - 1 ? y + t[m + 1] : y;
    }
}

/* out (m + 2) = A y. */
SIMD_INLINE void transform_gradients(vf *out, const vf *y, int m)
{
    const points *p = points_of(m);
    out[0] = y[0];
#pragma GCC unroll 2
    for (int k = 0; k < m / 2; k++) {
        vf even = y[0], odd = y[1] * p->power[k][1];
#pragma GCC unroll 4
        for (int i = 2; i < m; i += 2) {
            even += y[i] * p->power[k][i];
            odd += y[i + 1] * p->power[k][i + 1];
        }
        out[2 * k + 1] = even + odd;
        out[2 * k + 2] = even - odd;
    }
    out[m + 1] = y[m - 1];
}

/* out (m + 2) = G g. */
SIMD_INLINE void transform_weights(vf *out, const vf *g, int m)
{
    const points *p = points_of(m);
    out[0] = g[0] * p->zero;
#pragma GCC unroll 2
    for (int k = 0; k < m / 2; k++) {
        vf even = (g[0] + g[2] * p->power[k][2]) * p->weight[k], odd = g[1] * (p->power[k][1] * p->weight[k]);
        out[2 * k + 1] = even + odd;
        out[2 * k + 2] = even - odd;
    }
    out[m + 1] = g[2];
}

/* out (3) = G^T u. */
SIMD_INLINE void weights_of_sums(vf *out, const vf *u, int m)
{
    const points *p = points_of(m);
    out[0] = u[0] * p->zero;
    out[1] = splat(0);
    out[2] = u[m + 1];
#pragma GCC unroll 2
    for (int k = 0; k < m / 2; k++) {
        vf even = (u[2 * k + 1] + u[2 * k + 2]) * p->weight[k], odd = (u[2 * k + 1] - u[2 * k + 2]) * p->weight[k];
        out[0] += even;
        out[1] += odd * p->power[k][1];
        out[2] += even * p->power[k][2];
    }
}

#endif
