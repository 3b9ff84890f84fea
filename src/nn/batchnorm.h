/* Batch-norm as a part of larger layers: a value with its own forward and backward, on memory of the caller.
 *
 *   y = act(gamma (x - mean) / sqrt(var + eps) + beta + residual)
 *
 * over each of G groups of samples (Ioffe & Szegedy 2015, arXiv:1502.03167). Seen by a kernel: x * scale + shift. */
#ifndef PROTEA_NN_BATCHNORM_H
#define PROTEA_NN_BATCHNORM_H

#include "nn/module.h"

typedef struct protea_bn {
    int64_t channels;
    bool affine;
    protea_param gamma, beta;                         /* (C), if affine */
    protea_tensor running_mean, running_var, batches; /* (C), (C), (1) */
} protea_bn;

/* What one forward pass has settled and its backward needs; arrays (G,C). */
typedef struct protea_bn_record {
    protea_groups groups;
    bool batch_stats;
    float *mean, *rstd, *scale, *shift;
} protea_bn_record;

protea_status protea_bn_init(protea_bn *bn, int64_t channels, bool affine); /* also on failure: release */
void protea_bn_release(protea_bn *bn);
protea_status protea_bn_visit(protea_bn *bn, const char *prefix, const protea_visitor *v);

/* Settles scale and shift for x, by the pass's mode, and moves the running statistics if the pass says so. The record's
 * arrays are in the kept arena when the pass has a tape, else in scratch. Collective with batch statistics over the
 * whole batch: ranks then share them. With groups, each rank has its own. */
protea_status protea_bn_prepare(protea_ctx *cx, protea_bn *bn, const protea_pass *pass, const protea_tensor *x,
                                protea_bn_record *record);
/* residual may be NULL; y may be x or residual. */
protea_status protea_bn_normalize(protea_ctx *cx, const protea_bn_record *record, protea_tensor *y, const protea_tensor *x,
                                  const protea_tensor *residual, protea_act act);
/* Adds to the gradients of gamma and beta; dx may be dy (then d_residual must be NULL). d_residual (NULL: not wanted; may
 * be dy): dy where the activation let through. y: NULL unless there was a residual. Collective as protea_bn_prepare. */
protea_status protea_bn_backward(protea_ctx *cx, protea_bn *bn, const protea_bn_record *record, protea_tensor *dx,
                                 protea_tensor *d_residual, const protea_tensor *x, const protea_tensor *y,
                                 const protea_tensor *dy, protea_act act);

#endif
