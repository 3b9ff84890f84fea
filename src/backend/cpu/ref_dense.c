/* Reference: f32 rows. */
#include <math.h>

#include "backend/cpu/fill.h"

static double dot(const float *a, const float *b, int64_t n, int64_t stride_a, int64_t stride_b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i * stride_a] * (double)b[i * stride_b];
    return sum;
}

static protea_status gemm(protea_backend *be, float *c, const float *a, const float *b, bool ta, bool tb, int64_t m, int64_t n,
                          int64_t k, float alpha, float beta, int64_t lda, int64_t ldb, int64_t ldc)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = dot(ta ? a + i : a + i * lda, tb ? b + j * ldb : b + j, k, ta ? lda : 1, tb ? 1 : ldb);
            double before = beta == 0.0f ? 0 : (double)beta * (double)c[i * ldc + j];
            c[i * ldc + j] = (float)((double)alpha * sum + before);
        }
    return PROTEA_OK;
}

static void add_bias(protea_backend *be, float *y, const float *bias, int64_t n, int64_t c)
{
    (void)be;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < c; j++)
            y[i * c + j] += bias[j];
}

static void bias_backward(protea_backend *be, float *dbias, const float *dy, int64_t n, int64_t c)
{
    (void)be;
    for (int64_t j = 0; j < c; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)dy[i * c + j];
        dbias[j] += (float)sum;
    }
}

static void l2norm(protea_backend *be, float *y, float *norm, const float *x, int64_t n, int64_t c)
{
    (void)be;
    for (int64_t i = 0; i < n; i++) {
        double length = fmax(sqrt(dot(x + i * c, x + i * c, c, 1, 1)), 1e-12);
        norm[i] = (float)length;
        for (int64_t j = 0; j < c; j++)
            y[i * c + j] = (float)((double)x[i * c + j] / length);
    }
}

static void l2norm_backward(protea_backend *be, float *dx, const float *y, const float *norm, const float *dy, int64_t n,
                            int64_t c)
{
    (void)be;
    for (int64_t i = 0; i < n; i++) {
        double along = dot(y + i * c, dy + i * c, c, 1, 1);
        for (int64_t j = 0; j < c; j++)
            dx[i * c + j] = (float)(((double)dy[i * c + j] - (double)y[i * c + j] * along) / (double)norm[i]);
    }
}

static void softmax(protea_backend *be, float *p, float *log_sum, const float *x, float scale, int64_t n, int64_t c)
{
    (void)be;
    for (int64_t i = 0; i < n; i++) {
        double top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < c; j++)
            top = fmax(top, (double)x[i * c + j] * (double)scale);
        for (int64_t j = 0; j < c; j++)
            sum += exp((double)x[i * c + j] * (double)scale - top);
        log_sum[i] = (float)(top + log(sum));
        for (int64_t j = 0; j < c && p != NULL; j++)
            p[i * c + j] = (float)(exp((double)x[i * c + j] * (double)scale - top) / sum);
    }
}

void protea_ref_fill_dense(protea_kernels *k)
{
    k->gemm = gemm;
    k->add_bias = add_bias;
    k->bias_backward = bias_backward;
    k->l2norm = l2norm;
    k->l2norm_backward = l2norm_backward;
    k->softmax = softmax;
}
