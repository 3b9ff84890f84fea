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

/* A vector to an aligned place, past the caches. */
SIMD_INLINE void stream(float *to, const float *from)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(to, _mm512_loadu_ps(from));
#elif defined(__FMA__)
    _mm256_stream_ps(to, _mm256_loadu_ps(from));
#else
    memcpy(to, from, LANES * sizeof *to);
#endif
}

/* Before others may read what was streamed. */
SIMD_INLINE void end_stream(void)
{
#ifdef __FMA__
    _mm_sfence();
#endif
}

/* What exp_below computes elements with. */
typedef struct below {
    float top, scale, weight, least, most;
} below;

SIMD_INLINE void exp_some(float *y, float *restrict sum, const float *x, const below *b, int64_t n)
{
    const float top = b->top, scale = b->scale, weight = b->weight, least = b->least, most = b->most;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float e = exp_of(x[i] - top, scale, least, most);
        y[i] = e;
        sum[i] += weight * e;
    }
}

static void exp_below(protea_backend *be, float *y, float *restrict sum, const float *x, float top, float scale, float weight,
                      int64_t n, bool away)
{
    const below b = { top, scale, weight, LEAST_EXPONENT / scale, MOST_EXPONENT / scale };
    int64_t i = (int64_t)(-(uintptr_t)y / sizeof *y % LANES);
    (void)be;
    i = i < n ? i : n;
    exp_some(y, sum, x, &b, i);
    for (; i + LANES <= n; i += LANES) {
        float part[LANES];
        __builtin_prefetch(x + n + i);
        exp_some(part, sum + i, x + i, &b, LANES);
        if (away)
            stream(y + i, part);
        else
            memcpy(y + i, part, sizeof part);
    }
    exp_some(y + i, sum + i, x + i, &b, n - i);
    if (away)
        end_stream();
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

/* Of each row two running sums, added up in double: the same however many rows are taken at once. Rows share the reading of u,
 * and while some are in cache the next are on their way. */
SIMD_INLINE void dot_some(double *out, float *const *rows, int count, const float *u, int64_t n)
{
    enum { SUMS = 2 };
    vf sum[PROTEA_ROWS_AT_ONCE][SUMS] = { { { 0 } } };
    int64_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES)
        for (int r = 0; r < count; r++) {
            __builtin_prefetch(rows[r] + count * n + i, 0, 2);
            for (int s = 0; s < SUMS; s++)
                sum[r][s] = multiply_add(load(rows[r], i + s * LANES, LANES, PROTEA_F32),
                                         load(u, i + s * LANES, LANES, PROTEA_F32), sum[r][s]);
        }
    for (int r = 0; r < count; r++) {
        out[r] = sum_of(__builtin_convertvector(sum[r][0] + sum[r][1], vd));
        for (int64_t j = i; j < n; j++)
            out[r] += (double)rows[r][j] * (double)u[j];
    }
}

SIMD_INLINE void add_some(float *restrict sum, const float *v, float *const *rows, int count, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vf total = load(sum, i, LANES, PROTEA_F32);
        for (int r = 0; r < count; r++) {
            if (i / LANES % 2 == 1) /* dot_rows has fetched every other cache line of 64 bytes */
                __builtin_prefetch(rows[r] + count * n + i, 0, 2);
            total = multiply_add(splat(v[r]), load(rows[r], i, LANES, PROTEA_F32), total);
        }
        store(sum, i, LANES, PROTEA_F32, total);
    }
    for (; i < n; i++)
        for (int r = 0; r < count; r++)
            sum[i] += v[r] * rows[r][i];
}

SIMD_INLINE void scale_some(float *const *rows, const float *v, int count, const float *restrict u, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int r = 0; r < count; r++) {
            if (i / LANES % 2 == 1)
                __builtin_prefetch(rows[r] + count * n + i, 0, 2);
            vf value = load(rows[r], i, LANES, PROTEA_F32) * load(u, i, LANES, PROTEA_F32);
            store(rows[r], i, LANES, PROTEA_F32, v[r] * value);
        }
    for (; i < n; i++)
        for (int r = 0; r < count; r++)
            rows[r][i] = v[r] * (rows[r][i] * u[i]);
}

/* BODY with a constant count, so that its rows stay in registers. */
#define COUNTED(count, BODY)                    \
    switch (count) {                            \
    case 1: BODY(1); break;                     \
    case 2: BODY(2); break;                     \
    case 3: BODY(3); break;                     \
    default: BODY(PROTEA_ROWS_AT_ONCE); break;  \
    }

static void dot_rows(protea_backend *be, double *out, float *const *rows, int count, const float *u, int64_t n)
{
    (void)be;
#define DOT(c) dot_some(out, rows, c, u, n)
    COUNTED(count, DOT)
}

static void add_rows(protea_backend *be, float *sum, const float *v, float *const *rows, int count, int64_t n)
{
    (void)be;
#define ADD(c) add_some(sum, v, rows, c, n)
    COUNTED(count, ADD)
}

static void scale_rows(protea_backend *be, float *const *rows, const float *v, int count, const float *u, int64_t n)
{
    (void)be;
#define SCALE(c) scale_some(rows, v, c, u, n)
    COUNTED(count, SCALE)
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
    k->dot_rows = dot_rows;
    k->add_rows = add_rows;
    k->scale_rows = scale_rows;
    k->dot_wide = dot_wide;
    k->axpy_wide = axpy_wide;
}
