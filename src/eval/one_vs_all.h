/* An SVM for each class against all others on features, several classes at a time. */
#ifndef PROTEA_EVAL_ONE_VS_ALL_H
#define PROTEA_EVAL_ONE_VS_ALL_H

#include <stdatomic.h>

#include "eval/average_precision.h"
#include "eval/class_rows.h"
#include "eval/linear_svm.h"

typedef struct protea_one_vs_all_opts {
    protea_svm_opts svm;
    double positive_weight;  /* C of the class's own rows is so many times that of the others; 0: in inverse proportion to how many
                              * there are of each, n / (2 n_sign) times, as scikit-learn's "balanced" */
    bool normalize;          /* rows are divided by |x| + 1e-5, as PCL's and VISSL's scripts do */
} protea_one_vs_all_opts;

/* Called from the thread that asked, now and then: how many machines have been trained. Another status than OK ends the work with
 * it. */
typedef protea_status (*protea_svm_progress)(void *self, int64_t done);

/* Memory of a thread. */
typedef struct protea_svm_worker protea_svm_worker;

typedef struct protea_one_vs_all {
    protea_backend *be;
    uint64_t seed;
    const protea_two_sets *sets;
    protea_one_vs_all_opts opts;
    protea_svm_rows train, test;
    double *scales;                /* (2 train n + 2 test n): owned */
    protea_svm_worker *worker;     /* (n_workers): owned, with theirs */
    int n_workers;
    float *score;                  /* (test images, n_classes) where an image has one class: owned; else NULL */
    protea_svm_progress progress;  /* may be NULL */
    void *self;
    atomic_llong done;             /* machines trained */
    atomic_llong unconverged;      /* of these, such as ended by max_passes */
    atomic_int status;             /* of progress */
} protea_one_vs_all;

/* sets, train, test: borrowed, train and test those that were matched. most: rows that are trained on at once. Release in any
 * case. Errors: PROTEA_ERR_INPUT (a feature that is not finite), PROTEA_ERR_MEMORY. */
protea_status protea_one_vs_all_new(protea_one_vs_all *o, const protea_ctx *cx, const protea_two_sets *sets,
                                    const protea_feature_set *train, const protea_feature_set *test, int64_t most,
                                    const protea_one_vs_all_opts *opts);
void protea_one_vs_all_release(protea_one_vs_all *o);

/* What is trained on: rows of the training set, which may repeat. */
typedef struct protea_some_training {
    const int64_t *row; /* (n) */
    int64_t n;
} protea_some_training;

/* How the test images were ranked. */
typedef struct protea_ranking {
    double (*ap)[PROTEA_AP_KINDS]; /* (n_classes) the caller's; NaN for a class that no test image has */
    double top1, top5;             /* the class whose score is the largest; NaN where images have several */
    double gap;                    /* largest of the duality gaps, as a share of the primal's value */
} protea_ranking;

/* A machine for each class, of cost C cost[class], trained on these rows, ranks the test images. The same for any number of
 * threads. */
protea_status protea_one_vs_all_rank(protea_one_vs_all *o, protea_ranking *out, const protea_some_training *on, const double *cost);

/* cost (n_classes): for each class the one of the costs that ranks best in cross-validation, by the mean of average precision
 * (PROTEA_AP_STEPS) over the folds; every folds-th row of the class, and of the others, is a fold. A class with fewer rows
 * than folds takes the cost that is best on average over the others.
 * Errors: PROTEA_ERR_INPUT when no class has that many. */
protea_status protea_one_vs_all_choose(protea_one_vs_all *o, double *cost, const protea_some_training *on, const double *costs,
                                       int n_costs, int folds);

#endif
