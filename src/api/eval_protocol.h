/* The seam for protocols of `protea eval`: one file eval_NAME.c and one line in eval_list.h. */
#ifndef PROTEA_API_EVAL_PROTOCOL_H
#define PROTEA_API_EVAL_PROTOCOL_H

#include "api/images.h"

/* What a protocol works on: features and labels of both data sets. */
typedef struct protea_evaluation {
    protea_ctx *cx;
    const protea_hooks *hooks;
    const protea_feature_set *train, *test;
    json_t *result;              /* to fill; the verb adds seconds */
} protea_evaluation;

typedef struct protea_protocol {
    const char *name, *summary;
    size_t size;                 /* of its options: zeroed, then filled from the table */
    const protea_opt *opts;
    protea_status (*run)(void *self, const protea_evaluation *e);
} protea_protocol;

#endif
