/* Sinkhorn-Knopp: soft assignment of samples to prototypes with equal use of every prototype. */
#ifndef PROTEA_CLUSTER_SINKHORN_H
#define PROTEA_CLUSTER_SINKHORN_H

#include "tensor/context.h"

/* q (n,K) = last n rows of the codes of scores (B,K), B >= n; queue rows first.
 *
 *   Q <- exp((S - max S) / eps);  repeat iters: columns (prototypes) of Q sum to 1/K, rows (samples) to 1/B;  Q <- B Q
 *
 * scores  (B,K)  cosine of embedding and prototype. Left as they are.
 * eps            entropy regulariser, > 0; 0.05 in the paper.   iters  >= 1; 3 in the paper.
 * The global maximum over all ranks is subtracted, which is exact; a per-sample one is not (methods.md 1.4).
 * Collective. Errors: PROTEA_ERR_USAGE (eps, iters), PROTEA_ERR_DIVERGED (scores not finite, or a sample's row underflows).
 * Source: Caron et al. 2020, arXiv:2006.09882, sec. 3.1 and listing 1. Scratch: cx->scratch. */
protea_status protea_sinkhorn(protea_ctx *cx, protea_tensor *q, const protea_tensor *scores, double eps, int64_t iters);

/* The same by the plain definition in double, one process: the reference for tests. q (B,K), s (B,K). */
void protea_sinkhorn_reference(double *q, const double *s, int64_t b, int64_t k, double eps, int64_t iters);

#endif
