/* The gradient steps that most adapters make on a batch: forward with the batch's statistics, a loss, backward, update. */
#ifndef PROTEA_ADAPT_GRADIENT_STEP_H
#define PROTEA_ADAPT_GRADIENT_STEP_H

#include "adapt/adapter.h"

/* One forward pass and what a loss makes of it. Tensors in the kept arena. */
typedef struct protea_adapt_pass {
    protea_tensor z, logits;        /* (N,D), (N,C); finite */
    protea_tensor d_logits;         /* (N,C): to be filled */
    protea_tensor d_z;              /* (N,D): what reaches z beside the logits; zeroed before, used when to_z is set */
    bool to_z;
} protea_adapt_pass;

typedef struct protea_adapt_loss {
    /* Fills the derivatives, out->loss and out->kept; with kept 0 no step is made. On paper only allocates, and sets to_z. */
    protea_status (*loss)(protea_ctx *cx, void *self, protea_adapt_pass *pass, protea_adapt_out *out);
    /* Adds to out->loss and to the parameters' gradients what does not come through the network; not on paper. May be NULL. */
    protea_status (*penalty)(void *self, protea_adapt_out *out);
    void *self;
} protea_adapt_loss;

/* base->opts.steps of them. logits: of the last one's forward. */
protea_status protea_gradient_steps(protea_ctx *cx, protea_adapt_base *base, const protea_tensor *x,
                                    const protea_adapt_loss *loss, protea_tensor *logits, protea_adapt_out *out);

/* The parts. Forward with the batch's statistics, moving the running ones where update_stats is set; *finite false: they were
 * put back, and nothing else may be done with this batch. tape false: no backward will follow. */
protea_status protea_adapt_forward(protea_ctx *cx, protea_adapt_base *base, const protea_tensor *x, bool tape,
                                   bool update_stats, protea_adapt_pass *pass, bool *finite);
/* Gradients of the trained parameters: zeroed, then backward. *finite: all of them are. */
protea_status protea_adapt_backward(protea_ctx *cx, protea_adapt_base *base, protea_adapt_pass *pass, bool *finite);

#endif
