/* The extended box filter, several values at a time. */
#include "backend/cpu/simd.h"
#include "image/pixels.h"

enum { BLOCK = 256, NARROW = 63 };

/* Sums of up to 127 bytes fit 16 bits, and 24-bit weights in two halves make products of 16 by 16 bits, which processors
 * multiply as many at a time as they have bytes. */
static void filter_narrow(uint8_t *restrict out, const uint8_t *restrict in, ptrdiff_t step, int n, const protea_box *b)
{
    int16_t sum[BLOCK], ends[BLOCK];
    ptrdiff_t far = (b->radius + 1) * step;
    const int16_t inner_high = (int16_t)(b->inner >> 12), inner_low = (int16_t)(b->inner & 0xfff);
    const int16_t outer_high = (int16_t)(b->outer >> 12), outer_low = (int16_t)(b->outer & 0xfff);
    for (int i = 0; i < n; i++) {
        sum[i] = in[i];
        ends[i] = (int16_t)(in[i - far] + in[i + far]);
    }
    for (int k = 1; k <= b->radius; k++)
        for (int i = 0; i < n; i++)
            sum[i] = (int16_t)(sum[i] + in[i - k * step] + in[i + k * step]);
    for (int i = 0; i < n; i++) {
        uint32_t high = (uint32_t)(sum[i] * inner_high + ends[i] * outer_high);
        uint32_t low = (uint32_t)(sum[i] * inner_low + ends[i] * outer_low);
        out[i] = (uint8_t)(((high << 12) + low + (1u << 23)) >> 24);
    }
}

static void filter_wide(uint8_t *restrict out, const uint8_t *restrict in, ptrdiff_t step, int n, const protea_box *b)
{
    uint32_t sum[BLOCK];
    ptrdiff_t far = (b->radius + 1) * step;
    for (int i = 0; i < n; i++)
        sum[i] = in[i];
    for (int k = 1; k <= b->radius; k++)
        for (int i = 0; i < n; i++)
            sum[i] += (uint32_t)(in[i - k * step] + in[i + k * step]);
    for (int i = 0; i < n; i++) {
        uint32_t ends = (uint32_t)(in[i - far] + in[i + far]);
        out[i] = (uint8_t)((sum[i] * b->inner + ends * b->outer + (1u << 23)) >> 24);
    }
}

protea_box_fn SIMD_NAME(protea_box);
void SIMD_NAME(protea_box)(uint8_t *out, const uint8_t *in, ptrdiff_t step, int n, const protea_box *b)
{
    for (int i = 0; i < n; i += BLOCK) {
        int part = n - i < BLOCK ? n - i : BLOCK;
        if (b->radius <= NARROW)
            filter_narrow(out + i, in + i, step, part, b);
        else
            filter_wide(out + i, in + i, step, part, b);
    }
}
