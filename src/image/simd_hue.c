/* The hue shift as Pillow's HSV mode gives it. Pillow goes through double; here all is float, written so that no byte differs for
 * any of the 2^24 colours and 256 turns (tests/kernel/test_pixels.c looks at all colours). */
#include "image/simd_hue.h"
#include "image/simd_planes.h"

SIMD_INLINE vf larger(vf a, vf b)
{
    return choose(a > b, a, b);
}

SIMD_INLINE vf smaller(vf a, vf b)
{
    return choose(a < b, a, b);
}

SIMD_INLINE vf whole(vf v)
{
    return __builtin_convertvector(__builtin_convertvector(v, vi), vf);
}

SIMD_INLINE vf load_plane(const uint8_t *p)
{
    return __builtin_convertvector(load_bytes(p), vf);
}

/* 0..255. With one channel the largest, one the smallest and x = (largest - middle) / range, the hue lies x before or after one of
 * the corners 1, 3, 5 of the hexagon: one rounding, as in Pillow. */
SIMD_INLINE vf hue_of(vf r, vf g, vf b, vf max, vf min)
{
    vf range = max - min, middle = r + g + b - max - min;
    vf x = choose(range > 0, max - middle, splat(1)) / larger(range, splat(1)); /* gray: the hue is 0 */
    vi red = r == max, green = g == max;
    vf sector = choose(red, splat(0), choose(green, splat(2), splat(4)));
    vi after = choose(red, b, choose(green, r, g)) == min;
    vf h = choose(after, (sector + 1) - x, (sector - 1) + x), part = h / 6;
    part = choose(h < 0, part + 1, part);
    vf hue = whole(part * 255);
    return choose(part * 256 - hue < part, hue - 1, hue); /* the product was rounded up to a whole number */
}

/* How far a channel lies below the value, from 0 to 1 of saturation. */
SIMD_INLINE vf drop(vf sector, float turned, vf before, vf after)
{
    vf t = choose(sector < turned, before, after);
    return smaller(larger(t, splat(0)), splat(1));
}

SIMD_INLINE void store_channel(uint8_t *out, vf value, vf saturation, vf t)
{
    store_bytes(out, __builtin_convertvector(value * (1 - saturation * t) + 0.5f, vi));
}

SIMD_INLINE void shift(planes *p, int i, float turn)
{
    vf r = load_plane(p->r + i), g = load_plane(p->g + i), b = load_plane(p->b + i);
    vf max = larger(r, larger(g, b)), min = smaller(r, smaller(g, b));
    vf saturation = whole((max - min) / larger(max, splat(1)) * 255) * (1 / 255.0f);
    vf hue = hue_of(r, g, b, max, min) + turn;
    vf sector = choose(hue >= 256, hue - 256, hue) * 6 / 255;
    store_channel(p->r + i, max, saturation, drop(sector, 3, sector - 1, 1 - (sector - 4)));
    store_channel(p->g + i, max, saturation, drop(sector, 2, 1 - sector, sector - 3));
    store_channel(p->b + i, max, saturation, drop(sector, 4, 1 - (sector - 2), sector - 5));
}

SIMD_INLINE void shift_block(planes *p, const void *with)
{
    float turn = *(const uint8_t *)with;
    for (int i = 0; i < PLANE; i += LANES)
        shift(p, i, turn);
}

void SIMD_NAME(protea_hue)(uint8_t *px, size_t n, uint8_t turn)
{
    each_block(px, n, shift_block, &turn);
}
