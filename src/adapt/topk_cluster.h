/* Memorised spatial clustering: a prediction and those of the nearest supports. Named as in TSD's code (arXiv:2303.10902). */
#ifndef PROTEA_ADAPT_TOPK_CLUSTER_H
#define PROTEA_ADAPT_TOPK_CLUSTER_H

#include "adapt/neighbours.h"
#include "loss/prototype_loss.h"

/* With sim_nj and T_nj the similarity and the score (C) of feature n's j-th of k supports:
 *
 *   official   L = mean_nj - sim_nj |x_n - T_nj|^2    logits x against probabilities T: descent drives them apart, unbounded
 *   otherwise  L = mean_nj + sim_nj |p_n - T_nj|^2    p = softmax(x): neighbours are pulled together
 *
 * similarities and T are constants. loss: not set when planning; d_logits (N,C).
 * scores (M,C): rows by nb->index. kept: rows that count, NULL: all. Without supports or kept rows L and d_logits are 0. */
protea_status protea_topk_cluster(protea_ctx *cx, double *loss, protea_tensor *d_logits, const protea_tensor *logits,
                                  const protea_neighbours *nb, const protea_tensor *scores, const protea_kept_rows *kept,
                                  bool official);

#endif
