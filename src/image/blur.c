/* Pillow's GaussianBlur: three passes of an "extended box" filter each way, a box whose two end pixels count in part, with
 * the variance of the Gaussian (Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution by extended box
 * filtering"). Weights have 24 bits, each pass rounds to 8, and the edge pixels repeat. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "image/blur.h"
#include "image/image.h"

enum { PASSES = 3 };

double protea_blur_radius(double sigma)
{
    double s2 = sigma * sigma / PASSES, length = sqrt(12 * s2 + 1), l = floor((length - 1) / 2);
    return l + (2 * l + 1) * (l * (l + 1) - 3 * s2) / (6 * (s2 - (l + 1) * (l + 1)));
}

typedef struct box {
    int radius;            /* whole pixels on each side */
    uint32_t inner, outer; /* weights, 24 bits */
} box;

static box box_make(double radius)
{
    box b = { .radius = (int)radius };
    b.inner = (uint32_t)((1 << 24) / ((float)radius * 2 + 1));
    b.outer = ((1u << 24) - (uint32_t)(b.radius * 2 + 1) * b.inner) / 2;
    return b;
}

enum { BLOCK = 256, NARROW = 63 };

/* Sums of up to 127 bytes fit 16 bits, and 24-bit weights in two halves make products of 16 by 16 bits, which processors
 * multiply eight at a time. */
static void filter_narrow(uint8_t *restrict out, const uint8_t *restrict in, ptrdiff_t step, int n, const box *b)
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

static void filter_wide(uint8_t *restrict out, const uint8_t *restrict in, ptrdiff_t step, int n, const box *b)
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

/* out[i] of n values from the inputs at in + i + k * step, k = -radius-1 .. radius+1. */
static void filter(uint8_t *out, const uint8_t *in, ptrdiff_t step, int n, const box *b)
{
    for (int i = 0; i < n; i += BLOCK) {
        int part = n - i < BLOCK ? n - i : BLOCK;
        if (b->radius <= NARROW)
            filter_narrow(out + i, in + i, step, part, b);
        else
            filter_wide(out + i, in + i, step, part, b);
    }
}

/* line: room for w + 2 (radius + 1) pixels. */
static void pass_horizontal(uint8_t *px, int w, int h, box b, uint8_t *line)
{
    int margin = b.radius + 1;
    for (int y = 0; y < h; y++) {
        uint8_t *row = px + (size_t)y * (size_t)w * 3, *middle = line + 3 * margin;
        memcpy(middle, row, (size_t)w * 3);
        for (int x = 1; x <= margin; x++) {
            memcpy(middle - 3 * x, row, 3);
            memcpy(middle + 3 * (w - 1 + x), row + 3 * (w - 1), 3);
        }
        filter(row, middle, 3, w * 3, &b);
    }
}

/* padded: room for h + 2 (radius + 1) rows. */
static void pass_vertical(uint8_t *px, int w, int h, box b, uint8_t *padded)
{
    int margin = b.radius + 1;
    size_t stride = (size_t)w * 3;
    uint8_t *middle = padded + (size_t)margin * stride;
    memcpy(middle, px, (size_t)h * stride);
    for (int y = 0; y < margin; y++) {
        memcpy(padded + (size_t)y * stride, px, stride);
        memcpy(middle + (size_t)(h + y) * stride, px + (size_t)(h - 1) * stride, stride);
    }
    for (int y = 0; y < h; y++)
        filter(px + (size_t)y * stride, middle + (size_t)y * stride, (ptrdiff_t)stride, w * 3, &b);
}

protea_status protea_image_blur(protea_image *image, float sigma)
{
    if (!(sigma > 0))
        return PROTEA_OK;
    box b = box_make(protea_blur_radius(sigma));
    size_t w = (size_t)image->w, h = (size_t)image->h, margins = 2 * ((size_t)b.radius + 1);
    size_t line = (w + margins) * 3, padded = (h + margins) * w * 3;
    uint8_t *scratch;
    PROTEA_TRY(protea_new(&scratch, line > padded ? line : padded, 1, "blurring"));
    for (int pass = 0; pass < PASSES; pass++)
        pass_horizontal(image->px, image->w, image->h, b, scratch);
    for (int pass = 0; pass < PASSES; pass++)
        pass_vertical(image->px, image->w, image->h, b, scratch);
    protea_free(scratch);
    return PROTEA_OK;
}
