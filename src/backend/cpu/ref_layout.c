/* Reference: choice of block, and the edges between plain f32 NCHW and the native layout. */
#include "backend/cpu/fill.h"
#include "backend/cpu/ref_access.h"

/* As on a CPU with AVX2: blocks of 8 where they fit, planes for images, NHWC for the rest. */
static int64_t block(const protea_backend *be, protea_dtype dtype, int64_t c)
{
    (void)be;
    if (dtype == PROTEA_BF16)
        return c;
    if (c % 8 == 0)
        return 8;
    return c < 8 ? 1 : c;
}

static void to_native(protea_backend *be, void *y, const protea_map *m, const float *x)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < m->n * m->c; plane++)
        for (int64_t i = 0; i < m->h * m->w; i++)
            put(y, m->dtype, map_at(m, plane / m->c, plane % m->c, i / m->w, i % m->w), x[plane * m->h * m->w + i]);
}

static void from_native(protea_backend *be, float *y, const void *x, const protea_map *m)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < m->n * m->c; plane++)
        for (int64_t i = 0; i < m->h * m->w; i++)
            y[plane * m->h * m->w + i] = get(x, m->dtype, map_at(m, plane / m->c, plane % m->c, i / m->w, i % m->w));
}

void protea_ref_fill_layout(protea_kernels *k)
{
    k->block = block;
    k->to_native = to_native;
    k->from_native = from_native;
}
