/* A queue of embeddings from earlier steps, newest first: it lets Sinkhorn see more samples than a batch holds.
 * Source: Caron et al. 2020, arXiv:2006.09882, sec. 3.1 "Working with small batches". */
#ifndef PROTEA_CLUSTER_QUEUE_H
#define PROTEA_CLUSTER_QUEUE_H

#include "nn/module.h"

typedef struct protea_queue {
    protea_tensor rows;   /* (A,L,D): one queue of L rows for each of A assignment crops */
    protea_tensor filled; /* (A): rows pushed so far, at most L; a count below 2^24, so exact in f32 */
} protea_queue;

/* Rows a queue gets when `wanted` over all ranks are asked for: rounded down to whole steps of `batch_size` images over all
 * ranks, then shared by n_ranks. */
int64_t protea_queue_rows(int64_t wanted, int64_t batch_size, int n_ranks);

protea_status protea_queue_new(protea_queue *queue, int64_t n_crops, int64_t length, int64_t dim);
void protea_queue_release(protea_queue *queue); /* accepts a zeroed one */

/* Whether there is a queue at all (length 0: no). */
bool protea_queue_exists(const protea_queue *queue);
/* Whether crop's rows have all been written. Until then none is used, as in the reference, whose test is that the last
 * row is not zero. Planning takes it as full, because that needs the most memory. */
bool protea_queue_is_full(const protea_ctx *cx, const protea_queue *queue, int64_t crop);
/* The (L,D) rows of one crop, as a view. */
protea_tensor protea_queue_crop(const protea_queue *queue, int64_t crop);
/* Puts z (n,D), n <= L, before the rows of crop; the oldest n fall out. */
protea_status protea_queue_push(protea_ctx *cx, protea_queue *queue, int64_t crop, const protea_tensor *z);
/* Saved as "queue" and "queue_filled"; nothing when there is no queue. */
protea_status protea_queue_visit(protea_queue *queue, const protea_visitor *v);

#endif
