/* The sampler: which image is whose turn in an epoch. A function of (seed, epoch) alone. */
#ifndef PROTEA_DATA_SAMPLER_H
#define PROTEA_DATA_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* All zero: every epoch is one pass over all images in an order of its own. */
typedef struct protea_sampling {
    int n_domains;         /* 0, or parts of the data set that share each batch equally: part d of a batch is domain d's */
    const int64_t *first;  /* (n_domains + 1) domain d has images first[d] .. first[d + 1] - 1; borrowed */
    int64_t steps;         /* per epoch; 0: as many as make one pass over all images */
    bool replacement;      /* draw each image from its whole domain anew; else walk through it, again and again */
} protea_sampling;

typedef struct protea_sampler {
    protea_sampling how;
    uint64_t seed;
    int64_t n, share;      /* images; images of a domain in each rank's part of a batch */
    int64_t steps, ranks;  /* steps per epoch; parts of a batch */
    int64_t part;          /* images in a rank's part of a batch */
    int64_t *order;        /* (steps * ranks * part) image of each place of the epoch; owned */
    uint32_t *turn;        /* (same) how often the image came before in the epoch; owned */
    int64_t *walk;         /* (largest domain) owned */
    uint32_t *seen;        /* (n) owned */
} protea_sampler;

/* Release in any case. Errors: PROTEA_ERR_USAGE when a part of a batch is not divisible by the domains, PROTEA_ERR_INPUT when
 * there are fewer images than one batch takes, PROTEA_ERR_MEMORY. */
protea_status protea_sampler_init(protea_sampler *s, const protea_sampling *how, int64_t n_images, int64_t part, int64_t ranks,
                                  uint64_t seed);
void protea_sampler_release(protea_sampler *s);
/* Fills order and turn. */
void protea_sampler_epoch(protea_sampler *s, int64_t epoch);

#endif
