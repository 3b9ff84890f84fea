/* Counter-based randomness: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 * A generator is a value made from what it is for, so results never depend on threads, workers or order. */
#ifndef PROTEA_BASE_RNG_H
#define PROTEA_BASE_RNG_H

#include <stdint.h>

typedef struct protea_rng {
    uint32_t key[2], counter[4]; /* counter[0] runs; 1..3 hold what it is for */
    uint32_t block[4];
    int left; /* unused words of block */
} protea_rng;

/* What the numbers are for; keeps streams with equal (a, b, c) apart. */
typedef enum protea_rng_use {
    PROTEA_RNG_INIT = 1, PROTEA_RNG_SHUFFLE, PROTEA_RNG_VIEW, PROTEA_RNG_SYNTH, PROTEA_RNG_LIMIT,
    PROTEA_RNG_KMEANS, PROTEA_RNG_METHOD, PROTEA_RNG_TEST, PROTEA_RNG_STREAM, PROTEA_RNG_CORRUPT, PROTEA_RNG_SPLIT,
    PROTEA_RNG_LABELS, PROTEA_RNG_MAP
} protea_rng_use;

/* seed with use, and up to three coordinates: epoch, dataset index, view, say. b is 64-bit, a < 2^24, c < 2^32. */
protea_rng protea_rng_make(uint64_t seed, protea_rng_use use, uint32_t a, uint64_t b, uint32_t c);

uint32_t protea_rng_u32(protea_rng *rng);
/* Uniform in [0, 1), 24 bits. */
float protea_rng_uniform(protea_rng *rng);
/* Uniform in [0, 1), 53 bits. */
double protea_rng_uniform_double(protea_rng *rng);
/* Uniform integer in [0, n), without bias; n >= 1. */
uint64_t protea_rng_below(protea_rng *rng, uint64_t n);
/* Fisher-Yates: v (n) in an order drawn evenly from all. */
void protea_rng_shuffle(protea_rng *rng, int64_t *v, int64_t n);
/* Standard normal (Box-Muller). */
float protea_rng_normal(protea_rng *rng);

/* Many at once, several times as fast as one by one: blocks of PROTEA_RNG_CHUNK words from 16 counters, word k of all of them
 * before word k + 1. They begin at a fresh counter (what was left of the last one is dropped), and a part of a last block is
 * dropped too: what n numbers are does not depend on how the caller cuts them only where the cuts are whole blocks. */
enum { PROTEA_RNG_CHUNK = 64 };
void protea_rng_fill_u32(protea_rng *rng, uint32_t *out, int64_t n);
/* Uniform in [0, 1), 24 bits: each from one word. */
void protea_rng_fill_uniform(protea_rng *rng, float *out, int64_t n);
/* Standard normal: of a block of words, 0..15 give the radii and 16..31 the angles of pairs (cosines first), and so do the
 * words 32..47 and 48..63 (Box-Muller in f32, 24 bits: none beyond 5.9). */
void protea_rng_fill_normal(protea_rng *rng, float *out, int64_t n);

/* Log of a draw from Gamma(shape, 1), shape > 0. In logarithms because small shapes underflow; n of them in proportion are
 * a draw from a Dirichlet distribution, two from a Beta. Source: Marsaglia & Tsang 2000, "A simple method for generating
 * gamma variables". */
double protea_rng_log_gamma(protea_rng *rng, double shape);

/* The bare function, for known-answer tests. */
void protea_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

#endif
