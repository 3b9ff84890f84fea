/* Antialiased bilinear resizing, bit for bit as Pillow 9 computes it: a triangle filter as wide as the down-scaling asks,
 * weights in fixed point with 22 bits, the horizontal pass first, 8 bits in between. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "image/image.h"
#include "image/pixels.h"

enum { PRECISION_BITS = 32 - 8 - 2, HALF = 1 << (PRECISION_BITS - 1) };

/* The weights of one direction: output i is the sum of n[i] inputs from first[i] on, with weight[i * width ...]. */
typedef struct taps {
    int *first, *n;
    int32_t *weight;
    int width, n_out;
} taps;

static void taps_fill_one(taps *t, int i, double center, double scale, int n_in)
{
    double support = scale; /* half width of the triangle in input pixels */
    int first = (int)(center - support + 0.5), last = (int)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > n_in ? n_in : last;
    double sum = 0;
    for (int x = first; x < last; x++)
        sum += fmax(0, 1 - fabs((x - center + 0.5) * (1.0 / scale)));
    int32_t *weight = t->weight + (size_t)i * (size_t)t->width;
    for (int x = first; x < last; x++) {
        double w = fmax(0, 1 - fabs((x - center + 0.5) * (1.0 / scale)));
        weight[x - first] = (int32_t)(0.5 + w / sum * (1 << PRECISION_BITS));
    }
    t->first[i] = first;
    t->n[i] = last - first;
}

/* in0, in1: the box's two ends in input pixels. block: owned by the caller, holds all arrays. */
static protea_status taps_make(taps *t, int **block, int n_in, double in0, double in1, int n_out)
{
    double step = (in1 - in0) / n_out, scale = step < 1 ? 1 : step;
    t->width = (int)ceil(scale) * 2 + 1;
    t->n_out = n_out;
    PROTEA_TRY(protea_new(block, (size_t)n_out * (size_t)(t->width + 2), sizeof **block, "resizing"));
    t->first = *block;
    t->n = t->first + n_out;
    t->weight = t->n + n_out;
    for (int i = 0; i < n_out; i++)
        taps_fill_one(t, i, in0 + (i + 0.5) * step, scale, n_in);
    return PROTEA_OK;
}

static uint8_t clip(int32_t sum)
{
    int32_t v = sum >> PRECISION_BITS;
    return (uint8_t)(v > 255 ? 255 : v);
}

static void row_horizontal(uint8_t *out, const uint8_t *in, const taps *t)
{
    for (int i = 0; i < t->n_out; i++) {
        const uint8_t *p = in + 3 * t->first[i];
        const int32_t *weight = t->weight + (size_t)i * (size_t)t->width;
        int32_t r = HALF, g = HALF, b = HALF;
        for (int k = 0; k < t->n[i]; k++, p += 3) {
            r += p[0] * weight[k];
            g += p[1] * weight[k];
            b += p[2] * weight[k];
        }
        out[3 * i] = clip(r);
        out[3 * i + 1] = clip(g);
        out[3 * i + 2] = clip(b);
    }
}

/* One output row of n values from n_taps rows, stride bytes apart. sum: (n) scratch. */
static void row_vertical(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *weight, int n_taps, int n, int32_t *sum)
{
    for (int i = 0; i < n; i++)
        sum[i] = HALF;
    for (int k = 0; k < n_taps; k++) {
        const uint8_t *row = in + (size_t)k * stride;
        int32_t w = weight[k];
        for (int i = 0; i < n; i++)
            sum[i] += row[i] * w;
    }
    for (int i = 0; i < n; i++)
        out[i] = clip(sum[i]);
}

static protea_status resize_both(protea_image *dst, const protea_pixels *src, const taps *tx, const taps *ty)
{
    int w = tx->n_out, h = ty->n_out;
    int top = ty->first[0], bottom = ty->first[h - 1] + ty->n[h - 1];
    size_t stride = (size_t)w * 3;
    uint8_t *middle;
    size_t middle_bytes = ((size_t)(bottom - top) * stride + 3) & ~(size_t)3;
    PROTEA_TRY(protea_new(&middle, middle_bytes + stride * sizeof(int32_t), 1, "resizing"));
    int32_t *sum = (int32_t *)(void *)(middle + middle_bytes);
    for (int y = top; y < bottom; y++)
        row_horizontal(middle + (size_t)(y - top) * stride, src->px + (size_t)y * src->stride, tx);
    for (int y = 0; y < h; y++)
        row_vertical(dst->px + (size_t)y * stride, middle + (size_t)(ty->first[y] - top) * stride, stride,
                     ty->weight + (size_t)y * (size_t)ty->width, ty->n[y], w * 3, sum);
    protea_free(middle);
    return PROTEA_OK;
}

protea_status protea_pixels_resize(protea_image *dst, const protea_pixels *src, double x0, double y0, double x1, double y1,
                                   int w, int h)
{
    taps tx, ty;
    int *block_x = NULL, *block_y = NULL;
    if (!(x0 >= 0 && y0 >= 0 && x1 <= src->w && y1 <= src->h && x0 < x1 && y0 < y1))
        return protea_fail(PROTEA_ERR_INTERNAL, "resizing: box (%g,%g)-(%g,%g) of a picture of %d x %d", x0, y0, x1, y1, src->w,
                           src->h);
    PROTEA_TRY(protea_image_reserve(dst, w, h));
    protea_status status = taps_make(&tx, &block_x, src->w, x0, x1, w);
    if (status == PROTEA_OK)
        status = taps_make(&ty, &block_y, src->h, y0, y1, h);
    if (status == PROTEA_OK)
        status = resize_both(dst, src, &tx, &ty);
    protea_free(block_x);
    protea_free(block_y);
    return status;
}

protea_pixels protea_pixels_crop(const protea_image *image, int x, int y, int w, int h)
{
    size_t stride = (size_t)image->w * 3;
    return (protea_pixels){ image->px + (size_t)y * stride + (size_t)x * 3, w, h, stride };
}

protea_status protea_image_resize(protea_image *dst, const protea_image *src, double x0, double y0, double x1, double y1, int w,
                                  int h)
{
    protea_pixels all = protea_pixels_crop(src, 0, 0, src->w, src->h);
    return protea_pixels_resize(dst, &all, x0, y0, x1, y1, w, h);
}

protea_status protea_image_crop(protea_image *dst, const protea_image *src, int x, int y, int w, int h, int out_w, int out_h)
{
    if (x < 0 || y < 0 || w < 1 || h < 1 || x > src->w - w || y > src->h - h)
        return protea_fail(PROTEA_ERR_INTERNAL, "crop of %d x %d at (%d,%d) from a picture of %d x %d", w, h, x, y, src->w, src->h);
    protea_pixels part = protea_pixels_crop(src, x, y, w, h);
    return protea_pixels_resize(dst, &part, 0, 0, w, h, out_w, out_h);
}

static protea_status copy_square(protea_image *dst, const protea_image *src, int x, int y, int size)
{
    PROTEA_TRY(protea_image_reserve(dst, size, size));
    protea_pixels part = protea_pixels_crop(src, x, y, size, size);
    for (int row = 0; row < size; row++)
        memcpy(dst->px + (size_t)row * (size_t)size * 3, part.px + (size_t)row * part.stride, (size_t)size * 3);
    return PROTEA_OK;
}

/* torchvision: the long side becomes int(size * long / short), the margin is rounded to even. */
protea_status protea_image_center(protea_image *dst, const protea_image *src, int size)
{
    int short_side = src->w < src->h ? src->w : src->h;
    int w = (int)((int64_t)size * src->w / short_side), h = (int)((int64_t)size * src->h / short_side);
    int x = (int)rint((w - size) / 2.0), y = (int)rint((h - size) / 2.0);
    if (short_side == size)
        return copy_square(dst, src, x, y, size);
    protea_image whole = { 0 };
    protea_status status = protea_image_resize(&whole, src, 0, 0, src->w, src->h, w, h);
    if (status == PROTEA_OK)
        status = copy_square(dst, &whole, x, y, size);
    protea_image_release(&whole);
    return status;
}
