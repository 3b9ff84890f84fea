/* Watches a classifier that adapts, without labels, beside the one it started from: what adaptation must not do.
 *
 * Over a sliding window of images (exponential, about `window` long) it keeps, of the adapted and of the source model on the
 * same images, the mean prediction (a histogram over classes) and the mean entropy of predictions. The adapted model is sick
 *   - when it answers fewer classes: exp H(its histogram) < diversity * exp H(the source's). The source is the measure, so a
 *     stream that shows few classes at a time is no alarm;
 *   - when its predictions turn to noise: its mean entropy is above the source's by more than the share `entropy` of the way
 *     to ln C (and a tenth of ln C);
 *   - when it has drifted: |theta - theta_source| > drift |theta_source| over all parameters (L2).
 * Inputs and losses that are not finite are the adapter's own to refuse. No paper: SAR (arXiv:2302.12400, sec. 4.2) and RDumb
 * (arXiv:2306.05401) reset on a fixed loss, or blindly; both are deaf to what the stream itself does. */
#ifndef PROTEA_EVAL_GUARD_H
#define PROTEA_EVAL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include <protea/options.h>

#include "base/status.h"

typedef struct protea_guard_opts {
    int32_t guard;             /* whether there is one */
    double diversity, entropy, drift;
    int64_t window;            /* images */
} protea_guard_opts;
extern const protea_opt protea_guard_table[];

typedef struct protea_guard_side {
    double *share;             /* (C) owned: sums of predictions in the window */
    double entropy;            /* sum of entropies in the window */
} protea_guard_side;

typedef struct protea_guard {
    protea_guard_opts opts;
    int n_classes;
    protea_guard_side adapted, source;
    double weight;             /* images in the window */
} protea_guard;

protea_status protea_guard_init(protea_guard *g, const protea_guard_opts *opts, int n_classes); /* also on failure: release */
void protea_guard_release(protea_guard *g);
/* Forgets the window. */
void protea_guard_restart(protea_guard *g);

/* Takes in predictions (n,C), rows of probabilities of the same images. */
void protea_guard_watch(protea_guard *g, const float *adapted, const float *source, int64_t n);
/* Whether the window is full enough to be judged. */
bool protea_guard_is_awake(const protea_guard *g);
/* drift: |theta - theta_source| / |theta_source|. Writes what was found into text (size bytes) and returns true when the model
 * is sick. Never while the guard is not awake, but for drift. */
bool protea_guard_is_sick(const protea_guard *g, double drift, char *text, size_t size);

#endif
