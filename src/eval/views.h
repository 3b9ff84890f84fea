/* Views of images as a model wants them, plain or augmented, read on the compute threads. */
#ifndef PROTEA_EVAL_VIEWS_H
#define PROTEA_EVAL_VIEWS_H

#include "data/augment.h"
#include "eval/model.h"

/* Where an image is to be had. */
typedef struct protea_place {
    protea_source *source;
    int64_t index;
    int corruption, severity;      /* id of a corruption (image/corrupt.h) that is applied first; severity 0: none */
} protea_place;

typedef struct protea_views {
    const protea_model *model;     /* borrowed: image size S, mean, std */
    uint64_t seed;                 /* of corruptions and augmentation */
    const protea_augment_opts *augment; /* borrowed: one view of S pixels, keyed by seed, epoch and image; NULL: plain views */
    int64_t epoch;
    bool small_as_they_are;        /* a square smaller than S is not magnified, which would add nothing but blur */
    int n_threads;
    protea_image *image;           /* (n_threads) owned */
    protea_augment_buffer *buffer; /* (n_threads) owned */
} protea_views;

protea_status protea_views_init(protea_views *v, const protea_model *model, bool small_as_they_are); /* also on failure: release */
void protea_views_release(protea_views *v);

/* x (n,3,S,S): view i begins at row i, S or side[i] pixels wide; side[i] is 0 and the row zeros where the image is bad, which
 * is then noted in its source. Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_IO. */
protea_status protea_views_read(protea_views *v, const protea_place *place, int64_t n, float *x, int *side);

#endif
