/* The classifier as adapters run it: forward in one of its modes, backward, and which parameters are trained. */
#ifndef PROTEA_ADAPT_NETWORK_H
#define PROTEA_ADAPT_NETWORK_H

#include "adapt/adapter.h"

/* z (N,D) and logits (N,C), in the kept arena. A featurizer's or fc's tape must be base->tape for protea_network_backward. */
protea_status protea_network_forward(protea_ctx *cx, const protea_adapt_base *base, const protea_pass *pass,
                                     const protea_tensor *x, protea_tensor *z, protea_tensor *logits);
/* Adds to the gradients of what is trained. d_logits (N,C) is overwritten; d_z (N,D): what reaches z beside fc, or NULL. */
protea_status protea_network_backward(protea_ctx *cx, const protea_adapt_base *base, protea_tensor *d_logits,
                                      const protea_tensor *d_z);

/* Sets frozen on every parameter but those that update_param (PROTEA_UPDATE_*, settled) names. */
protea_status protea_network_freeze(const protea_classifier *model, int32_t update_param);
/* Clears frozen everywhere. */
void protea_network_unfreeze(const protea_classifier *model);

/* Visits the classifier under torchvision's names; self: protea_classifier. */
protea_status protea_network_visit(void *self, const protea_visitor *v);
/* Visits its parameters that are not frozen, and no buffers. */
protea_status protea_network_visit_trained(void *self, const protea_visitor *v);

#endif
