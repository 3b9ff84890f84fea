/* Linear SVMs on frozen features, as PCL and VISSL measure them on VOC07: trained on all images, or on a few drawn for each class,
 * several times; scored by mean average precision (docs/math/svm.md). */
#ifndef PROTEA_EVAL_SVM_PROBE_H
#define PROTEA_EVAL_SVM_PROBE_H

#include <protea/options.h>

#include "eval/one_vs_all.h"

/* Which of several costs counts: by cross-validation on what was trained on, for each class its own (VISSL's way on all images); or
 * the one that ranks the test images best (PCL's way, and VISSL's in low-shot). */
typedef enum protea_svm_choice { PROTEA_SVM_BY_FOLDS, PROTEA_SVM_BY_TEST } protea_svm_choice;

typedef struct protea_svm_probe_opts {
    protea_one_vs_all_opts machine;
    protea_list shots;              /* images of each class that are drawn, whole numbers; 0: all there are */
    protea_list costs;              /* above 0 */
    protea_svm_choice all, few;     /* of several costs: where all images are trained on, where few are */
    int folds;                      /* of cross-validation, at least 2 */
    int64_t draws;                  /* of few */
    protea_ap_kind ap;              /* by which the test's best is the best */
} protea_svm_probe_opts;

/* Of one number of shots. In 0..1; means over the draws, and the deviation of one draw from them. */
typedef struct protea_svm_result {
    int64_t shots, draws, n;                     /* n: images trained on, as many as there were in the first draw */
    double map[PROTEA_AP_KINDS], spread[PROTEA_AP_KINDS];
    double top1, top5;                           /* NaN where images have several classes */
    double cost;                                 /* what counts; NaN: each class has its own */
    double by_cost[PROTEA_LIST_MAX];             /* mean average precision by opts.ap at each cost; NaN where folds chose */
    double gap;                                  /* largest duality gap, as a share of the primal's value */
    double (*ap)[PROTEA_AP_KINDS];               /* (n_classes) NaN for a class that no test image has: owned */
    double *class_cost;                          /* (n_classes) of the last draw: owned */
} protea_svm_result;

/* score (shots.n), zeroed; *unconverged: machines whose training ended at max_passes. Machines trained in all:
 * protea_svm_probe_size. With few shots each class gives so many of its images, or all it has, drawn anew each time; an image that
 * several classes drew counts as often, with all its classes, as in PCL's code.
 * Errors: PROTEA_ERR_INPUT (features that are not finite, too few images for the folds), PROTEA_ERR_MEMORY. */
protea_status protea_svm_probe(const protea_ctx *cx, protea_svm_result *score, int64_t *unconverged, const protea_two_sets *sets,
                               const protea_feature_set *train, const protea_feature_set *test, const protea_svm_probe_opts *opts,
                               protea_svm_progress progress, void *self);
/* Whether folds choose among the costs of this number of shots; else the test images do, or there is one. */
bool protea_svm_by_folds(const protea_svm_probe_opts *opts, int64_t shots);
int64_t protea_svm_probe_size(const protea_two_sets *sets, const protea_svm_probe_opts *opts);
void protea_svm_result_release(protea_svm_result *score);

#endif
