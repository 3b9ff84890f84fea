/* The keys of earlier steps that new queries are told from: a ring, in which the newest take the place of the oldest.
 * (SwAV's queue beside it has an order that is read; here only membership counts.)
 * Source: He et al. 2020, arXiv:1911.05722, sec. 3.2. */
#ifndef PROTEA_CLUSTER_KEY_RING_H
#define PROTEA_CLUSTER_KEY_RING_H

#include "nn/module.h"

typedef struct protea_key_ring {
    protea_tensor keys; /* (L,D), rows of length 1 */
    protea_tensor next; /* (1): the row that the next keys begin at; below 2^24, so exact in f32 */
} protea_key_ring;

/* Starts with random directions drawn from rng, as the reference does: the loss then rises while real keys replace them.
 * length: a multiple of per_step, the keys of a step over all ranks, so that no step wraps around in its middle; else
 * PROTEA_ERR_USAGE naming `option`. Release in any case. */
protea_status protea_key_ring_new(protea_key_ring *ring, const char *option, int64_t length, int64_t dim, int64_t per_step,
                                  protea_rng *rng);
void protea_key_ring_release(protea_key_ring *ring); /* accepts a zeroed one */

/* Puts keys (n,D) in the place of the oldest; n divides L. */
protea_status protea_key_ring_push(protea_ctx *cx, protea_key_ring *ring, const protea_tensor *keys);

/* Saved as "queue" and "queue_ptr". */
protea_status protea_key_ring_visit(protea_key_ring *ring, const protea_visitor *v);

#endif
