/* The weights of a resizing: which inputs make an output, and how much each counts. */
#ifndef PROTEA_IMAGE_TAPS_H
#define PROTEA_IMAGE_TAPS_H

#include "image/image.h"
#include "image/pixels.h"

/* One direction of a resizing: the inputs in0 .. in1 of n_in become n_all outputs, of which n from first on are wanted; mirrored:
 * in the other order. */
typedef struct protea_span {
    int n_in;
    double in0, in1;
    int n_all, first, n;
    bool mirrored;
} protea_span;

/* The most inputs of one output. */
int protea_taps_width(const protea_span *s, protea_filter filter);
/* Fills t, whose arrays have room for s->n outputs of t->width inputs. weight: room for t->width numbers. */
void protea_taps_fill(protea_taps *t, const protea_span *s, protea_filter filter, double *weight);

#endif
