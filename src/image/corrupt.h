/* The corruptions of Hendrycks & Dietterich 2019 ("Benchmarking neural network robustness to common corruptions and
 * perturbations", ICLR; arXiv 1903.12261): 15 that are evaluated and 4 that are for tuning, each at five severities.
 *
 * The constants are those of the code that made the published sets (hendrycks/robustness: make_cifar_c.py and
 * make_imagenet_c.py), with its oddities, each named where it is computed; all results are cut, not rounded, to 8 bits where
 * its are. Which of the two sets of constants holds is decided by the picture: no side longer than PROTEA_CORRUPT_SMALL pixels
 * takes CIFAR's, any other ImageNet's. Lengths that the code gives in pixels stay pixels (blur radii, motion, grain); those it
 * gives as a share of its 32-pixel pictures (pixelate, elastic_transform) are that share of the picture's own side. Pictures
 * need not be square.
 *
 * Different from the published files: their random numbers are not reproducible, ours are Philox; frost's photographs are
 * replaced by textures of our own (corrupt_frost.c). */
#ifndef PROTEA_IMAGE_CORRUPT_H
#define PROTEA_IMAGE_CORRUPT_H

#include "image/image.h"

enum {
    PROTEA_CORRUPTIONS = 19,          /* all; ids are 0 .. 18 in the order of evaluation, the extras last */
    PROTEA_CORRUPTIONS_STANDARD = 15, /* the ids below are evaluated; the rest is for tuning, never to be reported */
    PROTEA_SEVERITIES = 5,            /* 1 .. 5 */
    PROTEA_CORRUPT_SMALL = 64
};

/* gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog brightness contrast
 * elastic_transform pixelate jpeg_compression | speckle_noise gaussian_blur spatter saturate. NULL for other ids. */
const char *protea_corruption_name(int id);
/* -1 when there is none of this name; a dash counts as an underscore. */
int protea_corruption_find(const char *name);

/* Errors: PROTEA_ERR_USAGE for an id or severity that is not there. */
protea_status protea_corrupt_check(int id, int severity);

/* Corrupts the picture in place. What is drawn from rng depends on the picture's size and on what is done to it alone, so that
 * one generator per picture (protea_corrupt_rng) makes results independent of threads and order.
 * Errors: as protea_corrupt_check; PROTEA_ERR_INPUT for a picture with a side under
 * 4 pixels, PROTEA_ERR_MEMORY. Thread-safe. */
protea_status protea_corrupt(protea_image *image, int id, int severity, protea_rng *rng);

/* The generator for picture `index` of a set. */
protea_rng protea_corrupt_rng(uint64_t seed, int id, int severity, int64_t index);

#endif
