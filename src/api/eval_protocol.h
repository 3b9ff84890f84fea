/* The seam for protocols of `protea eval`: one file eval_NAME.c and one line in eval_list.h. */
#ifndef PROTEA_API_EVAL_PROTOCOL_H
#define PROTEA_API_EVAL_PROTOCOL_H

#include "api/images.h"

/* What a protocol works on. Features and labels of both data sets, for one that works on features; the model and the images
 * themselves, where there are any: features that were read from files come without. */
typedef struct protea_evaluation {
    protea_ctx *cx;
    const protea_hooks *hooks;
    const protea_feature_set *train, *test;       /* empty for a protocol on images; a protocol may write over z */
    protea_feature_kind kind;                     /* of these features, where the model made them */
    json_t *result;                               /* to fill; the verb adds seconds, seed, features */
    protea_model *model;                          /* or NULL */
    protea_source *train_images, *test_images;    /* or NULL */
    const char *train_name, *test_name;           /* what the user called the data sets: for messages */
} protea_evaluation;

typedef struct protea_protocol {
    const char *name, *summary;
    bool several_classes;        /* images may have several; else they are refused */
    size_t size;                 /* of its options: zeroed, then filled from the table */
    const protea_opt *opts;
    bool on_images;              /* works on model and images: no features are made, and `features` for a model is refused */
    protea_status (*run)(void *self, const protea_evaluation *e);
} protea_protocol;

#endif
