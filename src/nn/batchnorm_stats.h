/* Batch-norm's statistics: of the batch, over ranks, and running. */
#ifndef PROTEA_NN_BATCHNORM_STATS_H
#define PROTEA_NN_BATCHNORM_STATS_H

#include "nn/batchnorm.h"

/* Whether ranks share statistics: when the whole batch is one group, and there are others. */
bool protea_bn_spans_ranks(const protea_ctx *cx, const protea_groups *groups);
/* How many values of a channel one mean is taken over, on all ranks that share it. */
double protea_bn_values_per_group(const protea_ctx *cx, const protea_tensor *x, const protea_groups *groups);
/* mean, var (G,C): biased. Collective when ranks share them. */
protea_status protea_bn_batch_stats(protea_ctx *cx, protea_tensor *mean, protea_tensor *var, const protea_tensor *x,
                                    const protea_groups *groups);
/* Moves the running statistics towards the batch's: by the mean over groups of each group's own update, with the
 * unbiased variance (the rule of SplitBN in MoCo's CIFAR-10 notebook; with one group PyTorch's). values: per group. */
void protea_bn_move_running(protea_bn *bn, const protea_tensor *mean, const protea_tensor *var, double values);

#endif
