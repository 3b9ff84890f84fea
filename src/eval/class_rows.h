/* Which rows of two sets of features have which classes, one each or several. */
#ifndef PROTEA_EVAL_CLASS_ROWS_H
#define PROTEA_EVAL_CLASS_ROWS_H

#include "eval/features.h"

/* Of one set. */
typedef struct protea_class_rows {
    int64_t n;       /* rows that have a class */
    int64_t *used;   /* (n) those rows, ascending: owned */
    int64_t *first;  /* (n_classes + 1): owned */
    int64_t *row;    /* class c has the rows row[first[c]] to row[first[c + 1] - 1], ascending: owned */
} protea_class_rows;

typedef struct protea_two_sets {
    int n_classes;
    const char **class_name;  /* (n_classes) the training set's in the order of their names: owned; its strings are the set's */
    bool several;             /* an image can have several classes */
    protea_class_rows train, test;
} protea_two_sets;

/* Release in any case. Errors: PROTEA_ERR_INPUT (features of different width, a set whose rows have no classes, a class of the test
 * images that the training images do not have), PROTEA_ERR_MEMORY. */
protea_status protea_two_sets_match(protea_two_sets *m, const protea_feature_set *train, const protea_feature_set *test);
void protea_two_sets_release(protea_two_sets *m);

static inline int64_t protea_class_size(const protea_class_rows *r, int c)
{
    return r->first[c + 1] - r->first[c];
}

#endif
