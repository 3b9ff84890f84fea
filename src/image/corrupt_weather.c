/* Weather: snow and fog (frost has a file of its own). */
#include <math.h>

#include "image/corrupt_parts.h"

/* ---- fog: a plasma fractal (diamond-square on a torus) laid over the picture */

enum { PLASMA_MAX = 4096 }; /* in pictures with longer sides it repeats itself, without seams */

typedef struct plasma {
    double *v;         /* (side,side) */
    int side;          /* a power of two */
    double wibble;
    float *random;     /* (side / 2)^2 scratch */
    protea_rng *rng;
} plasma;

static double plasma_at(const plasma *p, int y, int x)
{
    return p->v[(size_t)(y & (p->side - 1)) * (size_t)p->side + (size_t)(x & (p->side - 1))];
}

/* Sets the points (y0 + i step, x0 + j step) to the mean of their four neighbours at half a step, on the diagonals or on the
 * axes, plus wibble times a number in -wibble .. wibble: the published code scales the noise by wibble twice. */
static void plasma_points(plasma *p, int y0, int x0, int step, bool diagonal)
{
    int half = step / 2, n = p->side / step;
    const float *random = p->random;
    protea_rng_fill_uniform(p->rng, p->random, (int64_t)n * n);
    for (int y = y0; y < p->side; y += step)
        for (int x = x0; x < p->side; x += step) {
            double sum = diagonal ? plasma_at(p, y - half, x - half) + plasma_at(p, y + half, x - half) +
                                    plasma_at(p, y - half, x + half) + plasma_at(p, y + half, x + half)
                                  : plasma_at(p, y - half, x) + plasma_at(p, y + half, x) + plasma_at(p, y, x - half) +
                                    plasma_at(p, y, x + half);
            double noise = -p->wibble + 2 * p->wibble * (double)*random++;
            p->v[(size_t)y * (size_t)p->side + (size_t)x] = sum / 4 + p->wibble * noise;
        }
}

static void plasma_grow(plasma *p, double decay)
{
    double low = 0, high = 0; /* the first point is 0 and stays so */
    p->wibble = 100;
    for (int step = p->side; step >= 2; step /= 2) {
        plasma_points(p, step / 2, step / 2, step, true);
        plasma_points(p, 0, step / 2, step, false);
        plasma_points(p, step / 2, 0, step, false);
        p->wibble /= decay;
    }
    size_t n = (size_t)p->side * (size_t)p->side;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, p->v[i]);
        high = fmax(high, p->v[i]);
    }
    for (size_t i = 0; i < n; i++)
        p->v[i] = (p->v[i] - low) / (high - low);
}

/* (x + a plasma) m / (m + a), m the picture's largest value: white stays white. */
static void lay_fog(protea_image *image, const plasma *p, double amount)
{
    uint8_t most = 0;
    for (size_t i = 0; i < protea_values(image); i++)
        most = image->px[i] > most ? image->px[i] : most;
    double max = most / 255.;
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++) {
            uint8_t *px = image->px + ((size_t)y * (size_t)image->w + (size_t)x) * 3;
            double fog = amount * plasma_at(p, y, x);
            for (int k = 0; k < 3; k++)
                px[k] = protea_cut((px[k] / 255. + fog) * max / (max + amount) * 255);
        }
}

protea_status protea_corrupt_fog(const protea_corruption *c)
{
    static const struct { double amount, decay; } settings[2][PROTEA_SEVERITIES] = {
        { { .2, 3 }, { .5, 3 }, { .75, 2.5 }, { 1, 2 }, { 1.5, 1.75 } },
        { { 1.5, 2 }, { 2, 2 }, { 2.5, 1.7 }, { 2.5, 1.5 }, { 3, 1.4 } } };
    plasma p = { .side = 2, .rng = c->rng };
    while (p.side < PLASMA_MAX && (p.side < c->image->w || p.side < c->image->h))
        p.side *= 2;
    size_t n = (size_t)p.side * (size_t)p.side;
    PROTEA_TRY(protea_new(&p.v, n + n / 4, sizeof *p.v, "fog"));
    p.random = (float *)(p.v + n);
    plasma_grow(&p, settings[c->scale][c->level].decay);
    lay_fog(c->image, &p, settings[c->scale][c->level].amount);
    protea_free(p.v);
    return PROTEA_OK;
}

/* ---- snow: flakes are what remains of enlarged noise above a threshold, blurred by their fall */

typedef struct snowfall {
    double mean, sigma, zoom, threshold, radius, blur, mix;
} snowfall;

static const snowfall snowfalls[2][PROTEA_SEVERITIES] = {
    { { .1, .2, 1, .6, 8, 3, .95 },    { .1, .2, 1, .5, 10, 4, .9 },      { .15, .3, 1.75, .55, 10, 4, .9 },
      { .25, .3, 2.25, .6, 12, 6, .85 }, { .3, .3, 1.25, .65, 14, 12, .8 } },
    { { .1, .3, 3, .5, 10, 4, .8 },    { .2, .3, 2, .5, 12, 4, .7 },      { .55, .3, 4, .9, 12, 8, .7 },
      { .55, .3, 4.5, .85, 12, 8, .65 }, { .55, .3, 2.5, .85, 12, 12, .55 } } };

/* flake: (h,w) bytes. noise, zoomed: fields of one channel. */
static protea_status make_flakes(uint8_t *flake, protea_field *noise, protea_field *zoomed, const snowfall *s, protea_rng *rng)
{
    size_t n = (size_t)noise->w * (size_t)noise->h;
    protea_field_normal(noise, s->mean, s->sigma, rng);
    PROTEA_TRY(protea_field_zoom(zoomed, noise, s->zoom));
    for (size_t i = 0; i < n; i++)
        flake[i] = zoomed->v[i] < s->threshold ? 0 : protea_cut(protea_unit(zoomed->v[i]) * 255);
    return protea_motion(flake, noise->w, noise->h, 1, s->radius, s->blur, protea_between(rng, -135, -45));
}

/* The picture bleached towards its brightness, with the flakes and, turned by half a circle, the flakes again. */
static void lay_snow(protea_image *image, const uint8_t *flake, double mix)
{
    size_t n = (size_t)image->w * (size_t)image->h;
    for (size_t i = 0; i < n; i++) {
        uint8_t *px = image->px + 3 * i;
        double r = px[0] / 255., g = px[1] / 255., b = px[2] / 255., pale = (.299 * r + .587 * g + .114 * b) * 1.5 + .5;
        double snow = flake[i] / 255. + flake[n - 1 - i] / 255.;
        for (int k = 0; k < 3; k++) {
            double v = px[k] / 255.;
            px[k] = protea_cut((mix * v + (1 - mix) * (v > pale ? v : pale) + snow) * 255);
        }
    }
}

protea_status protea_corrupt_snow(const protea_corruption *c)
{
    const snowfall *s = &snowfalls[c->scale][c->level];
    protea_field noise = { 0 }, zoomed = { 0 };
    uint8_t *flake = NULL;
    int w = c->image->w, h = c->image->h;
    protea_status status = protea_field_new(&noise, w, h, 1);
    if (status == PROTEA_OK)
        status = protea_field_new(&zoomed, w, h, 1);
    if (status == PROTEA_OK)
        status = protea_new(&flake, (size_t)w * (size_t)h, 1, "snow");
    if (status == PROTEA_OK)
        status = make_flakes(flake, &noise, &zoomed, s, c->rng);
    if (status == PROTEA_OK)
        lay_snow(c->image, flake, s->mix);
    protea_free(noise.v);
    protea_free(zoomed.v);
    protea_free(flake);
    return status;
}
