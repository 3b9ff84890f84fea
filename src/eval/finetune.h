/* Fine-tuning: a network and a new linear classifier on it trained with labels, at rates of their own: how good a start a model
 * is, and how few labels it needs. One step is that of `train supervised` (method/supervised.c): cross-entropy, batch-norm
 * normalises by the batch and moves its running statistics (docs/math/supervised.md). */
#ifndef PROTEA_EVAL_FINETUNE_H
#define PROTEA_EVAL_FINETUNE_H

#include "data/augment.h"
#include "eval/features.h"
#include "optim/optim.h"

typedef struct protea_finetune_opts {
    int64_t epochs, batch_size;  /* batch_size: at most the images there are */
    double lr, lr_head;          /* of the trunk, of the classifier; 0 leaves the weights as they are */
    double momentum, wd;
    protea_lr_shape schedule;    /* of both rates: COSINE to 0, STEPS, CONSTANT */
    protea_list milestones;      /* STEPS */
    double gamma;                /* STEPS */
    protea_single_view view;
    int64_t test_freq;           /* epochs between tests; the last is always followed by one */
} protea_finetune_opts;

/* In 0..1, on the labelled test images. */
typedef struct protea_finetune_score {
    double best_top1, best_top5; /* of the epoch with the largest top-1, the first of equals */
    int64_t best_epoch;          /* from 1 */
    double last_top1, last_top5;
    double loss;                 /* mean over the last epoch's steps */
    int64_t n_test;              /* test images that count: labelled and good */
} protea_finetune_score;

/* What is told while it runs; each may be NULL, and another status than OK ends the work with it. */
typedef struct protea_finetune_watch {
    protea_status (*step)(void *self, int64_t done, int64_t total, double loss);
    protea_status (*testing)(void *self, int64_t done); /* test images so far */
    protea_status (*tested)(void *self, int64_t epoch, const protea_finetune_score *score);
    void *self;
} protea_finetune_watch;

typedef struct protea_finetune protea_finetune;

/* model (borrowed) has a backbone, whose weights will change; train (borrowed) has labels. The classifier is drawn from
 * cx->seed, as nn.Linear is. Plans a step and makes its memory. Errors: PROTEA_ERR_INPUT (fewer than two classes),
 * PROTEA_ERR_MEMORY. */
protea_status protea_finetune_new(protea_finetune **out, const protea_ctx *cx, const protea_model *model, protea_source *train,
                                  const protea_finetune_opts *opts);
void protea_finetune_free(protea_finetune *f); /* accepts NULL */
/* Steps of an epoch: every image is seen, and the last batch is filled up with the first of another pass. */
int64_t protea_finetune_steps(const protea_finetune *f);
/* The network and its classifier as they stand; borrowed. */
const protea_model *protea_finetune_model(const protea_finetune *f);

/* Trains to the end and tests after epochs. class: the training set's number of each class of test. Equal bits for equal thread
 * counts. Errors: PROTEA_ERR_DIVERGED (a loss that is not finite), PROTEA_ERR_INPUT (no labelled test image; no image
 * that can be used), PROTEA_ERR_MEMORY, PROTEA_ERR_IO, and what watch returns. */
protea_status protea_finetune_run(protea_finetune *f, protea_finetune_score *score, protea_source *test, const int32_t *class,
                                  const protea_finetune_watch *watch);

#endif
