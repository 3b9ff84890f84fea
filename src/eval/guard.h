/* Watches a classifier that adapts, without labels, beside the one it started from: what adaptation must not do.
 *
 * Over a sliding window of images (exponential, about `window` long) it keeps, of the adapted and of the source model on the
 * same images, the mean prediction (a histogram over classes) and the mean entropy of predictions. Three strains, each 0 in
 * health and 1 where it becomes too much:
 *   - it answers fewer classes: (1 - n / n_source) / (1 - diversity), n = exp H(its histogram). The source is the measure, so
 *     a stream that shows few classes at a time is no alarm;
 *   - its predictions turn to noise: how far its mean entropy has gone from the source's towards ln C, over the share
 *     `entropy` of that way (or over a tenth of ln C, where the source is noise itself);
 *   - it drifts: |theta - theta_source| / |theta_source| over all parameters (L2), over `drift`.
 * Above 1 the model is sick; at or below PROTEA_GUARD_WELL it is worth going back to.
 * Inputs and losses that are not finite are the adapter's own to refuse. No paper: SAR (arXiv:2302.12400, sec. 4.2) and RDumb
 * (arXiv:2306.05401) reset on a fixed loss, or blindly; both are deaf to what the stream itself does. */
#ifndef PROTEA_EVAL_GUARD_H
#define PROTEA_EVAL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include <protea/options.h>

#include "base/status.h"

#define PROTEA_GUARD_WELL 0.5
enum { PROTEA_GUARD_TEXT = 160 }; /* bytes that what it finds takes at most */

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
/* The largest of the strains, NaN where drift is; only that of drift while the guard is not awake. drift: |theta -
 * theta_source| / |theta_source|. text (size bytes): what is behind it. */
double protea_guard_strain(const protea_guard *g, double drift, char *text, size_t size);

#endif
