/* Reference: batch-norm in four parts (Ioffe & Szegedy 2015, arXiv:1502.03167), statistics per group of samples. */
#include "backend/cpu/fill.h"
#include "backend/cpu/ref_access.h"

static int64_t group_of(const protea_groups *g, int64_t n)
{
    return n / g->run % g->groups;
}

typedef struct moments {
    double mean, var;
} moments;

/* Two passes over the elements of one channel in one group. */
static moments channel_moments(const void *x, const protea_map *m, const protea_groups *g, int64_t group, int64_t c)
{
    moments r = { 0, 0 };
    int64_t count = 0;
    for (int64_t n = 0; n < m->n; n++)
        for (int64_t i = 0; i < m->h * m->w && group_of(g, n) == group; i++, count++)
            r.mean += (double)get(x, m->dtype, map_at(m, n, c, i / m->w, i % m->w));
    r.mean /= (double)count;
    for (int64_t n = 0; n < m->n; n++)
        for (int64_t i = 0; i < m->h * m->w && group_of(g, n) == group; i++) {
            double from_mean = (double)get(x, m->dtype, map_at(m, n, c, i / m->w, i % m->w)) - r.mean;
            r.var += from_mean * from_mean;
        }
    r.var /= (double)count;
    return r;
}

static void bn_stats(protea_backend *be, float *mean, float *var, const void *x, const protea_map *m, const protea_groups *g)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < g->groups * m->c; i++) {
        moments r = channel_moments(x, m, g, i / m->c, i % m->c);
        mean[i] = (float)r.mean;
        var[i] = (float)r.var;
    }
}

static void bn_apply(protea_backend *be, void *y, const void *x, const void *residual, const float *scale, const float *shift,
                     const protea_map *m, const protea_groups *g, protea_act act)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < m->n * m->c; plane++)
        for (int64_t i = 0; i < m->h * m->w; i++) {
            int64_t n = plane / m->c, c = plane % m->c, gc = group_of(g, n) * m->c + c;
            int64_t at = map_at(m, n, c, i / m->w, i % m->w);
            float value = get(x, m->dtype, at) * scale[gc] + shift[gc];
            if (residual != NULL)
                value += get(residual, m->dtype, at);
            put(y, m->dtype, at, act == PROTEA_RELU && value < 0 ? 0 : value);
        }
}

/* What bn_backward_* read besides the sizes. */
typedef struct bn_inputs {
    const void *x, *y, *dy;
    const float *scale, *shift;
    const protea_map *m;
    protea_act act;
} bn_inputs;

/* dz at element `at` of group and channel gc. */
static float masked(const bn_inputs *in, int64_t at, int64_t gc)
{
    float dy = get(in->dy, in->m->dtype, at);
    if (in->act == PROTEA_LINEAR)
        return dy;
    float out = in->y != NULL ? get(in->y, in->m->dtype, at) : get(in->x, in->m->dtype, at) * in->scale[gc] + in->shift[gc];
    return out > 0 ? dy : 0;
}

static void bn_backward_reduce(protea_backend *be, double *sum_dz, double *sum_dz_x, const void *x, const void *y,
                               const void *dy, const float *mean, const float *scale, const float *shift, const protea_map *m,
                               const protea_groups *g, protea_act act)
{
    (void)be;
    const bn_inputs in = { x, y, dy, scale, shift, m, act };
#pragma omp parallel for schedule(static)
    for (int64_t gc = 0; gc < g->groups * m->c; gc++) {
        double dz_sum = 0, dz_x_sum = 0;
        for (int64_t n = 0; n < m->n; n++)
            for (int64_t i = 0; i < m->h * m->w && group_of(g, n) == gc / m->c; i++) {
                int64_t at = map_at(m, n, gc % m->c, i / m->w, i % m->w);
                double dz = (double)masked(&in, at, gc);
                dz_sum += dz;
                dz_x_sum += dz * ((double)get(x, m->dtype, at) - (double)mean[gc]);
            }
        sum_dz[gc] = dz_sum;
        sum_dz_x[gc] = dz_x_sum;
    }
}

static void bn_backward_apply(protea_backend *be, void *dx, void *d_residual, const void *x, const void *y, const void *dy,
                              const float *a, const float *b, const float *k, const float *scale, const float *shift,
                              const protea_map *m, const protea_groups *g, protea_act act)
{
    (void)be;
    const bn_inputs in = { x, y, dy, scale, shift, m, act };
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < m->n * m->c; plane++)
        for (int64_t i = 0; i < m->h * m->w; i++) {
            int64_t n = plane / m->c, c = plane % m->c, gc = group_of(g, n) * m->c + c;
            int64_t at = map_at(m, n, c, i / m->w, i % m->w);
            float dz = masked(&in, at, gc);
            put(dx, m->dtype, at, a[gc] * dz + b[gc] * get(x, m->dtype, at) + k[gc]);
            if (d_residual != NULL)
                put(d_residual, m->dtype, at, dz);
        }
}

void protea_ref_fill_batchnorm(protea_kernels *k)
{
    k->bn_stats = bn_stats;
    k->bn_apply = bn_apply;
    k->bn_backward_reduce = bn_backward_reduce;
    k->bn_backward_apply = bn_backward_apply;
}
