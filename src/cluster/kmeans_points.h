/* What the files of k-means share: the rows it trains on, how they are chosen, and what becomes of them. */
#ifndef PROTEA_CLUSTER_KMEANS_POINTS_H
#define PROTEA_CLUSTER_KMEANS_POINTS_H

#include <protea/kmeans.h>

#include "tensor/context.h"

/* Training rows: row i is x[rows[i]], or x[i] where rows is NULL. */
typedef struct protea_points {
    const float *x;         /* (.,d) borrowed */
    const float *weights;   /* of x's rows, or NULL; borrowed */
    int64_t *rows;          /* (n) rising, owned, or NULL */
    int64_t n, d;
    const char *name;       /* for messages; NULL: "k-means" */
} protea_points;

static inline int64_t protea_point_row(const protea_points *p, int64_t i)
{
    return p->rows != NULL ? p->rows[i] : i;
}

/* ---- kmeans_points.c */
/* Refuses what is not finite or too large, and weights below 0; mean (d): of all rows. Errors: PROTEA_ERR_INPUT naming row and
 * column, PROTEA_ERR_MEMORY. */
protea_status protea_points_check(const protea_points *p, float *mean);
/* Keeps `wanted` of the rows, drawn without replacement. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_points_draw(protea_points *p, int64_t wanted, uint64_t seed);

/* ---- kmeans_start.c */
/* centroids (k,d): k rows, by opts->init. redo: which run. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_points_start(const protea_ctx *cx, const protea_points *p, float *centroids,
                                  const protea_kmeans_opts *opts, int64_t redo);
/* which (wanted): numbers below n, distinct and rising, each set with equal probability. */
void protea_draw_distinct(protea_rng *rng, int64_t *which, int64_t wanted, int64_t n);

/* ---- kmeans_assign.c */
/* Centroids as the back-end wants them, and the scratch of the threads that look for the nearest. */
typedef struct protea_pack {
    protea_nearest_dims dims;
    protea_arena *memory;   /* owned */
    void *bytes;            /* in memory */
} protea_pack;

protea_status protea_pack_new(protea_pack *out, const protea_ctx *cx, int64_t k, int64_t d, protea_dtype dtype);
void protea_pack_release(protea_pack *pack); /* accepts a zeroed one, or one that protea_pack_new failed to make */
/* index (n): the nearest centroid (k,d) of each row. mean (d): of the rows, about. */
void protea_pack_nearest(protea_ctx *cx, protea_pack *pack, int32_t *index, const protea_points *p, const float *centroids,
                         const float *mean);
/* As protea_kmeans_assign, for rows that were checked; the objective is weighted. */
protea_status protea_points_assign(protea_ctx *cx, int32_t *assign, float *distances, double *objective,
                                   const protea_points *p, const float *mean, const float *centroids, int64_t k,
                                   protea_dtype dtype);
/* distances (n): squared, to the centroids in assign (n), from the differences; returns the sum of weight * distance. */
double protea_points_distances(const protea_ctx *cx, float *distances, const protea_points *p, const int32_t *assign,
                               const float *centroids);

/* ---- kmeans_again.c */
/* Nearest centroids of one iteration after another. A row whose centroid has not changed since its last search need only be
 * compared with those that have: what it gets is the same to the bit, and late iterations are short. */
typedef struct protea_again {
    protea_pack pack;
    bool known;             /* the rest is of the iteration before; set to false at a new start */
    int32_t *assign;        /* (n) nearest centroid */
    float *score;           /* (n) of it, as the back-end has it */
    float *centroids;       /* (k,d) that were searched last */
    float *some;            /* (k,d) those that have changed */
    int32_t *number;        /* (k) which these are, rising */
    bool *changed;          /* (k) */
    int64_t *rows;          /* (n) rows with a changed centroid, then the others */
    int32_t *found;         /* (n) what a search gives, in the order of rows */
    float *found_score;     /* (n) */
} protea_again;

protea_status protea_again_new(protea_again *a, const protea_ctx *cx, const protea_points *p, int64_t k, protea_dtype dtype);
void protea_again_release(protea_again *a); /* accepts a zeroed one */
/* a->assign: the nearest of centroids (k,d). Returns how many rows changed theirs: all where none were known. */
int64_t protea_again_nearest(protea_ctx *cx, protea_again *a, const protea_points *p, const float *centroids, const float *mean);

/* ---- kmeans_update.c */
/* A piece of a cluster: so many members that a sum over them is one thread's work. */
typedef struct protea_segment {
    int64_t cluster, first, n;  /* members [first, first + n) */
    double *sum;                /* (d) where the sum of weight * row goes; borrowed */
    double cost;                /* of weight * squared distance to the centroid */
} protea_segment;

/* Rows by cluster, for a chunk of rows after another, and sums over all rows. */
typedef struct protea_clusters {
    int64_t k, chunk, n_segments; /* chunk: rows at a time */
    int64_t *start;             /* (k+1) where each cluster begins in member */
    int64_t *next;              /* (k) while sorting */
    int64_t *member;            /* rows of x in this chunk, by cluster, rising within each */
    protea_segment *segment;    /* (n_segments) by cluster */
    double *part;               /* sums of segments of clusters that have several */
    double *sum;                /* (k,d) */
    double *weight, *cost;      /* (k) */
    int64_t *count;             /* (k) members */
} protea_clusters;

protea_status protea_clusters_new(protea_clusters *c, const protea_points *p, int64_t k);
void protea_clusters_release(protea_clusters *c); /* accepts a zeroed one */
/* Replaces centroids (k,d) by the means of the rows that assign (n) gives them, of length 1 when spherical; one whose rows
 * weigh nothing, or have no direction, stays. Returns the objective before. */
double protea_clusters_update(const protea_ctx *cx, protea_clusters *c, const protea_points *p, const int32_t *assign,
                              float *centroids, bool spherical);
/* Gives empty clusters half of another one's rows, by moving two copies of its centroid apart; returns how many got it. */
int64_t protea_clusters_split(protea_clusters *c, int64_t n, int64_t d, float *centroids, protea_rng *rng);
double protea_clusters_imbalance(const protea_clusters *c, int64_t n);

#endif
