/* Colours, a vector of pixels at a time. */
#include "image/pixels.h"
#include "image/simd_hue.h"
#include "image/simd_planes.h"

/* Pillow's "L" of LANES pixels from i on. */
SIMD_INLINE vi luma(const planes *p, int i)
{
    return (19595 * load_bytes(p->r + i) + 38470 * load_bytes(p->g + i) + 7471 * load_bytes(p->b + i) + 0x8000) >> 16;
}

/* bytes[0 .. LANES-1] = their blend with from. */
SIMD_INLINE void blend_bytes(uint8_t *bytes, vf from, float factor)
{
    vf v = from + factor * (__builtin_convertvector(load_bytes(bytes), vf) - from);
    store_bytes(bytes, __builtin_convertvector(choose(v > 255, splat(255), v), vi));
}

static void blend(uint8_t *px, size_t n, uint8_t from, float factor)
{
    size_t i = 0, bytes = 3 * n;
    for (; i + LANES <= bytes; i += LANES)
        blend_bytes(px + i, splat(from), factor);
    uint8_t rest[LANES] = { 0 };
    memcpy(rest, px + i, bytes - i);
    blend_bytes(rest, splat(from), factor);
    memcpy(px + i, rest, bytes - i);
}

/* Blocks after which sums of bytes in whole numbers are put away. */
enum { BLOCKS = 1 << 14 };

SIMD_INLINE vi luma_of_block(const planes *p)
{
    vi sum = { 0 };
    for (int i = 0; i < PLANE; i += LANES)
        sum += luma(p, i);
    return sum;
}

static uint64_t total(vi v)
{
    uint64_t sum = 0;
    for (int l = 0; l < LANES; l++)
        sum += (uint64_t)v[l];
    return sum;
}

static uint64_t luma_sum(const uint8_t *px, size_t n)
{
    planes p;
    uint64_t sum = 0;
    while (n >= PLANE) {
        vi some = { 0 };
        for (int block = 0; block < BLOCKS && n >= PLANE; block++, n -= PLANE, px += 3 * PLANE) {
            split(&p, px);
            some += luma_of_block(&p);
        }
        sum += total(some);
    }
    split_some(&p, px, n); /* zeros add nothing */
    return sum + total(luma_of_block(&p));
}

SIMD_INLINE void saturate_block(planes *p, const void *with)
{
    float factor = *(const float *)with;
    for (int i = 0; i < PLANE; i += LANES) {
        vf from = __builtin_convertvector(luma(p, i), vf);
        blend_bytes(p->r + i, from, factor);
        blend_bytes(p->g + i, from, factor);
        blend_bytes(p->b + i, from, factor);
    }
}

static void saturate(uint8_t *px, size_t n, float factor)
{
    each_block(px, n, saturate_block, &factor);
}

SIMD_INLINE void gray_block(planes *p, const void *with)
{
    (void)with;
    for (int i = 0; i < PLANE; i += LANES)
        store_bytes(p->r + i, luma(p, i));
    memcpy(p->g, p->r, PLANE);
    memcpy(p->b, p->r, PLANE);
}

static void gray(uint8_t *px, size_t n)
{
    each_block(px, n, gray_block, NULL);
}

/* PLANE floats of one channel. */
SIMD_INLINE void scaled(float *x, const uint8_t *plane, float scale, float shift)
{
    for (int i = 0; i < PLANE; i += LANES) {
        vf v = __builtin_convertvector(load_bytes(plane + i), vf) * scale + shift;
        memcpy(x + i, &v, sizeof v);
    }
}

static void scaled_some(float *x, const uint8_t *plane, float scale, float shift, size_t n)
{
    float all[PLANE];
    scaled(all, plane, scale, shift);
    memcpy(x, all, n * sizeof *x);
}

static void normalise(float *x, const uint8_t *px, size_t n, const float scale[3], const float shift[3])
{
    planes p;
    size_t i = 0;
    for (; i + PLANE <= n; i += PLANE) {
        split(&p, px + 3 * i);
        scaled(x + i, p.r, scale[0], shift[0]);
        scaled(x + n + i, p.g, scale[1], shift[1]);
        scaled(x + 2 * n + i, p.b, scale[2], shift[2]);
    }
    split_some(&p, px + 3 * i, n - i);
    scaled_some(x + i, p.r, scale[0], shift[0], n - i);
    scaled_some(x + n + i, p.g, scale[1], shift[1], n - i);
    scaled_some(x + 2 * n + i, p.b, scale[2], shift[2], n - i);
}

extern const protea_colour_ops SIMD_NAME(protea_colour);
const protea_colour_ops SIMD_NAME(protea_colour) = { blend, luma_sum, saturate, gray, SIMD_NAME(protea_hue), normalise };
