/* Blur: defocus, glass, motion, zoom, and the Gaussian of the extras. */
#include <math.h>

#include "image/corrupt_parts.h"

/* ---- defocus: a disk whose edge is smoothed by a small Gaussian */

enum { DISK_SIDE_MAX = 21 };

/* OpenCV's kernel of 2 * half + 1 taps, as f32; which taps it has is the code's choice, not the Gaussian's. */
static void smoothing_taps(float *tap, int half, double sigma)
{
    double sum = 0, w[5];
    for (int i = -half; i <= half; i++)
        sum += w[i + half] = exp(-0.5 / (sigma * sigma) * i * i);
    for (int i = 0; i <= 2 * half; i++)
        tap[i] = (float)(w[i] / sum);
}

typedef struct disk {
    int half;                                    /* the grid is -half .. half */
    float v[DISK_SIDE_MAX * DISK_SIDE_MAX];
} disk;

static void disk_fill(disk *d, double radius)
{
    int side = 2 * d->half + 1, inside = 0;
    for (int y = -d->half; y <= d->half; y++)
        for (int x = -d->half; x <= d->half; x++) {
            bool in = x * x + y * y <= radius * radius;
            d->v[(y + d->half) * side + x + d->half] = (float)in;
            inside += in;
        }
    for (int i = 0; i < side * side; i++)
        d->v[i] /= (float)inside;
}

/* One pass along lines whose points are `step` apart; the grid's border is reflected, so a disk that touches it (radius 8 and
 * 10) is smoothed against itself there. */
static void disk_smooth(disk *d, const float *tap, int half, bool down)
{
    int side = 2 * d->half + 1, step = down ? side : 1, next = down ? 1 : side;
    for (int line = 0; line < side; line++) {
        float in[DISK_SIDE_MAX];
        float *at = d->v + line * next;
        for (int i = 0; i < side; i++)
            in[i] = at[i * step];
        for (int i = 0; i < side; i++) {
            float sum = 0;
            for (int k = -half; k <= half; k++)
                sum += tap[k + half] * in[protea_border_at(i + k, side, PROTEA_BORDER_REFLECT_101)];
            at[i * step] = sum;
        }
    }
}

protea_status protea_corrupt_defocus_blur(const protea_corruption *c)
{
    static const struct { double radius, sigma; } settings[2][PROTEA_SEVERITIES] = {
        { { .3, .4 }, { .4, .5 }, { .5, .6 }, { 1, .2 }, { 1.5, .1 } },
        { { 3, .1 }, { 4, .5 }, { 6, .5 }, { 8, .5 }, { 10, .5 } } };
    double radius = settings[c->scale][c->level].radius;
    int half = radius <= 8 ? 1 : 2, n = 0; /* the published disk(): beyond radius 8 the grid and the smoothing grow */
    disk d = { .half = radius <= 8 ? 8 : (int)radius };
    float tap[5];
    protea_tap taps[DISK_SIDE_MAX * DISK_SIDE_MAX];
    disk_fill(&d, radius);
    smoothing_taps(tap, half, settings[c->scale][c->level].sigma);
    disk_smooth(&d, tap, half, false);
    disk_smooth(&d, tap, half, true);
    for (int y = -d.half; y <= d.half; y++)
        for (int x = -d.half; x <= d.half; x++) {
            float v = d.v[(y + d.half) * (2 * d.half + 1) + x + d.half];
            if (v > 0)
                taps[n++] = (protea_tap){ x, y, v };
        }
    return protea_correlate(c->image->px, c->image->w, c->image->h, 3, taps, n, PROTEA_BORDER_REFLECT_101, 0);
}

/* ---- motion */

protea_status protea_corrupt_motion_blur(const protea_corruption *c)
{
    static const struct { double radius, sigma; } settings[2][PROTEA_SEVERITIES] = {
        { { 6, 1 }, { 6, 1.5 }, { 6, 2 }, { 8, 2 }, { 9, 2.5 } },
        { { 10, 3 }, { 15, 5 }, { 15, 8 }, { 15, 12 }, { 20, 15 } } };
    return protea_motion(c->image->px, c->image->w, c->image->h, 3, settings[c->scale][c->level].radius,
                         settings[c->scale][c->level].sigma, protea_between(c->rng, -45, 45));
}

/* ---- Gaussian and glass, with scikit-image's gaussian: edge repeated, cut off at 4 sigma */

static protea_status gaussian(protea_image *image, double sigma)
{
    protea_field field;
    PROTEA_TRY(protea_field_of(&field, image));
    protea_status status = protea_field_gaussian(&field, sigma, 4, PROTEA_BORDER_NEAREST);
    if (status == PROTEA_OK)
        protea_field_store(image, &field);
    protea_free(field.v);
    return status;
}

protea_status protea_corrupt_gaussian_blur(const protea_corruption *c)
{
    static const double sigma[2][PROTEA_SEVERITIES] = { { .4, .6, .7, .8, 1 }, { 1, 2, 3, 4, 6 } };
    return gaussian(c->image, sigma[c->scale][c->level]);
}

/* From the bottom right to the top left, never quite to the edges, each pixel takes the colour of one nearby (offsets -delta ..
 * delta - 1, from the halves of a random word). The published code means to swap the two, but swaps views of one array, which
 * only copies: x[h,w] becomes x[h+dy,w+dx], which stays. word: room for a row. */
static void shuffle(protea_image *image, int delta, protea_rng *rng, uint32_t *word)
{
    uint32_t range = 2 * (uint32_t)delta;
    for (int y = image->h - delta; y > delta; y--) {
        protea_rng_fill_u32(rng, word, image->w);
        for (int x = image->w - delta; x > delta; x--) {
            int dx = (int)((word[x] >> 16) * range >> 16) - delta, dy = (int)((word[x] & 0xffff) * range >> 16) - delta;
            uint8_t *to = image->px + ((size_t)y * (size_t)image->w + (size_t)x) * 3;
            const uint8_t *from = to + 3 * ((ptrdiff_t)dy * image->w + dx);
            to[0] = from[0];
            to[1] = from[1];
            to[2] = from[2];
        }
    }
}

protea_status protea_corrupt_glass_blur(const protea_corruption *c)
{
    static const struct { double sigma; int delta, rounds; } settings[2][PROTEA_SEVERITIES] = {
        { { .05, 1, 1 }, { .25, 1, 1 }, { .4, 1, 1 }, { .25, 1, 2 }, { .4, 1, 2 } },
        { { .7, 1, 2 }, { .9, 2, 1 }, { 1, 2, 3 }, { 1.1, 3, 2 }, { 1.5, 4, 2 } } };
    double sigma = settings[c->scale][c->level].sigma;
    uint32_t *word;
    PROTEA_TRY(gaussian(c->image, sigma));
    PROTEA_TRY(protea_new(&word, (size_t)c->image->w + 1, sizeof *word, "glass blur"));
    for (int i = 0; i < settings[c->scale][c->level].rounds; i++)
        shuffle(c->image, settings[c->scale][c->level].delta, c->rng, word);
    protea_free(word);
    return gaussian(c->image, sigma);
}

/* ---- zoom: the mean of the picture and n enlargements of it, the first of which is the picture again. The lists are NumPy's
 * arange(1, stop, step), which overshoots by one entry where rounding lets it: CIFAR's first two end with 1.06 and 1.11,
 * ImageNet's first with 1.11. */

static const struct { int n; double step; } zooms[2][PROTEA_SEVERITIES] = {
    { { 7, .01 }, { 12, .01 }, { 16, .01 }, { 21, .01 }, { 26, .01 } },
    { { 12, .01 }, { 16, .01 }, { 11, .02 }, { 13, .02 }, { 11, .03 } } };

/* The published code adds in f32. */
static protea_status add_zooms(float *sum, protea_field *zoomed, const protea_field *field, const protea_corruption *c)
{
    size_t n = protea_values(c->image);
    int count = zooms[c->scale][c->level].n;
    double step = 1 + zooms[c->scale][c->level].step - 1; /* as arange has it, with the rounding of 1 + step */
    for (int k = 0; k < count; k++) {
        PROTEA_TRY(protea_field_zoom(zoomed, field, 1 + k * step));
        for (size_t i = 0; i < n; i++)
            sum[i] += (float)zoomed->v[i];
    }
    for (size_t i = 0; i < n; i++) {
        float mean = ((float)field->v[i] + sum[i]) / (float)(count + 1);
        c->image->px[i] = protea_cut((mean < 1 ? mean : 1) * 255);
    }
    return PROTEA_OK;
}

protea_status protea_corrupt_zoom_blur(const protea_corruption *c)
{
    protea_field field = { 0 }, zoomed = { 0 };
    float *sum = NULL;
    size_t n = protea_values(c->image);
    protea_status status = protea_field_of(&field, c->image);
    if (status == PROTEA_OK)
        status = protea_field_new(&zoomed, field.w, field.h, 3);
    if (status == PROTEA_OK)
        status = protea_new(&sum, n, sizeof *sum, "zoom blur");
    if (status == PROTEA_OK) {
        for (size_t i = 0; i < n; i++)
            field.v[i] = (float)field.v[i];
        status = add_zooms(sum, &zoomed, &field, c);
    }
    protea_free(field.v);
    protea_free(zoomed.v);
    protea_free(sum);
    return status;
}
