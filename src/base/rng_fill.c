/* Philox and Box-Muller on 16 counters at a time: loops of constant length that compilers turn into vector code. */
#include <math.h>
#include <string.h>

#include "base/rng.h"

enum { LANES = PROTEA_RNG_CHUNK / 4 };

static void philox_round(uint32_t c[4][LANES], uint32_t k0, uint32_t k1)
{
    for (int i = 0; i < LANES; i++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c[0][i], p1 = (uint64_t)0xCD9E8D57u * c[2][i];
        c[0][i] = (uint32_t)(p1 >> 32) ^ c[1][i] ^ k0;
        c[2][i] = (uint32_t)(p0 >> 32) ^ c[3][i] ^ k1;
        c[1][i] = (uint32_t)p1;
        c[3][i] = (uint32_t)p0;
    }
}

/* The next block of words; out[k] is word k of the counters. */
static void next_block(protea_rng *rng, uint32_t out[4][LANES])
{
    uint32_t k0 = rng->key[0], k1 = rng->key[1];
    for (uint32_t i = 0; i < LANES; i++) {
        out[0][i] = rng->counter[0] + i;
        out[1][i] = rng->counter[1];
        out[2][i] = rng->counter[2];
        out[3][i] = rng->counter[3];
    }
    for (int round = 0; round < 10; round++) {
        philox_round(out, k0, k1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    rng->counter[0] += LANES;
    rng->left = 0;
}

/* ln(u) for u in (0, 1): u = 2^e m with m in [1/sqrt 2, sqrt 2), ln m = 2 artanh((m - 1) / (m + 1)) by its series. */
static inline float natural_log(float u)
{
    uint32_t bits, mantissa;
    float m;
    memcpy(&bits, &u, sizeof bits);
    int32_t e = (int32_t)((bits - 0x3f3504f3u) & 0xff800000u); /* the exponent, counted from 1/sqrt 2, in its place */
    mantissa = bits - (uint32_t)e;
    memcpy(&m, &mantissa, sizeof m);
    float s = (m - 1) / (m + 1), s2 = s * s;
    float series = 2 * s * (1 + s2 * (1.0f / 3 + s2 * (1.0f / 5 + s2 * (1.0f / 7 + s2 * (1.0f / 9)))));
    return series + (float)(e / (1 << 23)) * 0.69314718f;
}

/* Cosine and sine of a whole circle's share, by quarters: Taylor's series within an eighth of a circle. */
static inline void circle(float turn, float *cosine, float *sine)
{
    int quarter = (int)(turn * 4 + 0.5f);
    float a = (turn - (float)quarter * 0.25f) * 6.2831853f, a2 = a * a;
    float s = a * (1 + a2 * (-1.0f / 6 + a2 * (1.0f / 120 + a2 * (-1.0f / 5040 + a2 * (1.0f / 362880)))));
    float c = 1 + a2 * (-0.5f + a2 * (1.0f / 24 + a2 * (-1.0f / 720 + a2 * (1.0f / 40320))));
    float x = quarter & 1 ? s : c, y = quarter & 1 ? c : s;
    *cosine = (quarter + 1) & 2 ? -x : x;
    *sine = quarter & 2 ? -y : y;
}

static void box_muller(float *restrict cosines, float *restrict sines, const uint32_t *radius, const uint32_t *angle)
{
    for (int i = 0; i < LANES; i++) {
        float u = ((float)(int32_t)(radius[i] >> 8) + 0.5f) * 0x1p-24f, c, s;
        float r = sqrtf(-2 * natural_log(u));
        circle((float)(int32_t)(angle[i] >> 8) * 0x1p-24f, &c, &s);
        cosines[i] = r * c;
        sines[i] = r * s;
    }
}

static void normal_block(protea_rng *rng, float *out)
{
    uint32_t word[4][LANES];
    next_block(rng, word);
    box_muller(out, out + LANES, word[0], word[1]);
    box_muller(out + 2 * LANES, out + 3 * LANES, word[2], word[3]);
}

void protea_rng_fill_u32(protea_rng *rng, uint32_t *out, int64_t n)
{
    uint32_t word[4][LANES];
    for (int64_t i = 0; i < n; i += PROTEA_RNG_CHUNK) {
        int64_t part = n - i < PROTEA_RNG_CHUNK ? n - i : PROTEA_RNG_CHUNK;
        next_block(rng, word);
        memcpy(out + i, word, (size_t)part * sizeof *out);
    }
}

void protea_rng_fill_uniform(protea_rng *rng, float *out, int64_t n)
{
    uint32_t word[4][LANES];
    float block[PROTEA_RNG_CHUNK];
    for (int64_t i = 0; i < n; i += PROTEA_RNG_CHUNK) {
        int64_t part = n - i < PROTEA_RNG_CHUNK ? n - i : PROTEA_RNG_CHUNK;
        next_block(rng, word);
        for (int k = 0; k < PROTEA_RNG_CHUNK; k++)
            block[k] = (float)(int32_t)(word[k / LANES][k % LANES] >> 8) * 0x1p-24f;
        memcpy(out + i, block, (size_t)part * sizeof *out);
    }
}

void protea_rng_fill_normal(protea_rng *rng, float *out, int64_t n)
{
    float block[PROTEA_RNG_CHUNK];
    for (int64_t i = 0; i < n; i += PROTEA_RNG_CHUNK) {
        int64_t part = n - i < PROTEA_RNG_CHUNK ? n - i : PROTEA_RNG_CHUNK;
        normal_block(rng, block);
        memcpy(out + i, block, (size_t)part * sizeof *out);
    }
}
