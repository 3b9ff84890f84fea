/* Philox4x32-10 and the distributions drawn from it. */
#include "base/rng.h"

#include <math.h>

void protea_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

protea_rng protea_rng_make(uint64_t seed, protea_rng_use use, uint32_t a, uint64_t b, uint32_t c)
{
    protea_rng rng = { .key = { (uint32_t)seed, (uint32_t)(seed >> 32) ^ ((uint32_t)use << 24) ^ a } };
    rng.counter[1] = c;
    rng.counter[2] = (uint32_t)b;
    rng.counter[3] = (uint32_t)(b >> 32);
    return rng;
}

uint32_t protea_rng_u32(protea_rng *rng)
{
    if (rng->left == 0) {
        protea_philox(rng->block, rng->counter, rng->key);
        rng->counter[0]++;
        rng->left = 4;
    }
    return rng->block[--rng->left];
}

float protea_rng_uniform(protea_rng *rng)
{
    return (float)(protea_rng_u32(rng) >> 8) * 0x1p-24f;
}

double protea_rng_uniform_double(protea_rng *rng)
{
    uint64_t high = protea_rng_u32(rng) >> 5, low = protea_rng_u32(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

uint64_t protea_rng_below(protea_rng *rng, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n: draws beyond it would favour small values */
    for (;;) {
        uint64_t draw = (uint64_t)protea_rng_u32(rng) << 32;
        draw |= protea_rng_u32(rng);
        if (draw < limit)
            return draw % n;
    }
}

void protea_rng_shuffle(protea_rng *rng, int64_t *v, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)protea_rng_below(rng, (uint64_t)i + 1), swapped = v[i];
        v[i] = v[j];
        v[j] = swapped;
    }
}

float protea_rng_normal(protea_rng *rng)
{
    double u = 1.0 - protea_rng_uniform_double(rng), v = protea_rng_uniform_double(rng);
    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

/* For shape + 1, then shape by their boost, u^(1/shape). */
double protea_rng_log_gamma(protea_rng *rng, double shape)
{
    double d = shape + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = protea_rng_normal(rng), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = 1 - protea_rng_uniform_double(rng);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return log(d * v) + log(1 - protea_rng_uniform_double(rng)) / shape;
    }
}
