/* Frost: c0 x + c1 texture. The published code lays crops of five photographs of ice over the picture (a sixth lies beside them
 * and is never used: the index is drawn from five). Those are not ours to ship, so five textures of the photographs' sizes are
 * computed here: ridged noise, warped, as fern-like crystals grow, on a ground that is more and less frozen. They have the
 * photographs' bluish white, but not their shapes, so errors under frost may differ from those on the published files more than
 * under other corruptions.
 *
 * At CIFAR's scale the code shrinks the photographs to a fifth by OpenCV's bilinear resize, which takes every fifth pixel. */
#include <math.h>

#include "image/corrupt_parts.h"

typedef struct texture {
    int w, h;              /* of the photograph it stands for */
    float grain;           /* pixels from crystal to crystal */
    float dark, bright;    /* least and most, 0..255 */
    float tint[3];
} texture;

static const texture textures[5] = {
    { 900, 600, 64, 35, 245, { .80f, .92f, 1 } },     { 560, 315, 40, 60, 235, { .86f, .94f, 1 } },
    { 560, 315, 52, 20, 225, { .74f, .88f, 1 } },     { 527, 350, 32, 50, 255, { .92f, .96f, 1 } },
    { 660, 495, 44, 30, 240, { .84f, .90f, .96f } },
};
enum { TEXTURES = sizeof textures / sizeof *textures, SHRINK = 5, SHRINK_FIRST = 2 };

/* A number in 0..1 for each point of a lattice. */
static inline float lattice(int32_t x, int32_t y, uint32_t seed)
{
    uint32_t v = (uint32_t)x * 0x9E3779B1u ^ (uint32_t)y * 0x85EBCA77u ^ seed * 0xC2B2AE3Du;
    v = (v ^ v >> 15) * 0x2C1B3C6Du;
    v = (v ^ v >> 12) * 0x297A2D39u;
    return (float)((v ^ v >> 15) >> 8) * 0x1p-24f;
}

/* Smooth noise in 0..1: the lattice, interpolated. */
static float noise(float x, float y, uint32_t seed)
{
    float x0 = floorf(x), y0 = floorf(y), fx = x - x0, fy = y - y0;
    int32_t i = (int32_t)x0, k = (int32_t)y0;
    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    float a = lattice(i, k, seed), b = lattice(i + 1, k, seed), c = lattice(i, k + 1, seed), d = lattice(i + 1, k + 1, seed);
    float upper = a + fx * (b - a), lower = c + fx * (d - c);
    return upper + fy * (lower - upper);
}

/* Crystals: the sum of ridges (noise near its middle), each octave half as wide and strongest where the last one was strong. */
static float crystals(float x, float y, uint32_t seed)
{
    enum { OCTAVES = 4 };
    float sum = 0, strength = 0.5f, weight = 1;
    for (uint32_t k = 0; k < OCTAVES; k++) {
        float ridge = 1 - fabsf(2 * noise(x, y, seed + k) - 1);
        ridge *= ridge;
        sum += ridge * strength * weight;
        weight = fminf(2 * ridge, 1);
        strength *= 0.7f;
        x *= 2.03f;
        y *= 2.03f;
    }
    return fminf(sum, 1);
}

/* How frozen the texture is at a point of the photograph, 0..1. */
static float frozen(const texture *t, uint32_t seed, float x, float y)
{
    float u = x / t->grain, v = y / t->grain;
    float bent_u = u + 1.6f * (noise(0.7f * u, 0.7f * v, seed + 11) - 0.5f);
    float bent_v = v + 1.6f * (noise(0.7f * u, 0.7f * v, seed + 12) - 0.5f);
    float ground = noise(0.35f * u, 0.35f * v, seed + 13);
    return fminf(0.25f * ground + (0.35f + 1.1f * ground) * crystals(bent_u, bent_v, seed), 1);
}

/* A first place for a crop of n out of a whole of all, as randint(0, all - n) draws it; our textures have no end. */
static int crop_at(int all, int n, protea_rng *rng)
{
    return all > n ? (int)protea_rng_below(rng, (uint64_t)(all - n)) : 0;
}

static void lay_frost(protea_image *image, const texture *t, uint32_t seed, const int first[2], int shrink, double keep, double add)
{
    int offset = shrink == SHRINK ? SHRINK_FIRST : 0;
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++) {
            uint8_t *px = image->px + ((size_t)y * (size_t)image->w + (size_t)x) * 3;
            float ice = frozen(t, seed, (float)((first[1] + x) * shrink + offset), (float)((first[0] + y) * shrink + offset));
            float level = t->dark + (t->bright - t->dark) * ice;
            for (int k = 0; k < 3; k++)
                px[k] = protea_cut(keep * px[k] + add * (uint8_t)(level * t->tint[k]));
        }
}

protea_status protea_corrupt_frost(const protea_corruption *c)
{
    static const struct { double keep, add; } settings[2][PROTEA_SEVERITIES] = {
        { { 1, .2 }, { 1, .3 }, { .9, .4 }, { .85, .4 }, { .75, .45 } },
        { { 1, .4 }, { .8, .6 }, { .7, .7 }, { .65, .7 }, { .6, .75 } } };
    uint32_t which = (uint32_t)protea_rng_below(c->rng, TEXTURES);
    const texture *t = &textures[which];
    int shrink = c->scale == 0 ? SHRINK : 1, first[2];
    first[0] = crop_at(t->h / shrink, c->image->h, c->rng);
    first[1] = crop_at(t->w / shrink, c->image->w, c->rng);
    lay_frost(c->image, t, 100 * (which + 1), first, shrink, settings[c->scale][c->level].keep,
              settings[c->scale][c->level].add);
    return PROTEA_OK;
}
