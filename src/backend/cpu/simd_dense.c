/* Dense rows, f32; sums in f64 where a row is summed. Plain loops that the compiler vectorises. */
#include <math.h>

#include "backend/cpu/fill.h"
#include "backend/cpu/simd.h"

enum { COLUMNS = 64 };

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void add_bias(protea_backend *be, float *y, const float *bias, int64_t n, int64_t c)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < c; j++)
            y[i * c + j] += bias[j];
}

/* Columns are split, so that each sum runs over the rows in order whatever the number of threads. */
static void bias_backward(protea_backend *be, float *dbias, const float *dy, int64_t n, int64_t c)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < c; from += COLUMNS) {
        double sum[COLUMNS] = { 0 };
        int64_t count = least(COLUMNS, c - from);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < count; j++)
                sum[j] += (double)dy[i * c + from + j];
        for (int64_t j = 0; j < count; j++)
            dbias[from + j] += (float)sum[j];
    }
}

/* Sum of products in f64: as many running sums as a vector has, combined in order. */
static double dot(const float *a, const float *b, int64_t n)
{
    double sum[LANES] = { 0 }, total = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            sum[j] += (double)a[i + j] * (double)b[i + j];
    for (; i < n; i++)
        total += (double)a[i] * (double)b[i];
    for (int j = 0; j < LANES; j++)
        total += sum[j];
    return total;
}

static void l2norm(protea_backend *be, float *y, float *norm, const float *x, int64_t n, int64_t c)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        double length = fmax(sqrt(dot(x + i * c, x + i * c, c)), 1e-12);
        norm[i] = (float)length;
        for (int64_t j = 0; j < c; j++)
            y[i * c + j] = (float)((double)x[i * c + j] / length);
    }
}

static void l2norm_backward(protea_backend *be, float *dx, const float *y, const float *norm, const float *dy, int64_t n,
                            int64_t c)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        float along = (float)dot(y + i * c, dy + i * c, c);
        for (int64_t j = 0; j < c; j++)
            dx[i * c + j] = (dy[i * c + j] - y[i * c + j] * along) / norm[i];
    }
}

/* y = exp(x * scale + offset), n elements. The argument is in f64, so that a large one costs no digits; then
 * exp(t) = 2^k exp(r), r = t - k ln 2, |r| <= ln 2 / 2, and exp(r) is its Taylor polynomial of degree 8 (rest < 3e-10).
 * y may be x; the pragma says that this stops no vectors. */
static void exp_row(float *y, const float *x, double scale, double offset, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        double t = (double)x[i] * scale + offset;
        t = t < -200 ? -200 : t;
        t = t > 200 ? 200 : t; /* NaN passes */
        double rounded = t * 1.4426950408889634 + 0x1.8p52; /* to a whole number, which is in the low bits */
        double k = rounded - 0x1.8p52;
        double r = t - k * 0.6931471805599453;
        double high = 1 / 120. + r * (1 / 720. + r * (1 / 5040. + r * (1 / 40320.)));
        double p = 1 + r * (1 + r * (1 / 2. + r * (1 / 6. + r * (1 / 24. + r * high))));
        int64_t bits;
        memcpy(&bits, &rounded, sizeof bits);
        uint64_t power_bits = ((uint64_t)bits + 1023) << 52;
        double power;
        memcpy(&power, &power_bits, sizeof power);
        y[i] = (float)(p * power);
    }
}

static float row_maximum(const float *x, int64_t n)
{
    float top = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    return top;
}

static double row_sum(const float *x, int64_t n)
{
    double sum[LANES] = { 0 }, total = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            sum[j] += (double)x[i + j];
    for (; i < n; i++)
        total += (double)x[i];
    for (int j = 0; j < LANES; j++)
        total += sum[j];
    return total;
}

/* Sum of exp over a row without keeping the exponentials. */
static double exp_sum(const float *x, double scale, double offset, int64_t n)
{
    float piece[COLUMNS];
    double sum = 0;
    for (int64_t from = 0; from < n; from += COLUMNS) {
        int64_t count = least(COLUMNS, n - from);
        exp_row(piece, x + from, scale, offset, count);
        sum += row_sum(piece, count);
    }
    return sum;
}

static void softmax(protea_backend *be, float *p, float *log_sum, const float *x, float scale, int64_t n, int64_t c)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const float *row = x + i * c;
        double top = (double)row_maximum(row, c) * (double)scale;
        double log_of_sum = top + log(exp_sum(row, (double)scale, -top, c));
        log_sum[i] = (float)log_of_sum;
        if (p != NULL)
            exp_row(p + i * c, row, (double)scale, -log_of_sum, c);
    }
}

void SIMD_NAME(protea_simd_fill_dense)(protea_kernels *k)
{
    k->add_bias = add_bias;
    k->bias_backward = bias_backward;
    k->l2norm = l2norm;
    k->l2norm_backward = l2norm_backward;
    k->softmax = softmax;
}
