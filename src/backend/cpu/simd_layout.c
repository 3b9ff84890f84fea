/* The edges: between plain f32 NCHW and the native layout. Images mostly, a few channels wide. */
#include "backend/bf16.h"
#include "backend/cpu/fill.h"
#include "backend/cpu/simd.h"

/* One slab: `block` planes of n pixels to n rows of `block` channels. */
static void slab_to_native(void *y, const float *x, int64_t block, int64_t n, protea_dtype dtype)
{
    for (int64_t c = 0; c < block; c++)
        for (int64_t i = 0; i < n; i++) {
            if (dtype == PROTEA_BF16)
                ((protea_bf16 *)y)[i * block + c] = protea_f32_to_bf16(x[c * n + i]);
            else
                ((float *)y)[i * block + c] = x[c * n + i];
        }
}

static void slab_from_native(float *y, const void *x, int64_t block, int64_t n, protea_dtype dtype)
{
    for (int64_t c = 0; c < block; c++)
        for (int64_t i = 0; i < n; i++)
            y[c * n + i] = dtype == PROTEA_BF16 ? protea_bf16_to_f32(((const protea_bf16 *)x)[i * block + c])
                                                : ((const float *)x)[i * block + c];
}

static void to_native(protea_backend *be, void *y, const protea_map *m, const float *x)
{
    (void)be;
    int64_t pixels = m->h * m->w, size = pixels * m->block;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < m->n * (m->c / m->block); slab++)
        slab_to_native((char *)y + slab * size * (int64_t)protea_dtype_bytes(m->dtype), x + slab * size, m->block, pixels,
                       m->dtype);
}

static void from_native(protea_backend *be, float *y, const void *x, const protea_map *m)
{
    (void)be;
    int64_t pixels = m->h * m->w, size = pixels * m->block;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < m->n * (m->c / m->block); slab++)
        slab_from_native(y + slab * size, (const char *)x + slab * size * (int64_t)protea_dtype_bytes(m->dtype), m->block,
                         pixels, m->dtype);
}

void SIMD_NAME(protea_simd_fill_layout)(protea_kernels *k)
{
    k->to_native = to_native;
    k->from_native = from_native;
}
