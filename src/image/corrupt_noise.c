/* Noise: gaussian, shot (Poisson), impulse (salt and pepper), speckle. */
#include <math.h>
#include <string.h>

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
static const double SPREAD = 7, SPREAD_LEAST = 16;

typedef struct poisson {
    int first, n;       /* counts first .. first + n - 1; n 0: not yet made */
    uint32_t *at_most;  /* (n) 2^32 P(count <= first + i), at most 2^32 - 1 */
} poisson;

static int spread_of(double mean)
{
    return (int)(SPREAD * sqrt(mean) + SPREAD_LEAST);
}

/* Weights go out from the mean by p(k + 1) = p(k) mean / (k + 1); their sum makes them probabilities. */
static void poisson_make(poisson *p, double mean, uint32_t *room, double *weight)
{
    int spread = spread_of(mean), middle = (int)mean;
    double sum = 0, below = 0;
    p->first = middle > spread ? middle - spread : 0;
    p->n = middle + spread + 1 - p->first;
    p->at_most = room;
    weight[middle - p->first] = 1;
    for (int k = middle; k > p->first; k--)
        weight[k - 1 - p->first] = weight[k - p->first] * k / mean;
    for (int k = middle + 1; k < p->first + p->n; k++)
        weight[k - p->first] = weight[k - 1 - p->first] * mean / k;
    for (int i = 0; i < p->n; i++)
        sum += weight[i];
    for (int i = 0; i < p->n; i++) {
        below += weight[i] / sum;
        room[i] = (uint32_t)fmin(below * 0x1p32, UINT32_MAX);
    }
}

/* The smallest count whose cumulative probability lies above the draw. */
static int poisson_draw(const poisson *p, uint32_t word)
{
    int low = 0, n = p->n - 1;
    while (n > 0) {
        int half = n / 2;
        bool above = p->at_most[low + half] <= word;
        low = above ? low + half + 1 : low;
        n = above ? n - half - 1 : half;
    }
    return p->first + low;
}

typedef struct shot {
    poisson of[256];
    double photons;    /* c: counts that a value of 1 stands for */
    uint32_t *room;    /* of the tables */
    double *weight;    /* scratch */
} shot;

static void shoot(shot *s, uint8_t *px, const uint32_t *word, int n)
{
    for (int i = 0; i < n; i++) {
        poisson *p = &s->of[px[i]];
        if (px[i] == 0) /* nothing arrives */
            continue;
        if (p->n == 0) {
            poisson_make(p, px[i] / 255. * s->photons, s->room, s->weight);
            s->room += p->n;
        }
        px[i] = protea_cut(fmin(poisson_draw(p, word[i]) / s->photons, 1) * 255);
    }
}

protea_status protea_corrupt_shot_noise(const protea_corruption *c)
{
    static const double photons[2][PROTEA_SEVERITIES] = { { 500, 250, 100, 75, 50 }, { 60, 25, 12, 5, 3 } };
    uint32_t word[BLOCK], *room;
    double most = photons[c->scale][c->level], *weight;
    size_t longest = 2 * (size_t)spread_of(most) + 1, n = protea_values(c->image);
    shot s = { .photons = most };
    PROTEA_TRY(protea_new(&weight, longest * (256 + 2), sizeof *room, "shot noise"));
    room = (uint32_t *)(void *)(weight + longest);
    s.room = room;
    s.weight = weight;
    for (size_t i = 0; i < n; i += BLOCK) {
        int part = n - i < BLOCK ? (int)(n - i) : BLOCK;
        protea_rng_fill_u32(c->rng, word, part);
        shoot(&s, c->image->px + i, word, part);
    }
    protea_free(weight);
    return PROTEA_OK;
}
