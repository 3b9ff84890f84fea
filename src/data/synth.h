/* Generated data sets: an image is a function of (seed, index), so a set needs no files and has a known truth. */
#ifndef PROTEA_DATA_SYNTH_H
#define PROTEA_DATA_SYNTH_H

#include "data/synth_list.h"
#include "image/image.h"

typedef struct protea_synth_kind {
    const char *name, *summary; /* one line */
    const char *const *classes; /* sorted bytewise */
    int n_classes;
    /* Paints all pixels of a square image that shows class label. */
    void (*draw)(protea_image *out, int label, protea_rng *rng);
} protea_synth_kind;

#define PROTEA_SYNTH_DECLARE(name) extern const protea_synth_kind protea_synth_##name;
PROTEA_SYNTH_LIST(PROTEA_SYNTH_DECLARE)

/* NULL where there is none of this name, which has len bytes. */
const protea_synth_kind *protea_synth_find(const char *name, size_t len);

#endif
