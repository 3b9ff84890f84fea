/* What ranking by machines (one_vs_all.c) and choosing their costs (svm_costs.c) share: a thread's memory, and one machine trained
 * in it. */
#ifndef PROTEA_EVAL_SVM_WORKER_H
#define PROTEA_EVAL_SVM_WORKER_H

#include "eval/one_vs_all.h"

struct protea_svm_worker {
    protea_svm_work work;
    double *w;               /* (d + 1) */
    int8_t *sign;            /* (most) */
    int64_t *row;            /* (most) the rows outside a fold, and from the end on those in it */
    uint8_t *train_is;       /* (train n) 1: of the class in hand; all 0 between classes */
    uint8_t *test_is;        /* (test n) likewise */
    protea_ranked *item;     /* (most, or test images if more) */
};

/* For problems of up to `most` rows, of sets of train_n and test_n. Errors: PROTEA_ERR_MEMORY. Release in any case. */
protea_status protea_svm_worker_new(protea_svm_worker *w, const protea_one_vs_all *o, int64_t train_n, int64_t test_n,
                                    int64_t most);
void protea_svm_worker_release(protea_svm_worker *w);

/* Sets what `is` says of the rows that the class has. */
void protea_svm_mark(uint8_t *is, const protea_class_rows *r, int class, uint8_t value);

/* The class, whose rows are marked in w->train_is, against the others among n rows, with cost C c; its weights to w->w. Returns the
 * duality gap as a share of the primal's value. */
double protea_svm_train(protea_one_vs_all *o, protea_svm_worker *w, int class, const int64_t *row, int64_t n, double c);

/* After each machine: says how far the work is, where this is the thread that asked, and keeps in o->status what that returns. */
void protea_svm_tell(protea_one_vs_all *o);

#endif
