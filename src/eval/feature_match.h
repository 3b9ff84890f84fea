/* Two labelled sets of features with one numbering of their classes. */
#ifndef PROTEA_EVAL_FEATURE_MATCH_H
#define PROTEA_EVAL_FEATURE_MATCH_H

#include "eval/features.h"

/* Classes are those of the training set in the order of their names, so that ties fall alike whether a set was computed or
 * read back. */
typedef struct protea_feature_match {
    int n_classes;
    const char **class_name;  /* (n_classes) owned; its strings are the training set's */
    int32_t *train, *test;    /* labels of the sets' rows; -1: left out; owned */
} protea_feature_match;

/* Release in any case. Errors: PROTEA_ERR_INPUT (features of different width, training images without classes, a class of the
 * test images that the training images do not have), PROTEA_ERR_MEMORY. */
protea_status protea_feature_match_sets(protea_feature_match *m, const protea_feature_set *train, const protea_feature_set *test);
void protea_feature_match_release(protea_feature_match *m);

#endif
