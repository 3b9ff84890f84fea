/* From what `protea adapt` was asked for to what runs: algorithms, corruptions, classes, the stream, opened models. */
#ifndef PROTEA_API_ADAPT_PLAN_H
#define PROTEA_API_ADAPT_PLAN_H

#include "api/adapter_options.h"
#include "eval/adapt_run.h"
#include "image/corrupt.h"

/* The kinds of the verb: every adapter, and `all`. */
extern const char *const protea_adapt_kinds[];
const char *protea_adapt_kind_summary(const char *kind);

typedef struct protea_adapt_wish {
    protea_adapter_options own;                     /* of the adapters themselves */
    protea_adapt_opts adapt;
    protea_guard_opts guard;
    const protea_adapter_ops *ops;                  /* NULL: all */
    char algorithms[PROTEA_OPT_STRING_MAX];         /* with all: those of this list; "": every one */
    char corruption[PROTEA_OPT_STRING_MAX];         /* "": images as they are */
    char source[PROTEA_OPT_STRING_MAX];             /* DATA of training images, or "" */
    int64_t source_size, severity;
    int32_t stream;                                 /* a protea_stream_kind */
    double delta;
    int32_t baselines;
} protea_adapt_wish;
/* Adds the tables for a kind of the verb. Release in any case. */
protea_status protea_adapt_wish_options(protea_adapt_wish *w, const char *kind, protea_options *options);
void protea_adapt_wish_release(protea_adapt_wish *w);

enum { PROTEA_MAX_CONTENDERS = 24 };

typedef struct protea_adapt_plan {
    protea_adapt_run run;                           /* its callbacks are the caller's to set */
    const protea_contender *asked;                  /* the one that was asked for; NULL when there are several */
    char stream_name[16];
    protea_stream stream;                           /* the rest is what run points into */
    int32_t *class_map, *label;
    int corruption[PROTEA_CORRUPTIONS];
    protea_contender contender[PROTEA_MAX_CONTENDERS];
} protea_adapt_plan;

/* model: as named; data: of source, for messages. Zeroed plan in; release in any case. The plan must stay where it is.
 * Errors: PROTEA_ERR_USAGE (no such algorithm or corruption), PROTEA_ERR_INPUT (model, classes), PROTEA_ERR_MEMORY. */
protea_status protea_adapt_plan_make(protea_adapt_plan *p, protea_ctx *cx, const protea_adapt_wish *w,
                                     const protea_options *options, const char *model, int image_size, protea_source *source,
                                     const char *data);
void protea_adapt_plan_release(protea_adapt_plan *p);

#endif
