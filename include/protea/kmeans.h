/* k-means (Lloyd's algorithm) on rows of numbers in memory, usable without the rest of Protea.
 *
 *     protea_kmeans_opts opts = protea_kmeans_defaults();
 *     opts.k = 100;
 *     protea_kmeans_out out = { .centroids = centroids, .assign = assign };
 *     protea_status status = protea_kmeans(&out, x, n, d, &opts, 0, NULL);
 *
 * Semantics are those of faiss::Clustering (Johnson et al., 1.7), with these differences: sums are in double; the objective is
 * that of the centroids which are kept; a cluster whose rows are all the same is never split; the run ends when no row changes
 * its cluster; rows that hold a NaN are refused. Equal input gives equal bits for any number of threads. */
#ifndef PROTEA_KMEANS_H
#define PROTEA_KMEANS_H

#include <stdint.h>

#include <protea/job.h>
#include <protea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum protea_kmeans_init {
    PROTEA_KMEANS_RANDOM,   /* k distinct rows, uniformly */
    PROTEA_KMEANS_PLUS_PLUS /* each next row with probability proportional to its squared distance from those before
                             * (Arthur & Vassilvitskii 2007) */
} protea_kmeans_init;

typedef enum protea_kmeans_empty {
    PROTEA_KMEANS_SPLIT,    /* an empty cluster takes half of another, drawn with probability ~ its rows - 1 (faiss) */
    PROTEA_KMEANS_KEEP      /* it keeps its centroid */
} protea_kmeans_empty;

/* One iteration: assignment of all training rows, then new centroids. */
typedef struct protea_kmeans_iteration {
    int64_t redo, iteration;  /* both from 0 */
    double objective;         /* sum of weight * squared distance at the assignment, before the centroids moved */
    double seconds;           /* of this iteration */
    double seconds_assign;    /* of its assignment */
    double imbalance;         /* k * sum of squared cluster sizes / n^2: 1 when all are equal, k when one has all */
    int64_t moved;            /* rows that changed their cluster */
    int64_t splits;           /* empty clusters that took half of another */
} protea_kmeans_iteration;

typedef struct protea_kmeans_opts {
    int64_t k;                        /* clusters, 1..n */
    int64_t niter;                    /* at most so many iterations */
    int64_t nredo;                    /* whole runs from other starts; the one with the least objective is kept */
    uint64_t seed;
    int32_t init;                     /* protea_kmeans_init */
    int32_t empty;                    /* protea_kmeans_empty */
    int32_t spherical;                /* centroids are set to length 1 after each iteration */
    int32_t bf16;                     /* nearest centroids are looked for in bf16; sums and results stay f32 */
    int64_t max_points_per_centroid;  /* train on a random subset of k times so many rows; 0: on all */
    int64_t min_points_per_centroid;  /* warn below */
    const float *weights;             /* (n) each >= 0, or NULL: all 1 */
    const float *centroids;           /* (k,d) to start from (a warm start), or NULL; nredo then counts as 1.
                                       * They may be the result's own */
    const char *name;                 /* what messages call the rows: a file's name, say; NULL: "k-means" */
    /* Called after each iteration; not 0 ends the run with PROTEA_STOPPED. May be NULL. */
    int (*each)(void *cookie, const protea_kmeans_iteration *iteration);
    void *cookie;
} protea_kmeans_opts;

/* niter 25, nredo 1, random rows, split, 256 and 39 points per centroid, seed 0; k is for the caller to set. */
protea_kmeans_opts protea_kmeans_defaults(void);

/* Where results go: memory of the caller's; each pointer but centroids may be NULL. */
typedef struct protea_kmeans_out {
    float *centroids;                 /* (k,d) */
    int32_t *assign;                  /* (n) nearest centroid of each row, the first of equals; found in f32 */
    float *distances;                 /* (n) squared distance to it */
    protea_kmeans_iteration *record;  /* (nredo * niter) */
    int64_t n_record;                 /* set: iterations that were run */
    double objective;                 /* set: with assign or distances, sum of weight * distance over all rows; else the last
                                       * iteration's (the best redo's), which is one update behind */
} protea_kmeans_out;

/* x (n,d), row-major, finite. threads: 0 for all processors; hooks (only their log is used) may be NULL.
 * Errors: PROTEA_ERR_USAGE (an option out of its range), PROTEA_ERR_INPUT (fewer rows than k; a NaN, an infinity or a number
 * beyond 1e15, with row and column; a negative weight), PROTEA_ERR_MEMORY, PROTEA_STOPPED. */
protea_status protea_kmeans(protea_kmeans_out *out, const float *x, int64_t n, int64_t d, const protea_kmeans_opts *opts,
                            int threads, const protea_hooks *hooks);

#ifdef __cplusplus
}
#endif
#endif
