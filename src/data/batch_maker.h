/* Makes batches: knows which image is whose turn, reads it, and writes its views into a slot. What a slot receives depends
 * only on (seed, epoch, step) and the files; who calls, and in which order, does not matter. */
#ifndef PROTEA_DATA_BATCH_MAKER_H
#define PROTEA_DATA_BATCH_MAKER_H

#include "base/failure.h"
#include "data/loader.h"

/* Room for one batch, made once. */
typedef struct protea_slot {
    protea_batch batch;
    protea_arena *memory;      /* owned: all tensors */
    int64_t *index;            /* (N) owned */
    int32_t *label;            /* (N) owned */
    protea_failure failure;    /* of its images, by their positions */
} protea_slot;

typedef struct protea_maker {
    protea_source *source;               /* borrowed */
    const protea_augment_opts *augment;  /* borrowed */
    protea_loader_opts opts;
    int64_t epoch, max_bad;
    protea_sampler sampler;              /* owned: this epoch's order */
} protea_maker;

/* What one thread needs. */
typedef struct protea_hands {
    protea_image image;
    protea_augment_buffer views;
} protea_hands;

protea_status protea_maker_init(protea_maker *m, protea_source *source, const protea_augment_opts *augment,
                                const protea_loader_opts *opts);
void protea_maker_release(protea_maker *m);
/* Settles the order of the epoch. */
void protea_maker_shuffle(protea_maker *m, int64_t epoch);

protea_status protea_slot_init(protea_slot *s, const protea_maker *m);
void protea_slot_release(protea_slot *s);

/* All views of image i of the batch of this step. */
protea_status protea_maker_make(const protea_maker *m, protea_slot *slot, int64_t step, int64_t i, protea_hands *hands);

void protea_hands_release(protea_hands *h);

#endif
