/* Vectors of f32, and of f64 beside them, plainly. */
#include <math.h>

#include "backend/cpu/fill.h"

static bool max_of(protea_backend *be, float *max, const float *x, int64_t n)
{
    (void)be;
    bool finite = true;
    for (int64_t i = 0; i < n; i++) {
        finite = finite && isfinite(x[i]);
        max[i] = fmaxf(max[i], x[i]);
    }
    return finite;
}

static void exp_less(protea_backend *be, float *y, float *sum, const float *x, const float *less, float scale, int64_t n)
{
    (void)be;
    for (int64_t i = 0; i < n; i++) {
        y[i] = (float)exp((double)(x[i] - less[i]) * (double)scale);
        sum[i] += y[i];
    }
}

static void exp_below(protea_backend *be, float *y, float *sum, const float *x, float top, float scale, float weight, int64_t n,
                      bool away)
{
    (void)be, (void)away;
    for (int64_t i = 0; i < n; i++) {
        y[i] = (float)exp((double)(x[i] - top) * (double)scale);
        sum[i] += weight * y[i];
    }
}

static float largest(protea_backend *be, const float *x, int64_t n)
{
    (void)be;
    float most = x[0];
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return NAN;
        most = fmaxf(most, x[i]);
    }
    return most;
}

static double dot(protea_backend *be, const float *a, const float *b, int64_t n)
{
    (void)be;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void dot_rows(protea_backend *be, double *out, float *const *rows, int count, const float *u, int64_t n)
{
    (void)be;
    for (int r = 0; r < count; r++)
        out[r] = dot(be, rows[r], u, n);
}

static void add_rows(protea_backend *be, float *sum, const float *v, float *const *rows, int count, int64_t n)
{
    (void)be;
    for (int r = 0; r < count; r++)
        for (int64_t i = 0; i < n; i++)
            sum[i] += v[r] * rows[r][i];
}

static void scale_rows(protea_backend *be, float *const *rows, const float *v, int count, const float *u, int64_t n)
{
    (void)be;
    for (int r = 0; r < count; r++)
        for (int64_t i = 0; i < n; i++)
            rows[r][i] = v[r] * (rows[r][i] * u[i]);
}

static double dot_wide(protea_backend *be, const double *w, const float *x, int64_t n)
{
    (void)be;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += w[i] * (double)x[i];
    return sum;
}

static void axpy_wide(protea_backend *be, double *w, double a, const float *x, int64_t n)
{
    (void)be;
    for (int64_t i = 0; i < n; i++)
        w[i] += a * (double)x[i];
}

void protea_ref_fill_vectors(protea_kernels *k)
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
