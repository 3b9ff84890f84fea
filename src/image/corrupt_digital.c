/* Digital: brightness, contrast, pixelate, JPEG; and saturate of the extras. (elastic_transform has a file of its own.) */
#include <math.h>
#include <string.h>

#include "image/corrupt_parts.h"
#include "image/decode.h"

/* ---- in HSV, by the formulas of scikit-image's rgb2hsv and hsv2rgb */

typedef struct hsv {
    double h, s, v;
} hsv;

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static hsv to_hsv(const uint8_t *px)
{
    double r = px[0] / 255., g = px[1] / 255., b = px[2] / 255.;
    double max = larger(r, larger(g, b)), range = max - smaller(r, smaller(g, b)), turn;
    if (range == 0)
        return (hsv){ 0, 0, max };
    if (max == b)
        turn = 4 + (r - g) / range;
    else if (max == g)
        turn = 2 + (b - r) / range;
    else
        turn = (g - b) / range;
    turn /= 6;
    return (hsv){ turn - floor(turn), range / max, max };
}

static void from_hsv(uint8_t *px, const hsv *c)
{
    double sector = floor(c->h * 6), f = c->h * 6 - sector, v = c->v;
    double p = v * (1 - c->s), q = v * (1 - f * c->s), t = v * (1 - (1 - f) * c->s);
    const double rgb[6][3] = { { v, t, p }, { q, v, p }, { p, v, t }, { p, q, v }, { t, p, v }, { v, p, q } };
    for (int k = 0; k < 3; k++)
        px[k] = protea_cut(rgb[(int)sector % 6][k] * 255);
}

protea_status protea_corrupt_brightness(const protea_corruption *c)
{
    static const double more[2][PROTEA_SEVERITIES] = { { .05, .1, .15, .2, .3 }, { .1, .2, .3, .4, .5 } };
    for (size_t i = 0, n = protea_values(c->image); i < n; i += 3) {
        hsv colour = to_hsv(c->image->px + i);
        colour.v = protea_unit(colour.v + more[c->scale][c->level]);
        from_hsv(c->image->px + i, &colour);
    }
    return PROTEA_OK;
}

protea_status protea_corrupt_saturate(const protea_corruption *c)
{
    static const struct { double times, plus; } settings[2][PROTEA_SEVERITIES] = {
        { { .3, 0 }, { .1, 0 }, { 1.5, 0 }, { 2, .1 }, { 2.5, .2 } }, { { .3, 0 }, { .1, 0 }, { 2, 0 }, { 5, .1 }, { 20, .2 } } };
    double times = settings[c->scale][c->level].times, plus = settings[c->scale][c->level].plus;
    for (size_t i = 0, n = protea_values(c->image); i < n; i += 3) {
        hsv colour = to_hsv(c->image->px + i);
        colour.s = protea_unit(colour.s * times + plus);
        from_hsv(c->image->px + i, &colour);
    }
    return PROTEA_OK;
}

/* ---- contrast: towards each channel's own mean */

static void reduce_contrast(protea_image *image, int channel, double factor)
{
    double sum = 0, unit_of[256];
    uint8_t table[256];
    size_t n = (size_t)image->w * (size_t)image->h;
    for (int v = 0; v < 256; v++)
        unit_of[v] = v / 255.;
    for (size_t i = 0; i < n; i++)
        sum += unit_of[image->px[3 * i + (size_t)channel]];
    double mean = sum / (double)n;
    for (int v = 0; v < 256; v++)
        table[v] = protea_cut(protea_unit((unit_of[v] - mean) * factor + mean) * 255);
    for (size_t i = 0; i < n; i++)
        image->px[3 * i + (size_t)channel] = table[image->px[3 * i + (size_t)channel]];
}

protea_status protea_corrupt_contrast(const protea_corruption *c)
{
    static const double factor[2][PROTEA_SEVERITIES] = { { .75, .5, .4, .3, .15 }, { .4, .3, .2, .1, .05 } };
    for (int channel = 0; channel < 3; channel++)
        reduce_contrast(c->image, channel, factor[c->scale][c->level]);
    return PROTEA_OK;
}

/* ---- pixelate: means of areas, and back by repeating them */

protea_status protea_corrupt_pixelate(const protea_corruption *c)
{
    static const double share[2][PROTEA_SEVERITIES] = { { .95, .9, .85, .75, .65 }, { .6, .5, .4, .3, .25 } };
    double factor = share[c->scale][c->level];
    int w = c->image->w, h = c->image->h;
    int few_w = (int)(w * factor), few_h = (int)(h * factor);
    const protea_rect all = { 0, 0, w, h }, few = { 0, 0, few_w, few_h };
    protea_image small = { 0 };
    protea_status status = protea_image_resize(&small, c->image, &all, few_w, few_h, PROTEA_FILTER_BOX);
    if (status == PROTEA_OK)
        status = protea_image_resize(c->image, &small, &few, w, h, PROTEA_FILTER_BOX);
    protea_image_release(&small);
    return status;
}

/* ---- JPEG: the codec itself, at a quality, with its usual halved colour resolution */

protea_status protea_corrupt_jpeg_compression(const protea_corruption *c)
{
    static const int quality[2][PROTEA_SEVERITIES] = { { 80, 65, 58, 50, 40 }, { 25, 18, 15, 10, 7 } };
    const protea_limits limits = protea_limits_default();
    uint8_t *bytes;
    size_t len;
    PROTEA_TRY(protea_image_encode_jpeg(&bytes, &len, c->image, quality[c->scale][c->level]));
    protea_status status = protea_decode_jpeg(c->image, bytes, len, "jpeg_compression", &limits);
    protea_free(bytes);
    return status;
}
