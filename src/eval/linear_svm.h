/* A linear support vector machine for two classes, by dual coordinate descent: Hsieh, Chang, Lin, Keerthi, Sundararajan 2008, "A
 * dual coordinate descent method for large-scale linear SVM", the problem that LIBLINEAR and scikit-learn's LinearSVC solve:
 *
 *     min over w of 1/2 |w|^2 + sum_i C_i max(0, 1 - y_i w.x_i)^p,    p = 2 (squared hinge) or 1 (hinge)
 *
 * with a 1 after each row's numbers, whose weight is the bias and is shrunk like any other. docs/math/svm.md. */
#ifndef PROTEA_EVAL_LINEAR_SVM_H
#define PROTEA_EVAL_LINEAR_SVM_H

#include "tensor/context.h"

typedef enum protea_svm_loss { PROTEA_SQUARED_HINGE, PROTEA_HINGE } protea_svm_loss;

typedef struct protea_svm_opts {
    protea_svm_loss loss;
    double tolerance;      /* how far apart the dual's projected gradients may lie at the end: LIBLINEAR's eps, LinearSVC's tol */
    int64_t max_passes;    /* over the rows */
} protea_svm_opts;

/* A matrix whose row i counts as x[i] times scale[i]. */
typedef struct protea_svm_rows {
    const float *x;        /* (.,d) finite */
    const double *scale;   /* (.) */
    const double *square;  /* (.) |x[i] scale[i]|^2 + 1 */
    int64_t d;
} protea_svm_rows;

/* Who is to be told from whom: n rows of them, which may repeat. */
typedef struct protea_svm_problem {
    const protea_svm_rows *rows;
    const int64_t *row;    /* (n) */
    const int8_t *sign;    /* (n) 1 or -1 */
    int64_t n;
    double cost[2];        /* C of the rows of sign -1, and of 1; above 0 */
    protea_rng rng;        /* of the order that rows are gone through in, drawn anew each pass */
} protea_svm_problem;

/* Memory of a solver: for problems of up to n rows. */
typedef struct protea_svm_work {
    double *alpha;         /* (n) the dual's variables: what the last problem ended with */
    int64_t *order;        /* (n) */
} protea_svm_work;
protea_status protea_svm_work_new(protea_svm_work *work, int64_t n);
void protea_svm_work_release(protea_svm_work *work);

/* How it ended. The primal's and the dual's values enclose the optimum, which both problems share. */
typedef struct protea_svm_end {
    double primal, dual;
    int64_t passes;
    bool converged;        /* to the tolerance, within max_passes */
} protea_svm_end;

/* w (d + 1): the weights, then the bias. On one thread, without allocating: who calls shares the work. */
void protea_svm_solve(protea_backend *be, double *w, protea_svm_end *end, const protea_svm_problem *problem,
                      const protea_svm_opts *opts, protea_svm_work *work);
/* w.x + bias of a row. */
double protea_svm_score(protea_backend *be, const double *w, const protea_svm_rows *rows, int64_t row);

#endif
