/* ProtoNCE: each query is to be told as a member of its own cluster from the prototypes of others. */
#ifndef PROTEA_LOSS_PROTO_NCE_H
#define PROTEA_LOSS_PROTO_NCE_H

#include "tensor/context.h"

/* One granularity: what a clustering of the data set left, and what a step draws from it. */
typedef struct protea_proto_nce {
    const protea_tensor *prototypes;  /* (K,D) rows of length 1 */
    const float *concentration;       /* (K) phi > 0: the temperature of each prototype */
    const int32_t *positive;          /* (N) cluster of each query's image; not read when planning */
    const int32_t *negative;          /* (R) distinct clusters that no query of the batch is in, or drawn with replacement */
    int64_t n_negatives;              /* R >= 0 */
    bool mask_same;                   /* ours: members of one cluster are no negatives of one another */
    double weight;                    /* multiplies loss and gradient: 1/M of the mean over M granularities */
} protea_proto_nce;

/* Loss, and its gradient added to that of the queries. Prototypes and concentrations are constants.
 *
 *   x_ij = q_i . c_j / phi_j  for the prototypes c_j of the batch's N queries, in their order, then of the R negatives
 *   L = weight/N sum_i - log softmax_i(x_i)
 *   dL/dq_i = weight/N sum_j (softmax_j(x_i) - [i = j]) c_j / phi_j
 *
 * So the other queries' prototypes are negatives too, as in the authors' code. Of two queries in one cluster each then has its own
 * prototype among its negatives, and the loss does not go below the mean of ln(queries in the same cluster), unless mask_same.
 *
 * loss      not set when planning.
 * accuracy  share of queries whose prototype has the largest logit; may be NULL. A prototype that appears twice counts as its
 *           first: rows behind it are wrong, unless mask_same.
 * dq        (N,D) is added to.
 * q         (N,D) rows of length 1.
 * Source: Li et al. 2021, arXiv:2005.04966, eq. 11. Scratch: cx->scratch. Errors: PROTEA_ERR_INTERNAL (shapes, a cluster that is
 * none). */
protea_status protea_proto_nce_loss(protea_ctx *cx, double *loss, double *accuracy, protea_tensor *dq, const protea_tensor *q,
                                    const protea_proto_nce *granularity);

#endif
