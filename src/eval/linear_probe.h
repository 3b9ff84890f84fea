/* A linear classifier on frozen features: the protocol that papers compare by. Several learning rates are trained at once,
 * over one reading of the features. */
#ifndef PROTEA_EVAL_LINEAR_PROBE_H
#define PROTEA_EVAL_LINEAR_PROBE_H

#include "optim/optim.h"

enum { PROTEA_MAX_SWEEP = PROTEA_LIST_MAX };

typedef struct protea_linear_opts {
    int64_t epochs, batch_size;
    protea_list lr;           /* 1 to PROTEA_MAX_SWEEP rates; each is a classifier of its own, from the same start */
    double momentum, wd;
    protea_lr_shape schedule; /* COSINE_EPOCH to 0, or STEPS at milestones */
    protea_list milestones;
    bool larc;                /* SGD inside LARC, trust 0.001 (SimSiam), else SGD */
    /* Called before each epoch, from 0, with the progress's self, and may write other features to where train lies (of fresh
     * augmented views). Another status than OK ends the work with it. NULL: they stay. */
    protea_status (*refresh)(void *self, int64_t epoch);
} protea_linear_opts;

/* One learning rate's scores, in 0..1. */
typedef struct protea_linear_score {
    double lr;
    double best_top1, best_top5; /* of the epoch with the largest top-1, the first of equals */
    int64_t best_epoch;          /* from 1 */
    double last_top1, last_top5;
    double loss;                 /* mean of the last epoch's training steps */
} protea_linear_score;

/* Called after each epoch (from 1) with the scores so far; another status than OK ends the work with it. May be NULL. */
typedef protea_status (*protea_linear_progress)(void *self, int64_t epoch, const protea_linear_score *score);

/* train (n,d) and test (m,d) as they are (not normalised: the protocols' rates are for pooled features); labels in
 * -1..n_classes-1, rows of -1 are left out. Weights start from N(0, 0.01), biases from 0; each epoch goes through the rows in an
 * order of its own, the last short batch too. score (opts->lr.n). Equal bits for equal thread counts.
 * Errors: PROTEA_ERR_INPUT (no labelled rows), PROTEA_ERR_DIVERGED when no rate stays finite, PROTEA_ERR_MEMORY. */
protea_status protea_linear_probe(protea_ctx *cx, protea_linear_score *score, const float *train, const int32_t *train_label,
                                  int64_t n, const float *test, const int32_t *test_label, int64_t m, int64_t d, int n_classes,
                                  const protea_linear_opts *opts, protea_linear_progress progress, void *self);

#endif
