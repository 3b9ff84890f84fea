/* Vectors of f32, and of f64 beside them, on one thread. Plain loops that the compiler vectorises. */
#include <math.h>

#include "backend/cpu/fill.h"
#include "backend/cpu/simd.h"

static bool max_of(protea_backend *be, float *restrict max, const float *restrict x, int64_t n)
{
    (void)be;
    float not_finite = 0; /* x - x is 0 for finite x, NaN else, and NaN stays in the sum */
    float lane[LANES] = { 0 };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) {
            max[i + j] = x[i + j] > max[i + j] ? x[i + j] : max[i + j];
            lane[j] += x[i + j] - x[i + j];
        }
    for (; i < n; i++) {
        max[i] = x[i] > max[i] ? x[i] : max[i];
        not_finite += x[i] - x[i];
    }
    for (int j = 0; j < LANES; j++)
        not_finite += lane[j];
    return not_finite == 0;
}

/* 2^k as a float, -126 <= k <= 127. */
static inline float power_of_two(int32_t k)
{
    uint32_t bits = (uint32_t)(k + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* exp of less is 0 in f32, of more infinite. */
static const float LEAST_EXPONENT = -110, MOST_EXPONENT = 130;

/* exp(d * scale) = 2^k exp(r), r = d scale - k ln 2, |r| <= ln 2 / 2, and exp(r) - 1 is its Taylor polynomial of degree 7 (rest
 * < 6e-9), paired so that few operations wait for each other. least and most bound d. What the product loses by rounding comes
 * back through `lost`, and ln 2 is in two parts, the first of which k multiplies exactly. The power is in two factors, so that
 * results below the normal range are rounded, not cut. */
static inline float exp_of(float d, float scale, float least, float most)
{
    d = least > d ? least : d; /* NaN passes */
    d = most < d ? most : d;
    float t = d * scale;
    float lost = SIMD_FMA(d, scale, -t);
    float rounded = SIMD_FMA(t, 1.44269504f, 0x1.8p23f), k = rounded - 0x1.8p23f; /* a whole number, in the low bits */
    float r = SIMD_FMA(k, -0x1.62e4p-1f, t) + SIMD_FMA(k, -0x1.7f7d1cp-20f, lost), r2 = r * r;
    float high = SIMD_FMA(SIMD_FMA(r, 1 / 5040.f, 1 / 720.f), r2, SIMD_FMA(r, 1 / 120.f, 1 / 24.f));
    float less_one = SIMD_FMA(SIMD_FMA(high, r2, SIMD_FMA(r, 1 / 6.f, 0.5f)), r2, r);
    int32_t bits, whole;
    memcpy(&bits, &rounded, sizeof bits);
    whole = bits - 0x4b400000;
    int32_t half = whole >> 1;
    float power = power_of_two(half);
    return SIMD_FMA(less_one, power, power) * power_of_two(whole - half);
}

static void exp_less(protea_backend *be, float *y, float *restrict sum, const float *x, const float *restrict less, float scale,
                     int64_t n)
{
    (void)be;
    const float least = LEAST_EXPONENT / scale, most = MOST_EXPONENT / scale;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float e = exp_of(x[i] - less[i], scale, least, most);
        y[i] = e;
        sum[i] += e;
    }
}

static void exp_below(protea_backend *be, float *y, float *restrict sum, const float *x, float top, float scale, float weight,
                      int64_t n)
{
    (void)be;
    const float least = LEAST_EXPONENT / scale, most = MOST_EXPONENT / scale;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float e = exp_of(x[i] - top, scale, least, most);
        y[i] = e;
        sum[i] += weight * e;
    }
}

static float largest(protea_backend *be, const float *x, int64_t n)
{
    (void)be;
    float most = x[0], not_finite = 0; /* x - x is 0 for finite x, NaN else, and NaN stays in the sum */
#pragma omp simd reduction(max : most) reduction(+ : not_finite)
    for (int64_t i = 0; i < n; i++) {
        most = x[i] > most ? x[i] : most;
        not_finite += x[i] - x[i];
    }
    return most + not_finite;
}

typedef double vd __attribute__((vector_size(PROTEA_LANES * 8)));

/* A tree, whose additions need not wait for each other. */
SIMD_INLINE double sum_of(vd all)
{
    double lane[LANES];
    memcpy(lane, &all, sizeof lane);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

/* A fixed number of running sums, added up in double. */
static double dot(protea_backend *be, const float *restrict a, const float *restrict b, int64_t n)
{
    enum { SUMS = 4 };
    (void)be;
    vf sum[SUMS] = { { 0 } };
    double total = 0;
    int64_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES)
        for (int s = 0; s < SUMS; s++)
            sum[s] += load(a, i + s * LANES, LANES, PROTEA_F32) * load(b, i + s * LANES, LANES, PROTEA_F32);
    for (; i < n; i++)
        total += (double)a[i] * (double)b[i];
    return total + sum_of(__builtin_convertvector((sum[0] + sum[1]) + (sum[2] + sum[3]), vd));
}

static void axpy(protea_backend *be, float *restrict y, float a, const float *restrict x, int64_t n)
{
    (void)be;
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void times(protea_backend *be, float *restrict y, float a, const float *restrict x, int64_t n)
{
    (void)be;
    for (int64_t i = 0; i < n; i++)
        y[i] = a * (y[i] * x[i]);
}

static double dot_wide(protea_backend *be, const double *restrict w, const float *restrict x, int64_t n)
{
    enum { SUMS = 2 };
    (void)be;
    vd sum[SUMS] = { { 0 } };
    double total = 0;
    int64_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES)
        for (int s = 0; s < SUMS; s++) {
            vd wide;
            memcpy(&wide, w + i + s * LANES, sizeof wide);
            sum[s] += wide * __builtin_convertvector(load(x, i + s * LANES, LANES, PROTEA_F32), vd);
        }
    for (; i < n; i++)
        total += w[i] * (double)x[i];
    return total + sum_of(sum[0] + sum[1]);
}

static void axpy_wide(protea_backend *be, double *restrict w, double a, const float *restrict x, int64_t n)
{
    (void)be;
    for (int64_t i = 0; i < n; i++)
        w[i] += a * (double)x[i];
}

void SIMD_NAME(protea_simd_fill_vectors)(protea_kernels *k)
{
    k->max_of = max_of;
    k->exp_less = exp_less;
    k->exp_below = exp_below;
    k->largest = largest;
    k->dot = dot;
    k->axpy = axpy;
    k->times = times;
    k->dot_wide = dot_wide;
    k->axpy_wide = axpy_wide;
}
