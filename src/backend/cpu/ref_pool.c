/* Reference: pooling. */
#include <math.h>

#include "backend/cpu/fill.h"
#include "backend/cpu/ref_access.h"

/* Value and position in its window of the maximum; the first of equals, and NaN beats all. */
typedef struct peak {
    float value;
    int64_t where;
} peak;

static peak window_peak(const void *x, const protea_conv_dims *d, int64_t n, int64_t c, int64_t i, int64_t j)
{
    peak best = { -INFINITY, -1 };
    for (int64_t p = 0; p < d->kh; p++)
        for (int64_t q = 0; q < d->kw; q++) {
            int64_t y = i * d->stride + p - d->pad, z = j * d->stride + q - d->pad;
            if (y < 0 || y >= d->x.h || z < 0 || z >= d->x.w)
                continue;
            float value = get(x, d->x.dtype, map_at(&d->x, n, c, y, z));
            if (best.where < 0 || value > best.value || (isnan(value) && !isnan(best.value)))
                best = (peak){ value, p * d->kw + q };
        }
    return best;
}

static void max_pool(protea_backend *be, void *y, uint8_t *where, const void *x, const protea_conv_dims *d)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < d->y.n * d->y.c; plane++)
        for (int64_t i = 0; i < d->y.h * d->y.w; i++) {
            int64_t n = plane / d->y.c, c = plane % d->y.c;
            peak best = window_peak(x, d, n, c, i / d->y.w, i % d->y.w);
            int64_t at = map_at(&d->y, n, c, i / d->y.w, i % d->y.w);
            put(y, d->y.dtype, at, best.value);
            where[at] = (uint8_t)best.where;
        }
}

/* Sum of dy over the windows whose maximum was x[n,c,y,z]. */
static double gathered(const void *dy, const uint8_t *where, const protea_conv_dims *d, int64_t n, int64_t c, int64_t y,
                       int64_t z)
{
    double sum = 0;
    for (int64_t p = 0; p < d->kh; p++)
        for (int64_t q = 0; q < d->kw; q++) {
            int64_t i = y + d->pad - p, j = z + d->pad - q;
            if (i < 0 || j < 0 || i % d->stride || j % d->stride || i / d->stride >= d->y.h || j / d->stride >= d->y.w)
                continue;
            int64_t at = map_at(&d->y, n, c, i / d->stride, j / d->stride);
            if (where[at] == p * d->kw + q)
                sum += (double)get(dy, d->y.dtype, at);
        }
    return sum;
}

static void max_pool_backward(protea_backend *be, void *dx, const void *dy, const uint8_t *where, const protea_conv_dims *d)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < d->x.n * d->x.c; plane++)
        for (int64_t i = 0; i < d->x.h * d->x.w; i++) {
            int64_t n = plane / d->x.c, c = plane % d->x.c, y = i / d->x.w, z = i % d->x.w;
            put(dx, d->x.dtype, map_at(&d->x, n, c, y, z), (float)gathered(dy, where, d, n, c, y, z));
        }
}

static void mean_pool(protea_backend *be, float *y, const void *x, const protea_map *m)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < m->n * m->c; plane++) {
        double sum = 0;
        for (int64_t i = 0; i < m->h * m->w; i++)
            sum += (double)get(x, m->dtype, map_at(m, plane / m->c, plane % m->c, i / m->w, i % m->w));
        y[plane] = (float)(sum / (double)(m->h * m->w));
    }
}

static void mean_pool_backward(protea_backend *be, void *dx, const float *dy, const protea_map *m)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < m->n * m->c; plane++)
        for (int64_t i = 0; i < m->h * m->w; i++)
            put(dx, m->dtype, map_at(m, plane / m->c, plane % m->c, i / m->w, i % m->w), dy[plane] / (float)(m->h * m->w));
}

void protea_ref_fill_pool(protea_kernels *k)
{
    k->max_pool = max_pool;
    k->max_pool_backward = max_pool_backward;
    k->mean_pool = mean_pool;
    k->mean_pool_backward = mean_pool_backward;
}
