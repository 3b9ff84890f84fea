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

/* The training set's classes in the order of their names: *sorted (n_classes), owned; its strings are the set's.
 * Errors: PROTEA_ERR_INPUT (features of different width, training images without classes), PROTEA_ERR_MEMORY. */
protea_status protea_feature_classes(const char ***sorted, const protea_feature_set *train, const protea_feature_set *test);
/* *map (n_classes of the set), owned: a class's position among the n sorted ones, -1 where it is not there. */
protea_status protea_feature_class_map(int32_t **map, const protea_feature_set *set, const char *const *sorted, int n);
/* Fails: a row of the set has a class that the n of the training images have not. */
protea_status protea_feature_class_unknown(const protea_feature_set *set, int label, int n);

/* Release in any case. Errors: PROTEA_ERR_INPUT (images of several classes, features of different width, training images without
 * classes, a class of the test images that the training images do not have), PROTEA_ERR_MEMORY. */
protea_status protea_feature_match_sets(protea_feature_match *m, const protea_feature_set *train, const protea_feature_set *test);
void protea_feature_match_release(protea_feature_match *m);

#endif
