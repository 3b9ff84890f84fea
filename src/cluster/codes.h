/* What codes look like: the numbers that tell a healthy clustering from a collapsed one. */
#ifndef PROTEA_CLUSTER_CODES_H
#define PROTEA_CLUSTER_CODES_H

#include "tensor/context.h"

typedef struct protea_code_stats {
    double entropy;       /* mean over samples of H(q_n) / ln K: 0 hard, 1 uniform */
    double usage_entropy; /* H(mean code) / ln K: 1 when all prototypes are used alike, 0 when only one is */
    double max_prob;      /* mean over samples of max_k q_nk */
    double used;          /* prototypes that are some sample's most probable one */
} protea_code_stats;

/* codes (n,K), rows sum to 1, K >= 2. All zero when planning. Scratch: cx->scratch. */
protea_status protea_codes_stats(protea_ctx *cx, protea_code_stats *stats, const protea_tensor *codes);

/* Each row becomes 1 at its largest entry (the first of equals) and 0 elsewhere. */
protea_status protea_codes_harden(protea_ctx *cx, protea_tensor *codes);

/* Standard deviation of each channel of z (n,D) over the n rows, averaged over channels, times sqrt(D): 1 for unit vectors
 * in all directions, 0 when all are the same. 0 when planning. Source: Chen & He 2021, arXiv:2011.10566, sec. 4.1. */
double protea_embedding_std(const protea_ctx *cx, const protea_tensor *z);

#endif
