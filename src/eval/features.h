/* Features of a data set through a model, and the kNN score of a model between two data sets. */
#ifndef PROTEA_EVAL_FEATURES_H
#define PROTEA_EVAL_FEATURES_H

#include "data/augment.h"
#include "eval/knn.h"
#include "eval/model.h"

/* Called from the thread that asked, after each batch: images done so far. Another status than OK ends the work with it. */
typedef protea_status (*protea_features_progress)(void *self, int64_t done);

/* What is taken from a model: pooled features of the backbone, what the method's head makes of them (after
 * protea_model_open_head), or the classes' logits (after protea_model_open_classifier). */
typedef enum protea_feature_kind { PROTEA_BACKBONE_FEATURES, PROTEA_HEAD_FEATURES, PROTEA_LOGITS } protea_feature_kind;

/* Width of a row of features. */
int64_t protea_features_dim(const protea_model *model, protea_feature_kind kind);

/* Features of that kind of all images on plain centred views (short side to the model's image size, then the central
 * square; a smaller square image as it is): z (count, dim) of the caller. A bad image gives a row of zeros and is noted in
 * the source. A row does not depend on the other images. progress may be NULL. Uses arenas of its
 * own. Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INPUT (features that are not finite). */
protea_status protea_model_features(protea_ctx *cx, const protea_model *model, protea_feature_kind kind,
                                    protea_source *source, float *z, protea_features_progress progress, void *self);

/* The same of the n images numbered index[0..n) alone: z (n, dim). */
protea_status protea_model_features_of(protea_ctx *cx, const protea_model *model, protea_feature_kind kind,
                                       protea_source *source, const int64_t *index, int64_t n, float *z,
                                       protea_features_progress progress, void *self);

/* The same of one augmented view of each image in the place of the plain one: augment (of one view, the model's image size wide),
 * keyed by cx->seed, epoch and image. */
protea_status protea_model_augmented_features(protea_ctx *cx, const protea_model *model, protea_feature_kind kind,
                                              protea_source *source, const protea_augment_opts *augment, int64_t epoch, float *z,
                                              protea_features_progress progress, void *self);

/* A labelled set of features; classes are matched by name between two of them. */
typedef struct protea_feature_set {
    const char *name;        /* for messages */
    int64_t n, dim;
    float *z;                /* (n,dim) owned */
    int32_t *label;          /* (n) owned; -1: left out; of several the first */
    int64_t *first;          /* (n + 1) owned, of a set whose images can have several classes; else NULL */
    int32_t *tag;            /* owned: row i has the classes tag[first[i]] to tag[first[i + 1] - 1] */
    int n_classes;
    char **class_name;       /* (n_classes) owned */
} protea_feature_set;
void protea_feature_set_release(protea_feature_set *set);
/* Features, labels and class names of a data set; bad images get label -1. Zeroed set in; release in any case. */
protea_status protea_feature_set_compute(protea_ctx *cx, protea_feature_set *set, const protea_model *model,
                                         protea_feature_kind kind, protea_source *source, const char *name,
                                         protea_features_progress progress, void *self);
/* FILE.npy -> FILE.csv, the table beside the features. False when the name does not end so, or is too long. */
bool protea_feature_table_path(char *out, size_t size, const char *npy_path);
/* What `embed` wrote: FILE.npy with FILE.csv beside it. Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO. */
protea_status protea_feature_set_read(protea_feature_set *set, const char *npy_path);

/* kNN of test among train: score (protea_knn_count). Classes of test that train does not know are bad input. */
protea_status protea_knn_sets(protea_ctx *cx, protea_knn_score *score, const protea_feature_set *train,
                              const protea_feature_set *test, const protea_knn_opts *opts);
/* The whole way: features of both data sets, then the scores. For the trainer. */
protea_status protea_knn_sources(protea_ctx *cx, protea_knn_score *score, const protea_model *model, protea_source *train,
                                 protea_source *test, const protea_knn_opts *opts);

#endif
