/* Momentum contrast: what MoCo and PCL have in common. A query encoder that is trained, a key encoder that follows it, the queue of
 * earlier keys, and InfoNCE between them.
 * Source: He et al. 2020, arXiv:1911.05722 (v1); Chen et al. 2020, arXiv:2003.04297 (v2: head with a hidden layer). In the
 * authors' code the key encoder moves between the forward passes of a step, here after the update before it: the same numbers, but
 * that its last move is also made, and that a bad step leaves it and the queue alone.
 * Letters: N images on this rank, D = dim, L = queue_length. */
#ifndef PROTEA_METHOD_CONTRAST_H
#define PROTEA_METHOD_CONTRAST_H

#include "cluster/key_ring.h"
#include "loss/info_nce.h"
#include "method/embedding.h"
#include "method/method.h"
#include "method/momentum_encoder.h"

typedef struct protea_contrast_opts {
    const char *queue_name, *temperature_name; /* what the method calls them, for messages */
    int64_t dim, queue_length;
    int64_t bn_splits;          /* groups of a batch with batch-norm statistics of their own */
    int64_t directions;         /* 2: each view is query once and key once; else 1 */
    bool mlp;                   /* head with a hidden layer as wide as the features; else one linear layer */
    double momentum, temperature;
} protea_contrast_opts;

typedef struct protea_contrast {
    protea_contrast_opts opts;
    protea_embedder query;      /* its head: owned; backbone: borrowed; tape: owned */
    protea_momentum_encoder key;
    protea_key_ring queue;
    protea_tensor keys;         /* this step's (directions*N,D), in the kept arena until the update has joined them to the queue */
} protea_contrast;

/* Release in any case. Errors: PROTEA_ERR_USAGE (bn_splits that do not divide the batch, a queue of no whole steps). */
protea_status protea_contrast_init(protea_ctx *cx, protea_contrast *c, const protea_contrast_opts *opts, protea_module *backbone,
                                   const protea_progress *plan, protea_rng *rng);
void protea_contrast_release(protea_contrast *c);
/* fc.* (the query's head), encoder_k.*, queue, queue_ptr. */
protea_status protea_contrast_visit(protea_contrast *c, const protea_visitor *v);

/* One direction of a step, on its way forward. */
typedef struct protea_contrast_pass {
    protea_batch queries;           /* the view that asks */
    protea_embedding q;             /* (N,D) */
    protea_tensor dq;               /* (N,D) gradient of InfoNCE; what else is to be learnt is added to it */
    protea_info_nce_result result;
} protea_contrast_pass;

/* Begins a step: that the batch has two views of one size; room for the keys. */
protea_status protea_contrast_begin(protea_ctx *cx, protea_contrast *c, const protea_batch *batch);
/* Queries of `view` against keys of the other. dq is in the scratch arena: who calls marks and releases it. */
protea_status protea_contrast_forward(protea_ctx *cx, protea_contrast *c, const protea_batch *batch, int64_t view,
                                      const protea_progress *now, protea_contrast_pass *pass);
/* dq to gradients in the query's parameters. */
protea_status protea_contrast_backward(protea_ctx *cx, protea_contrast *c, protea_contrast_pass *pass);
/* After the update: the key encoder moves, and the keys join the queue. With several ranks the keys of all would join here, in rank
 * order. */
protea_status protea_contrast_update(protea_ctx *cx, protea_contrast *c);

/* ---- health */
enum { PROTEA_CONTRAST_METRICS = 5 };
/* loss_over_ln_k (of InfoNCE), accuracy, positive, negative, embedding_std of one direction: the first metrics of out. */
void protea_contrast_measure(const protea_ctx *cx, const protea_contrast *c, const protea_contrast_pass *pass,
                             protea_step_out *out);
/* Whether the queue has been filled twice, so that health means something. */
bool protea_contrast_settled(const protea_contrast *c, const protea_progress *now);
/* As a method's sick, from those metrics. */
bool protea_contrast_sick(const protea_contrast *c, const protea_step_out *mean, char *text, size_t size);

#endif
