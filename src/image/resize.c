/* Antialiased resizing, bit for bit as Pillow 9 computes it: a triangle (or, for averages, a box) as wide as the down-scaling
 * asks, weights in fixed point with 22 bits, the horizontal pass first, 8 bits in between. */
#include <math.h>

#include "base/alloc.h"
#include "image/image.h"

enum { PRECISION_BITS = 32 - 8 - 2, HALF = 1 << (PRECISION_BITS - 1) };

/* Part of a picture, from px on. */
typedef struct pixels {
    const uint8_t *px;
    size_t stride; /* bytes from row to row */
} pixels;

/* The weights of one direction: output i is the sum of n[i] inputs from first[i] on, with weight[i * width ...]. */
typedef struct taps {
    int *first, *n;
    int32_t *weight;
    int width, n_out;
} taps;

/* Pillow's filters. */
typedef struct filter {
    double half_width;
    double (*at)(double x);
} filter;

static double triangle_at(double x)
{
    return fmax(0, 1 - fabs(x));
}

static double box_at(double x)
{
    return x > -0.5 && x <= 0.5;
}

static const filter triangle = { 1, triangle_at }, box = { 0.5, box_at };

static void taps_fill_one(taps *t, int i, double center, double scale, int n_in, const filter *f)
{
    double support = f->half_width * scale; /* in input pixels */
    int first = (int)(center - support + 0.5), last = (int)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > n_in ? n_in : last;
    double sum = 0;
    for (int x = first; x < last; x++)
        sum += f->at((x - center + 0.5) * (1.0 / scale));
    int32_t *weight = t->weight + (size_t)i * (size_t)t->width;
    for (int x = first; x < last; x++) {
        double w = f->at((x - center + 0.5) * (1.0 / scale));
        weight[x - first] = (int32_t)(0.5 + w / sum * (1 << PRECISION_BITS));
    }
    t->first[i] = first;
    t->n[i] = last - first;
}

/* One direction of a resizing: the inputs in0 .. in1 of n_in become n_all outputs, of which n from first on are wanted. */
typedef struct span {
    int n_in;
    double in0, in1;
    int n_all, first, n;
} span;

/* block: owned by the caller, holds all arrays. */
static protea_status taps_make(taps *t, int **block, const span *s, const filter *f)
{
    double step = (s->in1 - s->in0) / s->n_all, scale = step < 1 ? 1 : step;
    size_t n = (size_t)s->n;
    t->width = (int)ceil(scale) * 2 + 1;
    t->n_out = s->n;
    PROTEA_TRY(protea_new(block, n * (size_t)(t->width + 2), sizeof **block, "resizing"));
    t->first = *block;
    t->n = t->first + n;
    t->weight = t->n + n;
    for (int i = 0; i < s->n; i++)
        taps_fill_one(t, i, s->in0 + (s->first + i + 0.5) * step, scale, s->n_in, f);
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

static protea_status resize_both(protea_image *dst, const pixels *src, const taps *tx, const taps *ty)
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

static protea_status resize_spans(protea_image *dst, const pixels *src, const span *across, const span *down, const filter *f)
{
    taps tx, ty;
    int *block_x = NULL, *block_y = NULL;
    PROTEA_TRY(protea_image_reserve(dst, across->n, down->n));
    protea_status status = taps_make(&tx, &block_x, across, f);
    if (status == PROTEA_OK)
        status = taps_make(&ty, &block_y, down, f);
    if (status == PROTEA_OK)
        status = resize_both(dst, src, &tx, &ty);
    protea_free(block_x);
    protea_free(block_y);
    return status;
}

static pixels part_of(const protea_image *image, int x, int y)
{
    size_t stride = (size_t)image->w * 3;
    return (pixels){ image->px + (size_t)y * stride + (size_t)x * 3, stride };
}

protea_status protea_image_resize(protea_image *dst, const protea_image *src, double x0, double y0, double x1, double y1, int w,
                                  int h)
{
    if (!(x0 >= 0 && y0 >= 0 && x1 <= src->w && y1 <= src->h && x0 < x1 && y0 < y1))
        return protea_fail(PROTEA_ERR_INTERNAL, "resizing: box (%g,%g)-(%g,%g) of a picture of %d x %d", x0, y0, x1, y1, src->w,
                           src->h);
    pixels all = part_of(src, 0, 0);
    return resize_spans(dst, &all, &(span){ src->w, x0, x1, w, 0, w }, &(span){ src->h, y0, y1, h, 0, h }, &triangle);
}

protea_status protea_image_crop(protea_image *dst, const protea_image *src, int x, int y, int w, int h, int out_w, int out_h)
{
    if (x < 0 || y < 0 || w < 1 || h < 1 || x > src->w - w || y > src->h - h)
        return protea_fail(PROTEA_ERR_INTERNAL, "crop of %d x %d at (%d,%d) from a picture of %d x %d", w, h, x, y, src->w, src->h);
    pixels part = part_of(src, x, y);
    return resize_spans(dst, &part, &(span){ w, 0, w, out_w, 0, out_w }, &(span){ h, 0, h, out_h, 0, out_h },
                        &triangle);
}

/* torchvision: the long side becomes int(size * long / short), the margin is rounded to even. Only the wanted square of the
 * resized picture is computed. */
protea_status protea_image_center(protea_image *dst, const protea_image *src, int size)
{
    int short_side = src->w < src->h ? src->w : src->h;
    int w = (int)((int64_t)size * src->w / short_side), h = (int)((int64_t)size * src->h / short_side);
    int x = (int)rint((w - size) / 2.0), y = (int)rint((h - size) / 2.0);
    pixels all = part_of(src, 0, 0);
    return resize_spans(dst, &all, &(span){ src->w, 0, src->w, w, x, size }, &(span){ src->h, 0, src->h, h, y, size },
                        &triangle);
}

protea_status protea_image_average(protea_image *dst, const protea_image *src, int w, int h)
{
    pixels all = part_of(src, 0, 0);
    return resize_spans(dst, &all, &(span){ src->w, 0, src->w, w, 0, w }, &(span){ src->h, 0, src->h, h, 0, h }, &box);
}
