/* Frost: c0 x + c1 texture. The published code lays crops of five photographs of ice over the picture (a sixth lies beside them
 * and is never used: the index is drawn from five). Those are not ours to ship, so five textures of the photographs' sizes are
 * computed here: ridged noise, warped, as fern-like crystals grow, on a ground that is more and less frozen. They have the
 * photographs' bluish white, but not their shapes, so errors under frost may differ from those on the published files more than
 * under other corruptions.
 *
 * At CIFAR's scale the code shrinks the photographs to a fifth by OpenCV's bilinear resize, which takes every fifth pixel. */
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

enum { BLOCK = 64 }; /* points of a row at a time: loops of constant length, which compilers turn into vector code */

/* Smooth noise in 0..1 at (x,y) / size: the lattice, interpolated. Places must not be below -2^12 sizes. */
static void noise(float *restrict out, const float *restrict x, const float *restrict y, float size, uint32_t seed)
{
    enum { FAR = 4096 };
    for (int i = 0; i < BLOCK; i++) {
        float u = x[i] / size + FAR, v = y[i] / size + FAR;
        int32_t u0 = (int32_t)u, v0 = (int32_t)v;
        float fu = u - (float)u0, fv = v - (float)v0;
        fu = fu * fu * (3 - 2 * fu);
        fv = fv * fv * (3 - 2 * fv);
        float a = lattice(u0, v0, seed), b = lattice(u0 + 1, v0, seed);
        float c = lattice(u0, v0 + 1, seed), d = lattice(u0 + 1, v0 + 1, seed);
        float upper = a + fu * (b - a), lower = c + fu * (d - c);
        out[i] = upper + fv * (lower - upper);
    }
}

/* Crystals: the sum of ridges (noise near its middle), each octave half as wide and strongest where the last one was strong. */
static void crystals(float *restrict out, const float *x, const float *y, float size, uint32_t seed)
{
    enum { OCTAVES = 4 };
    float value[BLOCK], weight[BLOCK], strength = 0.5f;
    for (int i = 0; i < BLOCK; i++) {
        out[i] = 0;
        weight[i] = 1;
    }
    for (uint32_t k = 0; k < OCTAVES; k++) {
        noise(value, x, y, size, seed + k);
        for (int i = 0; i < BLOCK; i++) {
            float bend = 2 * value[i] - 1, ridge = 1 - (bend > 0 ? bend : -bend), next;
            ridge *= ridge;
            out[i] += ridge * strength * weight[i];
            next = 2 * ridge;
            weight[i] = next < 1 ? next : 1;
        }
        strength *= 0.7f;
        size /= 2.03f;
    }
}

/* How frozen the texture is at points of the photograph, 0..1. */
static void frozen(float *restrict out, const texture *t, uint32_t seed, const float *x, const float *y)
{
    float ground[BLOCK], u[BLOCK], v[BLOCK], wide = t->grain / 0.7f;
    noise(u, x, y, wide, seed + 11);
    noise(v, x, y, wide, seed + 12);
    noise(ground, x, y, t->grain / 0.35f, seed + 13);
    for (int i = 0; i < BLOCK; i++) {
        u[i] = x[i] + 1.6f * t->grain * (u[i] - 0.5f);
        v[i] = y[i] + 1.6f * t->grain * (v[i] - 0.5f);
    }
    crystals(out, u, v, t->grain, seed);
    for (int i = 0; i < BLOCK; i++) {
        float crystal = out[i] < 1 ? out[i] : 1, ice = 0.25f * ground[i] + (0.35f + 1.1f * ground[i]) * crystal;
        out[i] = ice < 1 ? ice : 1;
    }
}

/* A first place for a crop of n out of a whole of all, as randint(0, all - n) draws it; our textures have no end. */
static int crop_at(int all, int n, protea_rng *rng)
{
    return all > n ? (int)protea_rng_below(rng, (uint64_t)(all - n)) : 0;
}

/* A picture's place on a texture, and what is left of both. */
typedef struct frosting {
    const texture *t;
    uint32_t seed;
    int row, column;   /* of the crop, in pixels of the picture */
    int step, first;   /* the picture's pixel i lies at first + i step of the photograph */
    double keep, add;
} frosting;

/* n pixels from (y,x) on. */
static void frost_block(uint8_t *px, const frosting *f, int y, int x, int n)
{
    float across[BLOCK], down[BLOCK], ice[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        across[i] = (float)(f->first + (f->column + x + i) * f->step);
        down[i] = (float)(f->first + (f->row + y) * f->step);
    }
    frozen(ice, f->t, f->seed, across, down);
    for (int i = 0; i < n; i++) {
        float level = f->t->dark + (f->t->bright - f->t->dark) * ice[i];
        for (int k = 0; k < 3; k++)
            px[3 * i + k] = protea_cut(f->keep * px[3 * i + k] + f->add * (uint8_t)(level * f->t->tint[k]));
    }
}

static void lay_frost(protea_image *image, const frosting *f)
{
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x += BLOCK) {
            int n = image->w - x < BLOCK ? image->w - x : BLOCK;
            frost_block(image->px + ((size_t)y * (size_t)image->w + (size_t)x) * 3, f, y, x, n);
        }
}

protea_status protea_corrupt_frost(const protea_corruption *c)
{
    static const struct { double keep, add; } settings[2][PROTEA_SEVERITIES] = {
        { { 1, .2 }, { 1, .3 }, { .9, .4 }, { .85, .4 }, { .75, .45 } },
        { { 1, .4 }, { .8, .6 }, { .7, .7 }, { .65, .7 }, { .6, .75 } } };
    uint32_t which = (uint32_t)protea_rng_below(c->rng, TEXTURES);
    frosting f = { .t = &textures[which], .seed = 100 * (which + 1), .step = c->scale == 0 ? SHRINK : 1,
                   .first = c->scale == 0 ? SHRINK_FIRST : 0, .keep = settings[c->scale][c->level].keep,
                   .add = settings[c->scale][c->level].add };
    f.row = crop_at(f.t->h / f.step, c->image->h, c->rng);
    f.column = crop_at(f.t->w / f.step, c->image->w, c->rng);
    lay_frost(c->image, &f);
    return PROTEA_OK;
}
