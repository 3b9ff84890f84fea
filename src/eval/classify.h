/* The classes that a classifier gives the images of a data set, and how many of them are right. */
#ifndef PROTEA_EVAL_CLASSIFY_H
#define PROTEA_EVAL_CLASSIFY_H

#include "eval/features.h"

typedef struct protea_classified {
    int64_t n;                    /* images of the data set */
    float *logits;                /* (n,C) owned; zeros for a bad image */
    int32_t *label;               /* (n) by the model's numbers, -1 where there is none or the image is bad; owned */
    int64_t n_labelled, n_correct;
    int64_t n_among_5;            /* labels among the five largest logits */
} protea_classified;

/* map: the model's number of each class of the source (protea_model_match_classes), or NULL where they are the same.
 * Release in any case. Errors: those of protea_model_features. */
protea_status protea_classify(protea_ctx *cx, protea_classified *c, const protea_model *model, protea_source *source,
                              const int32_t *map, protea_features_progress progress, void *self);
void protea_classified_release(protea_classified *c);

/* How many of c scores beat the label's, of equal ones the first: 0 is right. A score that is not finite never is. */
int protea_label_rank(const float *score, int64_t c, int32_t label);

#endif
