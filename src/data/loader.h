/* Batches: sampler -> decode -> augment, on loader threads or, when there are no cores to spare, on the compute pool
 * between steps. What comes out depends on the seed alone. */
#ifndef PROTEA_DATA_LOADER_H
#define PROTEA_DATA_LOADER_H

#include "data/augment.h"
#include "data/batch.h"
#include "data/sampler.h"
#include "data/source.h"

typedef struct protea_loader protea_loader;

typedef struct protea_loader_opts {
    int64_t batch_size;      /* images per step on this rank */
    int workers;             /* 0: decode on the compute pool between steps; n: loader threads */
    uint64_t seed;
    float mean[3], std[3];
    int64_t max_bad;         /* more bad images than this: PROTEA_ERR_INPUT. Negative: max(100, 1 %) */
    int rank, n_ranks;
    protea_sampling sampling;
} protea_loader_opts;

/* source, augment and what sampling borrows are borrowed. Errors: as protea_sampler_init. */
protea_status protea_loader_new(protea_loader **out, protea_source *source, const protea_augment_opts *augment,
                                const protea_loader_opts *opts);
void protea_loader_free(protea_loader *l); /* accepts NULL; joins its threads */
int64_t protea_loader_steps(const protea_loader *l);  /* per epoch; of a pass floor(N / batch), the rest is dropped */
/* Starts epoch `epoch` at step `first` of it. */
protea_status protea_loader_start(protea_loader *l, int64_t epoch, int64_t first);
/* The next batch, borrowed until the next call; *out NULL at the epoch's end. An image that turns out bad is noted in the
 * source and replaced by the next good one by index, so the batch depends only on the files. */
protea_status protea_loader_next(protea_loader *l, const protea_batch **out);
/* Seconds the caller has waited for batches since the last call of this. */
double protea_loader_waited(protea_loader *l);

#endif
