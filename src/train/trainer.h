/* The loop. Knows no method by name, no data set by kind; evaluation during training is a hook handed in. */
#ifndef PROTEA_TRAIN_TRAINER_H
#define PROTEA_TRAIN_TRAINER_H

#include <protea/job.h>

#include "data/loader.h"
#include "method/method.h"
#include "nn/layers.h"
#include "optim/optim.h"
#include "train/rundir.h"

typedef struct protea_train_opts {
    int64_t epochs;
    double max_minutes;            /* 0: no limit; else the schedule spans the steps that fit (see time_limit.h) */
    int64_t batch_size;
    double warmup_epochs;          /* or a share of the run: protea_length */
    double start_warmup, final_lr;
    int32_t lr_schedule;           /* choice, a protea_lr_shape */
    protea_list schedule;          /* milestones of lr_schedule steps, in epochs */
    int64_t lr_batch;              /* images that lr is for; 0: it is what it says */
    char arch[PROTEA_OPT_STRING_MAX];
    int32_t stem;                  /* choice of "auto|small|large" */
    int64_t image_size;            /* 0: from the data */
    int32_t normalize;             /* choice of "auto|imagenet|cifar|data" */
    int64_t checkpoint_freq, log_freq;
    int64_t workers;               /* -1: as many as processors beyond the compute threads */
    int64_t max_bad, limit;
    int32_t exif;                  /* pictures are turned as their EXIF orientation says */
    int32_t resume, overwrite;
    char recipe[PROTEA_OPT_STRING_MAX];
    char knn_train[PROTEA_OPT_STRING_MAX], knn_test[PROTEA_OPT_STRING_MAX];
    int64_t knn_freq;              /* epochs; 0: at the end only */
} protea_train_opts;
enum { PROTEA_STEM_AUTO, PROTEA_STEM_SMALL, PROTEA_STEM_LARGE };
extern const protea_opt protea_train_table[];

/* Evaluation and features, handed in from above. */
typedef struct protea_train_hooks {
    /* kNN top-1 of the backbone as it stands, in 0..1; may be NULL. */
    protea_status (*knn)(void *self, protea_ctx *cx, protea_module *backbone, double *top1);
    /* Share of the held-out images that a classifier on the backbone gets right, in 0..1; NULL: nothing is held out. */
    protea_status (*validate)(void *self, protea_ctx *cx, protea_module *backbone, protea_module *fc, double *accuracy);
    /* A backbone whose weights are to be the first: *out, owned by the caller; NULL: they are drawn. */
    protea_status (*encoder)(void *self, protea_ctx *cx, protea_module **out);
    /* The data set's features through an encoder, in order: z (n, dim). */
    protea_status (*features)(void *self, protea_ctx *cx, protea_module *encoder, protea_source *source, float *z, int64_t dim);
    void *self;
} protea_train_hooks;

typedef struct protea_train_result {
    int64_t epochs, steps, images;  /* of the whole run; images: steps x images per step */
    double loss, seconds, images_per_second, knn_top1; /* knn_top1 < 0: not measured */
    double val_accuracy;            /* of the model that was kept; < 0: nothing was held out */
    int64_t best_epoch;             /* whose model that is, from 1 */
    bool stopped;
} protea_train_result;

/* All that a run is made of. The caller fills in the pieces (api/verb_train.c), the trainer drives them. */
typedef struct protea_trainer {
    protea_ctx *cx;
    const protea_train_opts *opts;
    const protea_optim_opts *optim_opts;
    protea_options *options;                  /* for the record in config.yaml and the checkpoint */
    const protea_method_ops *ops;
    const void *method;                       /* method's struct with its options set, init never called */
    protea_source *source;
    protea_sampling sampling;
    const protea_class_names *classes;        /* of the labels, for a method with a classifier; else NULL */
    int64_t val_freq;                         /* epochs between validations */
    const protea_augment_opts *augment;
    float mean[3], std[3];
    int image_size;
    bool small_stem;
    protea_rundir *run;                       /* open; cx logs into it */
    const char *precision;
    const protea_hooks *hooks;
    const protea_train_hooks *train_hooks;
} protea_trainer;

/* Trains to the end, or from the checkpoint to the end with opts->resume. result is filled in also when it stops or
 * collapses. Errors: PROTEA_STOPPED (state saved), PROTEA_ERR_DIVERGED (not finite, with the last good checkpoint kept; or
 * collapsed, with everything saved), PROTEA_ERR_USAGE (a resume with changed options), those of source and method. */
protea_status protea_train_run(const protea_trainer *t, protea_train_result *result);

#endif
