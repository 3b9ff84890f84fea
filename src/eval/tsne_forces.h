/* What moves the points of a t-SNE map, and how far the map is from the rows.
 *
 *     q_ij = 1 / (1 + |y_i - y_j|^2),   Z = sum over i != j of q_ij
 *     KL = sum of p_ij ln(p_ij Z / q_ij);   dKL / dy_i = 4 (a_i - r_i / Z)
 *     a_i = sum of p_ij q_ij (y_i - y_j) over the pairs,   r_i = sum of q_ij^2 (y_i - y_j) over all j
 *
 * Source: van der Maaten & Hinton 2008, JMLR 9:2579, eq. 4-5; van der Maaten 2014, JMLR 15:3221, eq. 8-10. */
#ifndef PROTEA_EVAL_TSNE_FORCES_H
#define PROTEA_EVAL_TSNE_FORCES_H

#include "eval/box_tree.h"
#include "eval/tsne_pairs.h"

typedef struct protea_tsne_forces {
    int64_t n;
    float *pull;      /* (n,2): a */
    float *push;      /* (n,2): r */
    double z;
    double *part;     /* (leaves) their shares of Z */
    protea_box_tree tree;
} protea_tsne_forces;

/* For n >= 1 points. Errors: PROTEA_ERR_MEMORY. Release in any case. */
protea_status protea_tsne_forces_new(protea_tsne_forces *f, int64_t n);
void protea_tsne_forces_release(protea_tsne_forces *f); /* accepts a zeroed one */

/* Sets pull, push and z at the points x, y (n). theta: of <protea/tsne.h>. */
void protea_tsne_forces_at(const protea_ctx *cx, protea_tsne_forces *f, const protea_tsne_pairs *pairs, const float *x,
                           const float *y, double theta);

/* KL at x, y (n) with the Z of there. */
double protea_tsne_divergence(const protea_tsne_pairs *pairs, const float *x, const float *y, double z);

/* As the papers have it, in double, of dense p (n,n) whose diagonal is 0: what the above is tested against. Returns KL;
 * gradient (n,2) of it at y (n,2). */
double protea_tsne_reference(double *gradient, const double *p, const double *y, int64_t n);

#endif
