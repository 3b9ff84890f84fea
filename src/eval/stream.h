/* The order in which a model that adapts meets its images: which image, under which corruption, when. Pure: the order
 * depends on the options, the labels and the seed alone.
 *
 * A stream is a sequence of parts; a batch never spans two of them.
 *   iid         per corruption one part, shuffled; the model starts anew with each
 *   file        as iid, in the data set's order
 *   correlated  as iid, but classes come in bursts: Dirichlet(delta), below
 *   continual   as iid, but the model goes on from part to part            (Wang et al. 2022, arXiv:2203.13591)
 *   gradual     per corruption nine parts, severity 1-2-3-4-5-4-3-2-1; the model goes on      (the same, sec. 4.3)
 *   mixed       one part: every image under every corruption, shuffled together
 * Each image comes once in each part (in `mixed` once per corruption).
 *
 * Correlated (after LAME's and RoTTA's streams): as many chunks as classes; each class is dealt to the chunks by
 * proportions from Dirichlet(delta), chunks that are full (N / C) left out; a chunk emits its classes one after the other in
 * a random order. Small delta: long bursts; delta 0: sorted by class. */
#ifndef PROTEA_EVAL_STREAM_H
#define PROTEA_EVAL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define PROTEA_STREAM_CHOICES "iid|continual|gradual|mixed|correlated|file"
typedef enum protea_stream_kind {
    PROTEA_STREAM_IID, PROTEA_STREAM_CONTINUAL, PROTEA_STREAM_GRADUAL, PROTEA_STREAM_MIXED, PROTEA_STREAM_CORRELATED,
    PROTEA_STREAM_FILE
} protea_stream_kind;

typedef struct protea_stream_opts {
    protea_stream_kind kind;
    uint64_t seed;
    double delta;        /* >= 0 */
    int n_corruptions;   /* 0: the images as they are, one part */
    int severity;        /* 1..5, of every corruption but in `gradual` */
} protea_stream_opts;

/* What the stream is made over. */
typedef struct protea_stream_images {
    int64_t n;
    int n_classes;        /* 0: no labels */
    const int32_t *label; /* (n) in -1..n_classes-1; may be NULL without labels */
} protea_stream_images;

typedef struct protea_stream_item {
    int64_t image;
    int16_t corruption;  /* number in the caller's list; -1: the image as it is */
    int16_t severity;    /* 0 without a corruption */
} protea_stream_item;

typedef struct protea_stream_part {
    int64_t first, n;    /* of its items */
    int corruption;      /* -1: none, or all together */
    int severity;        /* of all its items; 0: none */
    bool fresh;          /* the model starts anew here; always true for the first */
} protea_stream_part;

typedef struct protea_stream {
    int64_t n;
    protea_stream_item *item; /* (n) owned */
    int n_parts;
    protea_stream_part *part; /* (n_parts) owned */
} protea_stream;

/* Release in any case. Errors: PROTEA_ERR_INPUT (correlated without labels), PROTEA_ERR_MEMORY. */
protea_status protea_stream_make(protea_stream *stream, const protea_stream_opts *opts, const protea_stream_images *images);
void protea_stream_release(protea_stream *stream);

/* order (n): 0..n-1 as a correlated part has them. The seed's stream number k keeps parts apart. */
protea_status protea_stream_correlated(int64_t *order, const protea_stream_images *images, double delta, uint64_t seed,
                                       uint32_t k);

#endif
