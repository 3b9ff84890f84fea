/* The embeddings of one epoch's images as they passed by in training, and which image each row is of.
 * Source: Caron et al. 2020, arXiv:2006.09882, app. (DeepCluster-v2). Letters: A assigned crops, R rows = images of an epoch
 * on this rank, D width. */
#ifndef PROTEA_CLUSTER_MEMORY_BANK_H
#define PROTEA_CLUSTER_MEMORY_BANK_H

#include "nn/module.h"

typedef struct protea_memory_bank {
    protea_tensor rows;  /* (A,R,D) */
    protea_tensor index; /* (R) i32: position in the data set */
} protea_memory_bank;

protea_status protea_memory_bank_new(protea_memory_bank *bank, int64_t n_crops, int64_t n_rows, int64_t dim);
void protea_memory_bank_release(protea_memory_bank *bank); /* accepts a zeroed one */

/* Embeddings z (n,D) of one crop into rows [first, first + n), and the images they are of, index (n). A row that is not finite is
 * left as it was, so that one bad step does not spoil the clustering of an epoch. Nothing when planning. */
protea_status protea_memory_bank_put(protea_ctx *cx, protea_memory_bank *bank, int64_t crop, int64_t first,
                                     const protea_tensor *z);
void protea_memory_bank_put_index(const protea_ctx *cx, protea_memory_bank *bank, int64_t first, const int64_t *index, int64_t n);
/* The (R,D) rows of one crop, as a view. */
protea_tensor protea_memory_bank_crop(const protea_memory_bank *bank, int64_t crop);

/* Saved as "memory" and "memory_index"; nothing when there is no bank. */
protea_status protea_memory_bank_visit(protea_memory_bank *bank, const protea_visitor *v);

#endif
