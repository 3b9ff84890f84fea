/* Adapters on a stream, beside each other: each has its own copy of the model and sees the same batches. */
#ifndef PROTEA_EVAL_ADAPT_RUN_H
#define PROTEA_EVAL_ADAPT_RUN_H

#include "eval/adapt_lane.h"
#include "eval/adapt_tally.h"
#include "eval/stream.h"

/* One row of the table. */
typedef struct protea_contender {
    const char *name;            /* for tables; borrowed */
    char mode[24];               /* of an adapter that has several; "" */
    bool baseline;               /* was not asked for: what the others are compared with */
    protea_lane lane;            /* opened by the caller */
    protea_tally tally;
} protea_contender;

/* What the images of one batch were answered by one contender. */
typedef struct protea_adapt_answers {
    const protea_contender *contender;
    int64_t n;
    const protea_stream_item *item; /* (n) */
    const protea_answer *answer;    /* (n) */
    const int32_t *label;           /* (n) among the model's classes, -1 unknown */
} protea_adapt_answers;

typedef struct protea_adapt_run {
    protea_source *source;       /* borrowed, as all of these */
    const int32_t *class_map;    /* of the source's labels to the model's; NULL: no labels */
    const int *corruption;       /* (n_corruptions) ids, see image/corrupt.h; the columns of the table */
    int n_corruptions;
    uint64_t seed;               /* of corruptions */
    const protea_stream *stream;
    int64_t batch_size;
    protea_contender *contender; /* (n_contenders) */
    int n_contenders;
    /* Both may be NULL; another status than OK ends the work with it. images: of the stream, so far. */
    protea_status (*answered)(void *self, const protea_adapt_answers *answers);
    protea_status (*progress)(void *self, int64_t images);
    void *self;
} protea_adapt_run;

/* Columns of the table: the corruptions, or one. */
int protea_adapt_columns(const protea_adapt_run *run);

void protea_contender_close(protea_contender *c);
/* The contender of that name, or NULL. */
const protea_contender *protea_adapt_find(const protea_adapt_run *run, const char *name);

/* The stream from its begin to its end. Bad images are noted in the source and left out; a batch of a part's last images is
 * smaller. At the begin of a part that is fresh every contender is reset. */
protea_status protea_adapt_stream(protea_ctx *cx, const protea_adapt_run *run);

/* Shows n_images of source (training data, in its order) to the contenders whose adapter wants them (EATA). */
protea_status protea_adapt_show_source(protea_ctx *cx, const protea_adapt_run *run, protea_source *source, int64_t n_images);

#endif
