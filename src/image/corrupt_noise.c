/* Noise: gaussian, shot (Poisson), impulse (salt and pepper), speckle. */
#include <math.h>

#include "image/corrupt_parts.h"

enum { BLOCK = 16 * PROTEA_RNG_CHUNK };

/* v + 255 sigma z, or v + v sigma z where the noise grows with the value. */
static void add_normal(uint8_t *restrict px, const float *restrict z, int n, float fixed, float growing)
{
    for (int i = 0; i < n; i++) {
        float v = px[i], noisy = v + (fixed + growing * v) * z[i];
        noisy = noisy < 0 ? 0 : noisy;
        noisy = noisy > 255 ? 255 : noisy;
        px[i] = (uint8_t)(int)noisy;
    }
}

static protea_status normal_noise(const protea_corruption *c, float fixed, float growing)
{
    float z[BLOCK];
    size_t n = protea_values(c->image);
    for (size_t i = 0; i < n; i += BLOCK) {
        int part = n - i < BLOCK ? (int)(n - i) : BLOCK;
        protea_rng_fill_normal(c->rng, z, part);
        add_normal(c->image->px + i, z, part, fixed, growing);
    }
    return PROTEA_OK;
}

protea_status protea_corrupt_gaussian_noise(const protea_corruption *c)
{
    static const float sigma[2][PROTEA_SEVERITIES] = { { .04f, .06f, .08f, .09f, .10f }, { .08f, .12f, .18f, .26f, .38f } };
    return normal_noise(c, 255 * sigma[c->scale][c->level], 0);
}

protea_status protea_corrupt_speckle_noise(const protea_corruption *c)
{
    static const float sigma[2][PROTEA_SEVERITIES] = { { .06f, .1f, .12f, .16f, .2f }, { .15f, .2f, .35f, .45f, .6f } };
    return normal_noise(c, 0, sigma[c->scale][c->level]);
}

/* Each channel of a pixel alone (not whole pixels) becomes 1 or 0 with probability amount: the low half of the draws below
 * the threshold is pepper, the high half salt. */
protea_status protea_corrupt_impulse_noise(const protea_corruption *c)
{
    static const double amount[2][PROTEA_SEVERITIES] = { { .01, .02, .03, .05, .07 }, { .03, .06, .09, .17, .27 } };
    uint32_t word[BLOCK], hit = (uint32_t)(amount[c->scale][c->level] * 0x1p32), salt = hit / 2;
    size_t n = protea_values(c->image);
    for (size_t i = 0; i < n; i += BLOCK) {
        int part = n - i < BLOCK ? (int)(n - i) : BLOCK;
        uint8_t *px = c->image->px + i;
        protea_rng_fill_u32(c->rng, word, part);
        for (int k = 0; k < part; k++) {
            uint8_t noise = word[k] >= salt ? 255 : 0;
            px[k] = word[k] < hit ? noise : px[k];
        }
    }
    return PROTEA_OK;
}

/* ---- shot noise: Poisson(c x) / c. A picture has at most 256 different x, so each one's distribution is tabled when it is
 * first met, and a draw is a search in the table. */

/* Counts beyond this many standard deviations from the mean have probability below 2^-32. */
static const double SPREAD = 6.5, SPREAD_LEAST = 16;
enum { GUIDES = 64 };

typedef struct poisson {
    int first, n;       /* counts first .. first + n - 1; n 0: not yet made */
    uint32_t *at_most;  /* (n) 2^32 P(count <= first + i), at most 2^32 - 1 */
    uint16_t guide[GUIDES]; /* where a draw whose high bits are k begins to look */
} poisson;

static int spread_of(double mean)
{
    return (int)(SPREAD * sqrt(mean) + SPREAD_LEAST);
}

/* Weights go out from the mean by p(k + 1) = p(k) mean / (k + 1); their sum makes them probabilities. inverse[k]: 1 / k. */
static void poisson_make(poisson *p, double mean, uint32_t *room, double *weight, const double *inverse)
{
    int spread = spread_of(mean), middle = (int)mean, at = 0;
    double sum = 0, below = 0, over = 1 / mean;
    p->first = middle > spread ? middle - spread : 0;
    p->n = middle + spread + 1 - p->first;
    p->at_most = room;
    weight[middle - p->first] = 1;
    for (int k = middle; k > p->first; k--)
        weight[k - 1 - p->first] = weight[k - p->first] * (k * over);
    for (int k = middle + 1; k < p->first + p->n; k++)
        weight[k - p->first] = weight[k - 1 - p->first] * (mean * inverse[k]);
    for (int i = 0; i < p->n; i++)
        sum += weight[i];
    double scale = 0x1p32 / sum;
    for (int i = 0; i < p->n; i++) {
        below += weight[i] * scale;
        room[i] = (uint32_t)(below < UINT32_MAX ? below : UINT32_MAX);
    }
    for (uint32_t k = 0; k < GUIDES; k++) {
        while (at < p->n - 1 && room[at] <= k * (UINT32_MAX / GUIDES + 1))
            at++;
        p->guide[k] = (uint16_t)at;
    }
}

/* The smallest count whose cumulative probability lies above the draw. */
static int poisson_draw(const poisson *p, uint32_t word)
{
    int at = p->guide[word / (UINT32_MAX / GUIDES + 1)];
    while (at < p->n - 1 && p->at_most[at] <= word)
        at++;
    return p->first + at;
}

typedef struct shot {
    double photons;    /* c: counts that a value of 1 stands for */
    double *weight;    /* scratch */
    double *inverse;   /* (most) 1 / k */
    poisson *of;       /* (256) */
    uint32_t *room;    /* of the tables, from here on free */
} shot;

static void shoot(shot *s, uint8_t *px, const uint32_t *word, int n)
{
    for (int i = 0; i < n; i++) {
        poisson *p = &s->of[px[i]];
        if (px[i] == 0) /* nothing arrives */
            continue;
        if (p->n == 0) {
            poisson_make(p, px[i] / 255. * s->photons, s->room, s->weight, s->inverse);
            s->room += p->n;
        }
        px[i] = protea_cut(protea_unit(poisson_draw(p, word[i]) / s->photons) * 255);
    }
}

/* Owned: protea_free(s->weight). */
static protea_status shot_new(shot *s, double photons)
{
    size_t longest = 2 * (size_t)spread_of(photons) + 1, most = (size_t)photons + longest;
    s->photons = photons;
    PROTEA_TRY(protea_new(&s->weight, (longest + most) * sizeof(double) + 256 * (sizeof(poisson) + longest * sizeof(uint32_t)), 1,
                          "shot noise"));
    s->inverse = s->weight + longest;
    s->of = (poisson *)(void *)(s->inverse + most);
    s->room = (uint32_t *)(void *)(s->of + 256);
    for (size_t k = 1; k < most; k++)
        s->inverse[k] = 1 / (double)k;
    return PROTEA_OK;
}

protea_status protea_corrupt_shot_noise(const protea_corruption *c)
{
    static const double photons[2][PROTEA_SEVERITIES] = { { 500, 250, 100, 75, 50 }, { 60, 25, 12, 5, 3 } };
    uint32_t word[BLOCK];
    size_t n = protea_values(c->image);
    shot s;
    PROTEA_TRY(shot_new(&s, photons[c->scale][c->level]));
    for (size_t i = 0; i < n; i += BLOCK) {
        int part = n - i < BLOCK ? (int)(n - i) : BLOCK;
        protea_rng_fill_u32(c->rng, word, part);
        shoot(&s, c->image->px + i, word, part);
    }
    protea_free(s.weight);
    return PROTEA_OK;
}
