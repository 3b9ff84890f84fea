/* The key encoder of MoCo and PCL: a slowly moving copy of the query encoder that no gradient goes through.
 *
 *   w_k = m w_k + (1 - m) w_q      for every parameter; not for batch-norm's running statistics, which are its own
 *
 * Source: He et al. 2020, arXiv:1911.05722, eq. 2. */
#ifndef PROTEA_METHOD_MOMENTUM_ENCODER_H
#define PROTEA_METHOD_MOMENTUM_ENCODER_H

#include "method/method.h"

typedef struct protea_momentum_encoder {
    protea_module *encoder;   /* owned: images to rows of length 1 (N,D); backbone, head, L2 norm */
    int64_t n;
    const protea_tensor **from; /* (n) the query's parameters; borrowed from it */
    protea_tensor **to;         /* (n) the key's, in the same order */
} protea_momentum_encoder;

/* Builds a backbone by plan->new_backbone, joins key_head to it (taken, also on failure; made by the constructor of
 * query_head) and copies the query's parameters. backbone and query_head are borrowed for good. Release in any case.
 * Errors: PROTEA_ERR_INTERNAL when the two do not have the same parameters. */
protea_status protea_momentum_encoder_init(protea_momentum_encoder *m, const protea_progress *plan, protea_module *backbone,
                                           protea_module *query_head, protea_module *key_head, protea_rng *rng);
void protea_momentum_encoder_release(protea_momentum_encoder *m); /* accepts a zeroed one */

/* Moves every parameter by the equation above; momentum m in 0..1. Equal bits for any number of threads. */
void protea_momentum_encoder_update(protea_momentum_encoder *m, double momentum);

/* keys (N,D) of images x (N,3,S,S), without gradient: the encoder sees them in a random order that only seed, step and view
 * decide, in bn_groups interleaved groups with batch statistics of their own, and the keys come back in the order of x. A key
 * is so normalised in other company than its query, which batch-norm could otherwise tell it by (sec. 3.3, "Shuffling BN").
 * In one process the order is over its batch; ranks would first gather the images, and each take its share. */
protea_status protea_momentum_encoder_keys(protea_ctx *cx, protea_momentum_encoder *m, protea_tensor *keys,
                                           const protea_tensor *x, int64_t bn_groups, int64_t step, uint32_t view);

/* Saved, not optimised: everything is handed to v->buffer, as encoder_k.backbone.* and encoder_k.fc.* */
protea_status protea_momentum_encoder_visit(protea_momentum_encoder *m, const protea_visitor *v);

#endif
