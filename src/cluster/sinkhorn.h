/* Sinkhorn-Knopp: soft assignment of samples to prototypes with equal use of every prototype. */
#ifndef PROTEA_CLUSTER_SINKHORN_H
#define PROTEA_CLUSTER_SINKHORN_H

#include "tensor/context.h"

/* q (n,K) = last n rows of the codes of scores (B,K), B >= n; queue rows first.
 *
 *   Q <- exp(S / eps);  repeat iters: columns (prototypes) of Q sum to B/K, then rows (samples) to 1
 *
 * which is the paper's alternation with its final factor B taken in from the start. It ends on the rows: each code sums
 * to 1, the prototypes' masses only nearly to B/K. B counts the rows of all ranks, which must have equally many.
 *
 * scores  (B,K)  cosine of embedding and prototype. Left as they are.
 * q       (n,K)  must not overlap scores.
 * eps            entropy regulariser, > 0; 0.05 in the paper.   iters  >= 1; 3 in the paper.
 *
 * However small eps is, neither a sample far from every prototype nor a prototype far from every sample underflows: what is
 * subtracted before exp is each sample's largest score or, where a prototype needs it, each prototype's (gibbs_kernel.c). Both at
 * once, a sample and a prototype that are some 88 eps away from all others, are refused.
 * Collective. Errors, on all ranks alike: PROTEA_ERR_USAGE (eps, iters), PROTEA_ERR_DIVERGED (scores not finite, or
 * what was just said). Equal bits for any number of threads.
 * Source: Caron et al. 2020, arXiv:2006.09882, sec. 3.1 and listing 1. Scratch: cx->scratch. */
protea_status protea_sinkhorn(protea_ctx *cx, protea_tensor *q, const protea_tensor *scores, double eps, int64_t iters);

/* The same by the plain definition in double, one process: the reference for tests. q (B,K), s (B,K). */
void protea_sinkhorn_reference(double *q, const double *s, int64_t b, int64_t k, double eps, int64_t iters);

#endif
