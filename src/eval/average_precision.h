/* How well scores put what is of a class before what is not. docs/math/svm.md. */
#ifndef PROTEA_EVAL_AVERAGE_PRECISION_H
#define PROTEA_EVAL_AVERAGE_PRECISION_H

#include <stdint.h>

/* Elevens: the mean over the recalls 0, 0.1 ... 1 of the best precision at that recall or a higher one, as PASCAL VOC 2007 has it.
 * Area: that of the curve made falling, as VOC 2010 and later have it, and PCL's and VISSL's scripts. Steps: the sum of precision
 * times gain in recall, as scikit-learn's average_precision_score. */
typedef enum protea_ap_kind { PROTEA_AP_ELEVEN, PROTEA_AP_AREA, PROTEA_AP_STEPS, PROTEA_AP_KINDS } protea_ap_kind;

typedef struct protea_ranked {
    double score;
    int64_t is; /* 1: of the class; 0: not */
} protea_ranked;

/* ap: by kind, in 0..1. item (n) is used up. Images of equal scores come in together, so their order does not matter. At least one
 * item must be of the class. */
void protea_average_precision(double ap[static PROTEA_AP_KINDS], protea_ranked *item, int64_t n);

#endif
