/* Antialiased resizing, bit for bit as Pillow 9 computes it: the horizontal pass first, 8 bits in between. */
#include <math.h>

#include "image/taps.h"

/* Part of a picture, from px on. */
typedef struct pixels {
    const uint8_t *px;
    size_t stride; /* bytes from row to row */
} pixels;

/* One resizing, in the scratch of the picture that it makes. */
typedef struct job {
    protea_taps across, down;
    double *weight;
    uint8_t *middle; /* rows after the horizontal pass */
    void *tile;
} job;

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Memory from base on, of which some is used; with base NULL it is only counted. */
typedef struct room {
    uint8_t *base;
    size_t used;
} room;

static void *take(room *r, size_t bytes)
{
    size_t at = r->used;
    r->used += (bytes + 63) & ~(size_t)63;
    return r->base != NULL ? r->base + at : NULL;
}

static void take_taps(protea_taps *t, room *r, const protea_span *s, protea_filter filter)
{
    size_t n = (size_t)s->n;
    t->width = protea_taps_width(s, filter);
    t->n_out = s->n;
    t->first = take(r, n * sizeof *t->first);
    t->n = take(r, n * sizeof *t->n);
    t->weight = take(r, n * (size_t)t->width * sizeof *t->weight);
}

/* Bytes in all. */
static size_t lay_out(job *j, uint8_t *base, const protea_span *across, const protea_span *down, protea_filter filter)
{
    room r = { base, 0 };
    take_taps(&j->across, &r, across, filter);
    take_taps(&j->down, &r, down, filter);
    j->weight = take(&r, most((size_t)j->across.width, (size_t)j->down.width) * sizeof *j->weight);
    j->middle = take(&r, (size_t)down->n_in * (size_t)across->n * 3);
    j->tile = take(&r, protea_pixels()->resize->across_scratch(across->n_in, across->n));
    return r.used;
}

static void resize_both(protea_image *dst, const pixels *src, const job *j)
{
    const protea_resize_ops *ops = protea_pixels()->resize;
    const protea_taps *t = &j->down;
    size_t stride = (size_t)dst->w * 3;
    int top = t->first[0], bottom = t->first[dst->h - 1] + t->n[dst->h - 1];
    ops->across(j->middle, stride, src->px + (size_t)top * src->stride, src->stride, bottom - top, &j->across, j->tile);
    for (int y = 0; y < dst->h; y++)
        ops->down(dst->px + (size_t)y * stride, j->middle + (size_t)(t->first[y] - top) * stride, stride,
                  t->weight + (size_t)y * (size_t)t->width, t->n[y], dst->w * 3);
}

static protea_status resize_spans(protea_image *dst, const pixels *src, const protea_span *across, const protea_span *down,
                                  protea_filter filter)
{
    job j;
    uint8_t *scratch;
    PROTEA_TRY(protea_image_reserve(dst, across->n, down->n));
    PROTEA_TRY(protea_image_scratch(dst, lay_out(&j, NULL, across, down, filter), &scratch));
    lay_out(&j, scratch, across, down, filter);
    protea_taps_fill(&j.across, across, filter, j.weight);
    protea_taps_fill(&j.down, down, filter, j.weight);
    resize_both(dst, src, &j);
    return PROTEA_OK;
}

static pixels part_of(const protea_image *image, int x, int y)
{
    size_t stride = (size_t)image->w * 3;
    return (pixels){ image->px + (size_t)y * stride + (size_t)x * 3, stride };
}

protea_status protea_image_resize(protea_image *dst, const protea_image *src, const protea_rect *part, int w, int h,
                                  protea_filter filter)
{
    if (!(part->x0 >= 0 && part->y0 >= 0 && part->x1 <= src->w && part->y1 <= src->h && part->x0 < part->x1 && part->y0 < part->y1))
        return protea_fail(PROTEA_ERR_INTERNAL, "resizing: box (%g,%g)-(%g,%g) of a picture of %d x %d", part->x0, part->y0,
                           part->x1, part->y1, src->w, src->h);
    pixels all = part_of(src, 0, 0);
    const protea_span across = { .n_in = src->w, .in0 = part->x0, .in1 = part->x1, .n_all = w, .n = w };
    const protea_span down = { .n_in = src->h, .in0 = part->y0, .in1 = part->y1, .n_all = h, .n = h };
    return resize_spans(dst, &all, &across, &down, filter);
}

protea_status protea_image_crop(protea_image *dst, const protea_image *src, const protea_crop *crop, int w, int h, bool mirrored)
{
    if (crop->x < 0 || crop->y < 0 || crop->w < 1 || crop->h < 1 || crop->x > src->w - crop->w || crop->y > src->h - crop->h)
        return protea_fail(PROTEA_ERR_INTERNAL, "crop of %d x %d at (%d,%d) from a picture of %d x %d", crop->w, crop->h, crop->x,
                           crop->y, src->w, src->h);
    pixels part = part_of(src, crop->x, crop->y);
    const protea_span across = { .n_in = crop->w, .in1 = crop->w, .n_all = w, .n = w, .mirrored = mirrored };
    const protea_span down = { .n_in = crop->h, .in1 = crop->h, .n_all = h, .n = h };
    return resize_spans(dst, &part, &across, &down, PROTEA_FILTER_BILINEAR);
}

/* torchvision: the long side becomes int(size * long / short), the margin is rounded to even. Only the wanted square of the
 * resized picture is computed. */
protea_status protea_image_center(protea_image *dst, const protea_image *src, int size)
{
    int short_side = src->w < src->h ? src->w : src->h;
    int w = (int)((int64_t)size * src->w / short_side), h = (int)((int64_t)size * src->h / short_side);
    int x = (int)rint((w - size) / 2.0), y = (int)rint((h - size) / 2.0);
    pixels all = part_of(src, 0, 0);
    const protea_span across = { .n_in = src->w, .in1 = src->w, .n_all = w, .first = x, .n = size };
    const protea_span down = { .n_in = src->h, .in1 = src->h, .n_all = h, .first = y, .n = size };
    return resize_spans(dst, &all, &across, &down, PROTEA_FILTER_BILINEAR);
}
