/* How weights start, as in torchvision's networks and PyTorch's layers. Draws run through the tensor in its order. Without rng
 * (NULL) a tensor stays as it is: for weights that are about to be read. */
#ifndef PROTEA_NN_INIT_H
#define PROTEA_NN_INIT_H

#include "tensor/context.h"

/* Kaiming normal, fan_out, gain of ReLU: N(0, 2 / (K K O)) for w (O,C,K,K). He et al. 2015, arXiv:1502.01852, eq. 14. */
void protea_init_kaiming(protea_tensor *w, protea_rng *rng);
/* U(-bound, bound). */
void protea_init_uniform(protea_tensor *w, double bound, protea_rng *rng);

#endif
