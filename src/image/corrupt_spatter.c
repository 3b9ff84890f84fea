/* spatter: drops of water (the three mild severities) or of mud. Drops are where smoothed noise lies above a threshold. Water is
 * then shaded by a chain of OpenCV's operations on 8-bit pictures, each in OpenCV's own arithmetic: edges (edges.c), the
 * distance to them, a mean, an equalised histogram, an embossing kernel and a mean again. */
#include <math.h>
#include <string.h>

#include "image/corrupt_parts.h"
#include "image/edges.h"

typedef struct spray {
    double mean, sigma, smooth, threshold, amount;
    bool mud;
} spray;

static const spray sprays[2][PROTEA_SEVERITIES] = {
    { { .62, .1, .7, .7, .5, false }, { .65, .1, .8, .7, .5, false }, { .65, .3, 1, .69, .5, false },
      { .65, .1, .7, .69, .6, true }, { .65, .1, .5, .68, .6, true } },
    { { .65, .3, 4, .69, .6, false }, { .65, .3, 3, .68, .6, false }, { .65, .3, 2, .68, .5, false },
      { .65, .3, 1, .65, 1.5, true }, { .67, .4, 1, .65, 1.5, true } } };

/* What each pixel gets of the colour, 0..1, from the layer of drops. */
typedef struct shades {
    int w, h;
    uint8_t *layer, *shade; /* (h,w) */
    int32_t *distance;      /* (h,w) */
} shades;

/* Smoothed noise, 0 where it is below the threshold. */
static protea_status make_drops(protea_field *drops, const spray *s, protea_rng *rng)
{
    protea_field_normal(drops, s->mean, s->sigma, rng);
    PROTEA_TRY(protea_field_gaussian(drops, s->smooth, 4, PROTEA_BORDER_NEAREST));
    for (int i = 0; i < drops->w * drops->h; i++)
        drops->v[i] = drops->v[i] < s->threshold ? 0 : drops->v[i];
    return PROTEA_OK;
}

/* The sum of in around (y,x), times a 3 x 3 kernel, with the border reflected. */
static int around(const shades *s, const uint8_t *in, int y, int x, const int kernel[9])
{
    int sum = 0;
    for (int k = 0; k < 9; k++) {
        int row = protea_border_at(y + k / 3 - 1, s->h, PROTEA_BORDER_REFLECT_101);
        int column = protea_border_at(x + k % 3 - 1, s->w, PROTEA_BORDER_REFLECT_101);
        sum += kernel[k] * in[row * s->w + column];
    }
    return sum;
}

/* Distances, at most 20, averaged over 3 x 3 and cut to 8 bits. */
static void smooth_distances(shades *s)
{
    enum { FURTHEST = 20 << PROTEA_DISTANCE_BITS };
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            double sum = 0;
            for (int k = 0; k < 9; k++) {
                int row = protea_border_at(y + k / 3 - 1, s->h, PROTEA_BORDER_REFLECT_101);
                int column = protea_border_at(x + k % 3 - 1, s->w, PROTEA_BORDER_REFLECT_101);
                int32_t d = s->distance[row * s->w + column];
                sum += (double)(d < FURTHEST ? d : FURTHEST) / (1 << PROTEA_DISTANCE_BITS);
            }
            s->shade[y * s->w + x] = (uint8_t)(float)(sum * (1. / 9));
        }
}

/* OpenCV's equalizeHist. */
static void equalise(uint8_t *px, int n)
{
    int count[256] = { 0 }, first = 0, sum = 0;
    uint8_t table[256] = { 0 };
    for (int i = 0; i < n; i++)
        count[px[i]]++;
    while (count[first] == 0)
        first++;
    if (count[first] == n)
        return;
    float scale = 255.f / (float)(n - count[first]);
    for (int v = first + 1; v < 256; v++) {
        sum += count[v];
        table[v] = (uint8_t)rintf((float)sum * scale);
    }
    for (int i = 0; i < n; i++)
        px[i] = table[px[i]];
}

/* out: the embossed picture, or its mean. */
static void filter(uint8_t *out, const shades *s, const uint8_t *in, const int kernel[9], int divisor)
{
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            int v = (2 * around(s, in, y, x, kernel) + divisor) / (2 * divisor);
            out[y * s->w + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
}

static protea_status shade_water(shades *s)
{
    static const int emboss[9] = { -2, -1, 0, -1, 1, 1, 0, 1, 2 }, mean[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    uint8_t *embossed = (uint8_t *)s->distance; /* no longer needed by then */
    PROTEA_TRY(protea_edges(s->shade, s->layer, s->w, s->h, 50, 150));
    protea_distance(s->distance, s->shade, s->w, s->h);
    smooth_distances(s);
    equalise(s->shade, s->w * s->h);
    filter(embossed, s, s->shade, emboss, 1);
    filter(s->shade, s, embossed, mean, 9);
    return PROTEA_OK;
}

/* x + m colour, m the drops times their shade, brought to at most `amount`. Where nothing is shaded, the published code divides
 * 0 by 0; here nothing happens. */
static void lay_water(protea_image *image, const shades *s, float amount)
{
    static const float colour[3] = { 175 / 255.f, 238 / 255.f, 238 / 255.f }; /* pale turquoise */
    int n = s->w * s->h, most = 0;
    for (int i = 0; i < n; i++)
        most = s->layer[i] * s->shade[i] > most ? s->layer[i] * s->shade[i] : most;
    for (int i = 0; i < n && most > 0; i++) {
        float m = (float)(s->layer[i] * s->shade[i]) / (float)most * amount;
        for (int k = 0; k < 3; k++) {
            float v = (float)(image->px[3 * i + k] / 255.) + m * colour[k];
            image->px[3 * i + k] = protea_cut((v < 1 ? v : 1) * 255);
        }
    }
}

static protea_status spray_water(protea_image *image, const protea_field *drops, const spray *s)
{
    size_t n = (size_t)drops->w * (size_t)drops->h;
    shades d = { .w = drops->w, .h = drops->h };
    PROTEA_TRY(protea_new(&d.distance, n, sizeof *d.distance + 2, "spatter"));
    d.layer = (uint8_t *)(d.distance + n);
    d.shade = d.layer + n;
    for (size_t i = 0; i < n; i++)
        d.layer[i] = protea_cut(drops->v[i] * 255);
    protea_status status = shade_water(&d);
    if (status == PROTEA_OK)
        lay_water(image, &d, (float)s->amount);
    protea_free(d.distance);
    return status;
}

static protea_status spray_mud(protea_image *image, protea_field *drops, const spray *s)
{
    static const double colour[3] = { 63 / 255., 42 / 255., 20 / 255. };
    int n = drops->w * drops->h;
    for (int i = 0; i < n; i++)
        drops->v[i] = drops->v[i] > s->threshold;
    PROTEA_TRY(protea_field_gaussian(drops, s->amount, 4, PROTEA_BORDER_NEAREST));
    for (int i = 0; i < n; i++) {
        double m = drops->v[i] < 0.8 ? 0 : drops->v[i];
        for (int k = 0; k < 3; k++) {
            double v = (float)(image->px[3 * i + k] / 255.) * (1 - m) + colour[k] * m;
            image->px[3 * i + k] = protea_cut(v * 255);
        }
    }
    return PROTEA_OK;
}

protea_status protea_corrupt_spatter(const protea_corruption *c)
{
    const spray *s = &sprays[c->scale][c->level];
    protea_field drops;
    PROTEA_TRY(protea_field_new(&drops, c->image->w, c->image->h, 1));
    protea_status status = make_drops(&drops, s, c->rng);
    if (status == PROTEA_OK)
        status = s->mud ? spray_mud(c->image, &drops, s) : spray_water(c->image, &drops, s);
    protea_free(drops.v);
    return status;
}
