/* Batch-norm folded into convolutions, for inference:
 *
 *     bn(conv(x, w)) = conv(x, scale w) + shift,    scale = gamma / sqrt(var + eps),  shift = beta - mean scale
 *
 * with the running statistics. A fold is a copy, in the layout and precision of the back-end's convolution (bf16 where it
 * multiplies that); the weights themselves stay as they are, and so must they while their folds are used. A fold is made when a
 * convolution is first met, and again when it meets another size of maps. */
#ifndef PROTEA_NN_FOLDS_H
#define PROTEA_NN_FOLDS_H

#include "nn/conv_bn.h"

protea_status protea_folds_new(protea_folds **out);
void protea_folds_free(protea_folds *folds); /* accepts NULL */

/* *packed: the fold of u for maps like x and y and this ending; borrowed. Takes scratch memory and leaves it taken. NULL while
 * planning. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_folds_find(protea_ctx *cx, protea_folds *folds, void **packed, protea_conv_bn *u, const protea_tensor *y,
                                const protea_tensor *x, protea_conv_ending ending);

#endif
