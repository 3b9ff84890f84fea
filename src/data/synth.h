/* Generated data sets: an image is a function of (seed, index), so a set needs no files and has a known truth. */
#ifndef PROTEA_DATA_SYNTH_H
#define PROTEA_DATA_SYNTH_H

#include "image/image.h"

typedef struct protea_synth_kind {
    const char *name;
    const char *const *classes; /* sorted bytewise */
    int n_classes;
    /* Paints all pixels of a square image that shows class label. */
    void (*draw)(protea_image *out, int label, protea_rng *rng);
} protea_synth_kind;

extern const protea_synth_kind protea_synth_shapes;

#endif
