/* Reference: convolution by its definition, sums in double.
 *   y[n,o,i,j] = sum over c,p,q of w[o,c,p,q] x[n,c, i*stride + p - pad, j*stride + q - pad]
 * With bf16 activations the weights are rounded to bf16 first, as the fast kernels do. */
#include "backend/cpu/fill.h"
#include "backend/cpu/ref_access.h"

static float weight(const float *w, const protea_conv_dims *d, int64_t o, int64_t c, int64_t p, int64_t q)
{
    float value = w[((o * d->x.c + c) * d->kh + p) * d->kw + q];
    return d->x.dtype == PROTEA_BF16 ? protea_bf16_to_f32(protea_f32_to_bf16(value)) : value;
}

static bool inside(const protea_map *m, int64_t y, int64_t x)
{
    return y >= 0 && y < m->h && x >= 0 && x < m->w;
}

static protea_status conv_scratch(protea_backend *be, size_t *bytes, const protea_conv_dims *d, protea_conv_pass pass)
{
    (void)be, (void)d, (void)pass;
    *bytes = 0;
    return PROTEA_OK;
}

static double forward_at(const void *x, const float *w, const protea_conv_dims *d, int64_t n, int64_t o, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t p = 0; p < d->kh; p++)
        for (int64_t q = 0; q < d->kw; q++) {
            int64_t y = i * d->stride + p - d->pad, z = j * d->stride + q - d->pad;
            if (!inside(&d->x, y, z))
                continue;
            for (int64_t c = 0; c < d->x.c; c++)
                sum += (double)weight(w, d, o, c, p, q) * (double)get(x, d->x.dtype, map_at(&d->x, n, c, y, z));
        }
    return sum;
}

static protea_status conv_forward(protea_backend *be, void *y, const void *x, const float *w, const protea_conv_dims *d,
                                  void *scratch)
{
    (void)be, (void)scratch;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < d->y.n * d->y.c; plane++)
        for (int64_t i = 0; i < d->y.h * d->y.w; i++) {
            int64_t n = plane / d->y.c, o = plane % d->y.c;
            double sum = forward_at(x, w, d, n, o, i / d->y.w, i % d->y.w);
            put(y, d->y.dtype, map_at(&d->y, n, o, i / d->y.w, i % d->y.w), (float)sum);
        }
    return PROTEA_OK;
}

/* Sum over the outputs that saw x[n,c,y,z]: those with i*stride + p - pad = y for some p. */
static double backward_data_at(const void *dy, const float *w, const protea_conv_dims *d, int64_t n, int64_t c, int64_t y,
                               int64_t z)
{
    double sum = 0;
    for (int64_t p = 0; p < d->kh; p++)
        for (int64_t q = 0; q < d->kw; q++) {
            int64_t i = y + d->pad - p, j = z + d->pad - q;
            if (i % d->stride || j % d->stride || !inside(&d->y, i / d->stride, j / d->stride))
                continue;
            for (int64_t o = 0; o < d->y.c; o++)
                sum += (double)weight(w, d, o, c, p, q) *
                       (double)get(dy, d->y.dtype, map_at(&d->y, n, o, i / d->stride, j / d->stride));
        }
    return sum;
}

static protea_status conv_backward_data(protea_backend *be, void *dx, const void *dy, const float *w,
                                        const protea_conv_dims *d, void *scratch)
{
    (void)be, (void)scratch;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < d->x.n * d->x.c; plane++)
        for (int64_t i = 0; i < d->x.h * d->x.w; i++) {
            int64_t n = plane / d->x.c, c = plane % d->x.c;
            double sum = backward_data_at(dy, w, d, n, c, i / d->x.w, i % d->x.w);
            put(dx, d->x.dtype, map_at(&d->x, n, c, i / d->x.w, i % d->x.w), (float)sum);
        }
    return PROTEA_OK;
}

static double backward_weights_at(const void *dy, const void *x, const protea_conv_dims *d, int64_t o, int64_t c, int64_t p,
                                  int64_t q)
{
    double sum = 0;
    for (int64_t n = 0; n < d->y.n; n++)
        for (int64_t i = 0; i < d->y.h; i++)
            for (int64_t j = 0; j < d->y.w; j++) {
                int64_t y = i * d->stride + p - d->pad, z = j * d->stride + q - d->pad;
                if (inside(&d->x, y, z))
                    sum += (double)get(dy, d->y.dtype, map_at(&d->y, n, o, i, j)) *
                           (double)get(x, d->x.dtype, map_at(&d->x, n, c, y, z));
            }
    return sum;
}

static protea_status conv_backward_weights(protea_backend *be, float *dw, const void *dy, const void *x,
                                           const protea_conv_dims *d, void *scratch)
{
    (void)be, (void)scratch;
    int64_t taps = d->kh * d->kw;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < d->y.c * d->x.c * taps; i++) {
        int64_t tap = i % taps, c = i / taps % d->x.c, o = i / taps / d->x.c;
        dw[i] += (float)backward_weights_at(dy, x, d, o, c, tap / d->kw, tap % d->kw);
    }
    return PROTEA_OK;
}

void protea_ref_fill_conv(protea_kernels *k)
{
    k->conv_scratch = conv_scratch;
    k->conv_forward = conv_forward;
    k->conv_backward_data = conv_backward_data;
    k->conv_backward_weights = conv_backward_weights;
}
