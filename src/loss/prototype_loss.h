/* Self-distillation between two classifiers on one feature: by prototypes and by the linear layer. */
#ifndef PROTEA_LOSS_PROTOTYPE_LOSS_H
#define PROTEA_LOSS_PROTOTYPE_LOSS_H

#include "loss/row_norm.h"

/* How the prototypes' q is compared with the target t, both distributions. */
typedef enum protea_distillation {
    PROTEA_DISTIL_FORWARD,  /* KL(t || q): q is to cover t, as a student its teacher */
    PROTEA_DISTIL_REVERSE,  /* KL(q || t), as the reference code */
    PROTEA_DISTIL_HARD      /* - ln q of one label */
} protea_distillation;

typedef struct protea_prototype_opts {
    protea_row_norm_kind norm;
    protea_distillation kind;
    double tau;             /* > 0: divides the similarities */
    bool own_labels;        /* hard: the label is the prototypes' own, else the target's largest */
    bool consistent_only;   /* rows whose largest similarity and largest target are of different classes are left out */
} protea_prototype_opts;

/* What a loss was taken over. */
typedef struct protea_kept_rows {
    int64_t n;              /* how many */
    bool *keep;             /* (N) which; of the caller */
} protea_kept_rows;

/* With z^ and P^ the rows of z and P, normalised, d = z^ P^' / tau, q = softmax(d), l = log softmax(target):
 *
 *   forward   L = 1/kept sum_n KL(t_n || q_n)          dL/dd_nc = (q_nc - t_nc) / kept,   t = softmax(target)
 *   reverse   L = 1/kept sum_n KL(q_n || t_n)          dL/dd_nc = q_nc ((ln q_nc - l_nc) - KL_n) / kept
 *   hard      L = 1/kept sum_n - ln q_n,label          dL/dd_nc = (q_nc - [c = label]) / kept
 *
 * and from there to z; prototypes and targets are constants. A prototype of zeros has d = 0. Without a kept row loss and d_z
 * are 0.
 *
 * loss, kept   not set when planning.
 * d_z (N,D), d (N,C) or NULL: similarities.   z (N,D), prototypes (C,D), target (N,C) as logits.
 * Source: Wang et al. 2023, arXiv:2303.10902, and the authors' code, which takes probabilities for logits (target = softmax of
 * the linear layer's output) and L1 norms; see docs/math/tsd.md. */
protea_status protea_prototype_loss(protea_ctx *cx, double *loss, protea_kept_rows *kept, protea_tensor *d_z, protea_tensor *d,
                                    const protea_tensor *z, const protea_tensor *prototypes, const protea_tensor *target,
                                    const protea_prototype_opts *opts);

#endif
