/* The two directions in which rows differ the most: a map that needs no tuning and lies the same every time. */
#ifndef PROTEA_EVAL_PRINCIPAL_AXES_H
#define PROTEA_EVAL_PRINCIPAL_AXES_H

#include "tensor/context.h"

/* xy (n,2): coordinates of the rows of z (n,dim), less their mean, on the first two principal axes, found by subspace iteration
 * (Pearson 1901; Halko et al. 2011, arXiv:0909.4061, alg. 4.4). share[2] (may be NULL): of the variance, on each.
 * Errors: PROTEA_ERR_MEMORY. */
protea_status protea_principal_axes(float *xy, double share[2], const float *z, int64_t n, int64_t dim);

#endif
