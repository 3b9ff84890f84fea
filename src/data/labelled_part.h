/* The images whose labels are used, where few are to be: a share of each class, a number of each class, or a list. */
#ifndef PROTEA_DATA_LABELLED_PART_H
#define PROTEA_DATA_LABELLED_PART_H

#include "data/source.h"

/* One of the three. */
typedef struct protea_part_wish {
    double share;          /* in 0..1, of each class, rounded, one image at least; 0: another wish */
    int64_t per_class;     /* images of each class; 0: another wish */
    const char *list;      /* a text file with an image's path a line; NULL: another wish */
} protea_part_wish;

/* "10%" is a share, "40" a number of each class, anything else a list's name (borrowed). Errors: PROTEA_ERR_USAGE (a share
 * that is not above 0 and at most 100 %, no images, nothing at all). */
protea_status protea_part_wish_read(protea_part_wish *wish, const char *text);

/* The part of whole, which it reads through and which must outlive it; its classes are whole's, each with an image at least.
 * *out: owned. Shares and numbers are drawn by the seed, each class for itself, and are nested: of one seed, what 1 % takes
 * 10 % takes too. A list names images by their path in the data set or, where no other image has it, by the name of their
 * file, as SimCLR's lists for ImageNet do. name: of the data set, for messages. Errors: PROTEA_ERR_INPUT (no classes; a class
 * with fewer images than are wanted; a list that names what is not there, twice, without a class, or leaves a class out). */
protea_status protea_labelled_part_open(protea_source **out, protea_source *whole, const protea_part_wish *wish, uint64_t seed,
                                        const char *name);

#endif
