/* The matrix that Sinkhorn-Knopp scales, E = exp(scores / eps), and the rows that share the work on it. */
#ifndef PROTEA_CLUSTER_GIBBS_KERNEL_H
#define PROTEA_CLUSTER_GIBBS_KERNEL_H

#include "tensor/context.h"

/* Rows are cut into parts of this size. A part's column sums are in float; the parts' are added up in double, in order. */
enum { SINKHORN_PART = 32 };

typedef struct sinkhorn {
    protea_ctx *cx;
    const float *scores;    /* (B,K) */
    float *e_queue, *e;     /* (B-n,K), (n,K): E; e is q, which becomes the codes in the last sweep */
    int64_t b, n, k, n_parts;
    float *shift;           /* (K): what is subtracted from a prototype's scores, where that is needed */
    float *u;               /* (K) */
    double *column_sum;     /* (K), over all ranks once summed */
    float *part_sum;        /* (n_parts,K) */
    double *level;          /* (n_parts): the largest score of a part */
    double eps;
} sinkhorn;

/* Row b of E. */
static inline float *sinkhorn_row(const sinkhorn *s, int64_t b)
{
    int64_t queue_rows = s->b - s->n;
    return b < queue_rows ? s->e_queue + b * s->k : s->e + (b - queue_rows) * s->k;
}

static inline int64_t sinkhorn_part_end(const sinkhorn *s, int64_t part)
{
    int64_t end = (part + 1) * SINKHORN_PART;
    return end < s->b ? end : s->b;
}

/* PROTEA_ERR_DIVERGED with `what` if any rank is bad: one that cannot go on takes the others with it, so that none waits for it in
 * the next sum. Collective. */
protea_status protea_sinkhorn_all_well(sinkhorn *s, int bad, const char *what);

/* column_sum = the sums of part_sum, over all ranks. Collective. */
protea_status protea_sinkhorn_sum_columns(sinkhorn *s);

/* E up to a factor for each row and for each column, which the alternation takes out again; column_sum is that of E up to
 * the columns' factors. Collective. PROTEA_ERR_DIVERGED: scores that are not finite. */
protea_status protea_gibbs_kernel(sinkhorn *s);

#endif
