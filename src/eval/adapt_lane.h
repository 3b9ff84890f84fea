/* A classifier that adapts, as its user holds it: a model of its own, the adapter on it, and a guard where one is asked for.
 * Several of them on one stream, beside each other, make a comparison. */
#ifndef PROTEA_EVAL_ADAPT_LANE_H
#define PROTEA_EVAL_ADAPT_LANE_H

#include "adapt/adapter.h"
#include "adapt/snapshot.h"
#include "eval/guard.h"
#include "eval/model.h"

typedef struct protea_lane_opts {
    const protea_adapter_ops *ops;
    const void *filled;          /* a struct of ops->size with its options; borrowed during open */
    protea_adapt_opts adapt;
    protea_guard_opts guard;
    int image_size;              /* 0: the model's */
} protea_lane_opts;

typedef struct protea_lane {
    protea_model model;          /* owned, adapted in place */
    protea_adapter *adapter;     /* owned */
    float *probability;          /* (rows,C) of the last predict or adapt; owned */
    int64_t rows, batches;       /* of the last call; adapted in all */
    /* with a guard: */
    bool guarded;
    protea_guard guard;
    protea_model source;         /* the model as it came; owned, and: */
    protea_adapter *unadapted;   /* how it predicts */
    float *source_probability;   /* (rows,C) owned */
    protea_snapshot *good;       /* the last state that the guard found well; owned */
    int64_t good_at, sick_at;    /* batches when it was taken; when the model was last found sick */
    int64_t rollbacks;
    char trouble[256];           /* what the guard found last, and what was done; "" when nothing yet */
} protea_lane;

/* model_name: as protea_model_open_classifier. Zeroed lane in; close in any case. */
protea_status protea_lane_open(protea_ctx *cx, protea_lane *lane, const char *model_name, const protea_lane_opts *opts);
void protea_lane_close(protea_lane *lane);

/* Both: x (N,3,S,S) plain f32; lane->probability (N,C) is filled. cx may be shared between lanes: its arenas hold nothing
 * from call to call. Errors: as protea_adapter_predict and _adapt; the state is then as before. */
protea_status protea_lane_predict(protea_ctx *cx, protea_lane *lane, const protea_tensor *x);
/* When the guard finds the model sick after the update, all goes back to the last good state, or to the source's when the
 * model was never well since it went back last; it is logged, counted and told in trouble. */
protea_status protea_lane_adapt(protea_ctx *cx, protea_lane *lane, const protea_tensor *x, protea_adapt_out *out);
/* All as it was after open. */
protea_status protea_lane_reset(protea_ctx *cx, protea_lane *lane);
/* To be called when the adapter's state was written from outside: it is then the good one. */
protea_status protea_lane_loaded(protea_lane *lane);

#endif
