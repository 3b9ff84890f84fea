/* elastic_transform: a random affine map, then a random displacement of each point, smoothed. */
#include <math.h>

#include "image/corrupt_parts.h"

typedef struct bend {
    double reach, smooth, jitter; /* alpha, sigma and the affine map's corners, as shares of the side */
} bend;

/* CIFAR's first severity has no displacement. ImageNet's code says 244 for a side of 224, kept as it is. */
#define SHARE(reach, smooth, jitter) { (reach) * 244 / 224., (smooth) * 244 / 224., (jitter) * 244 / 224. }
static const bend bends[2][PROTEA_SEVERITIES] = {
    { { 0, 0, .08 }, { .05, .2, .07 }, { .08, .06, .06 }, { .1, .04, .05 }, { .1, .03, .03 } },
    { SHARE(2, .7, .1), SHARE(2, .08, .2), SHARE(.05, .01, .02), SHARE(.07, .01, .02), SHARE(.12, .01, .02) } };

/* ---- the affine map */

/* Where target points come from: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]. */
typedef struct affine {
    double m[6];
} affine;

/* The map that takes three corners of a square around the middle to the same points moved at random, inverted. The published
 * points are (row, column) but are read as (x, y), which only matters where sides differ. */
static affine random_affine(int w, int h, double jitter, protea_rng *rng)
{
    float middle[2] = { (float)(h / 2), (float)(w / 2) }, side = (float)((w < h ? w : h) / 3), from[3][2], to[3][2];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            bool plus = i == 0 || (i == 1 && k == 0);
            from[i][k] = plus ? middle[k] + side : middle[k] - side;
            to[i][k] = from[i][k] + (float)protea_between(rng, -jitter, jitter);
        }
    /* from's edges lie along the axes: point 0 to 1 along -y, 1 to 2 along -x. So the map's columns are to's edges. */
    double length = 2 * (double)side, m[6];
    for (int k = 0; k < 2; k++) {
        m[3 * k] = ((double)to[1][k] - (double)to[2][k]) / length;
        m[3 * k + 1] = ((double)to[0][k] - (double)to[1][k]) / length;
        m[3 * k + 2] = (double)to[0][k] - m[3 * k] * (double)from[0][0] - m[3 * k + 1] * (double)from[0][1];
    }
    double scale = m[0] * m[4] - m[1] * m[3];
    scale = scale != 0 ? 1 / scale : 0;
    affine a = { { m[4] * scale, -m[1] * scale, 0, -m[3] * scale, m[0] * scale, 0 } };
    a.m[2] = -a.m[0] * m[2] - a.m[1] * m[5];
    a.m[5] = -a.m[3] * m[2] - a.m[4] * m[5];
    return a;
}

/* Places in OpenCV's fixed point: ten bits while they are added up, five in the end. */
enum { SUM_BITS = 10, PLACE_BITS = 5, PLACES = 1 << PLACE_BITS };

static int fixed(double v)
{
    return (int)rint(v * (1 << SUM_BITS));
}

/* One point of `in` for each of `out`, between four in 32nds of a pixel, reflected at the edges, in f32. */
static void warp(protea_field *out, const protea_field *in, const affine *a)
{
    int round = (1 << SUM_BITS) / PLACES / 2;
    for (int y = 0; y < in->h; y++)
        for (int x = 0; x < in->w; x++) {
            int fx = (fixed(a->m[1] * y + a->m[2]) + round + fixed(a->m[0] * x)) >> (SUM_BITS - PLACE_BITS);
            int fy = (fixed(a->m[4] * y + a->m[5]) + round + fixed(a->m[3] * x)) >> (SUM_BITS - PLACE_BITS);
            float px = (float)(fx & (PLACES - 1)) / PLACES, py = (float)(fy & (PLACES - 1)) / PLACES;
            int x0 = protea_border_at(fx >> PLACE_BITS, in->w, PROTEA_BORDER_REFLECT_101);
            int x1 = protea_border_at((fx >> PLACE_BITS) + 1, in->w, PROTEA_BORDER_REFLECT_101);
            int y0 = protea_border_at(fy >> PLACE_BITS, in->h, PROTEA_BORDER_REFLECT_101);
            int y1 = protea_border_at((fy >> PLACE_BITS) + 1, in->h, PROTEA_BORDER_REFLECT_101);
            const double *upper = in->v + (size_t)y0 * (size_t)in->w * 3, *lower = in->v + (size_t)y1 * (size_t)in->w * 3;
            for (int k = 0; k < 3; k++)
                out->v[((size_t)y * (size_t)in->w + (size_t)x) * 3 + (size_t)k] =
                    (float)upper[3 * x0 + k] * ((1 - py) * (1 - px)) + (float)upper[3 * x1 + k] * ((1 - py) * px) +
                    (float)lower[3 * x0 + k] * (py * (1 - px)) + (float)lower[3 * x1 + k] * (py * px);
        }
}

/* ---- the displacement */

/* Numbers in -1 .. 1, smoothed, times reach: (h,w,2) across and down. */
static protea_status displacement(protea_field *d, double smooth, double reach, protea_rng *rng)
{
    enum { BLOCK = 4 * PROTEA_RNG_CHUNK };
    float u[BLOCK];
    size_t n = (size_t)d->w * (size_t)d->h;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < n; i += BLOCK) {
            size_t part = n - i < BLOCK ? n - i : BLOCK;
            protea_rng_fill_uniform(rng, u, (int64_t)part);
            for (size_t j = 0; j < part; j++)
                d->v[2 * (i + j) + k] = 2 * (double)u[j] - 1;
        }
    PROTEA_TRY(protea_field_gaussian(d, smooth, 3, PROTEA_BORDER_REFLECT));
    for (size_t i = 0; i < 2 * n; i++)
        d->v[i] = (float)(d->v[i] * reach);
    return PROTEA_OK;
}

static void displace(protea_image *image, const protea_field *in, const protea_field *d)
{
    for (int y = 0; y < in->h; y++)
        for (int x = 0; x < in->w; x++) {
            size_t i = (size_t)y * (size_t)in->w + (size_t)x;
            double place_x = x + d->v[2 * i], place_y = y + d->v[2 * i + 1];
            double whole_x = floor(place_x), whole_y = floor(place_y), px = place_x - whole_x, py = place_y - whole_y;
            int x0 = protea_border_at((int)whole_x, in->w, PROTEA_BORDER_REFLECT);
            int x1 = protea_border_at((int)whole_x + 1, in->w, PROTEA_BORDER_REFLECT);
            int y0 = protea_border_at((int)whole_y, in->h, PROTEA_BORDER_REFLECT);
            int y1 = protea_border_at((int)whole_y + 1, in->h, PROTEA_BORDER_REFLECT);
            const double *upper = in->v + (size_t)y0 * (size_t)in->w * 3, *lower = in->v + (size_t)y1 * (size_t)in->w * 3;
            for (int k = 0; k < 3; k++) {
                float v = (float)((1 - py) * (1 - px) * upper[3 * x0 + k] + (1 - py) * px * upper[3 * x1 + k] +
                                  py * (1 - px) * lower[3 * x0 + k] + py * px * lower[3 * x1 + k]);
                image->px[3 * i + (size_t)k] = protea_cut(v * 255);
            }
        }
}

static protea_status bend_picture(const protea_corruption *c, const bend *b, protea_field *from, protea_field *warped)
{
    protea_field shift;
    int w = c->image->w, h = c->image->h, side = w < h ? w : h;
    affine map = random_affine(w, h, b->jitter * side, c->rng);
    warp(warped, from, &map);
    PROTEA_TRY(protea_field_new(&shift, w, h, 2));
    protea_status status = displacement(&shift, b->smooth * side, b->reach * side, c->rng);
    if (status == PROTEA_OK)
        displace(c->image, warped, &shift);
    protea_free(shift.v);
    return status;
}

protea_status protea_corrupt_elastic_transform(const protea_corruption *c)
{
    protea_field from = { 0 }, warped = { 0 };
    protea_status status = protea_field_of(&from, c->image);
    if (status == PROTEA_OK)
        status = protea_field_new(&warped, from.w, from.h, 3);
    if (status == PROTEA_OK)
        status = bend_picture(c, &bends[c->scale][c->level], &from, &warped);
    protea_free(from.v);
    protea_free(warped.v);
    return status;
}
