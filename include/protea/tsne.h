/* t-SNE: a map of rows in two dimensions on which neighbours stay neighbours.
 *
 *     protea_tsne_opts opts = protea_tsne_defaults();
 *     protea_tsne_out out = { .xy = xy };
 *     protea_status status = protea_tsne(&out, x, n, d, &opts, 0, NULL);
 *
 * Source: van der Maaten & Hinton 2008, JMLR 9:2579 (the method); van der Maaten 2014, JMLR 15:3221 (nearest neighbours, and
 * repulsion by a tree); Kobak & Berens 2019, Nat. Commun. 10:5416 (start from the principal axes); Belkina et al. 2019, Nat.
 * Commun. 10:5415 (learning rate n / exaggeration). Differences from these: rows are compared as directions, by the squared
 * distance of the rows at length 1 (twice the cosine distance); the tree is one of boxes over points along a Hilbert curve, and
 * points that lie together meet it together; when the exaggeration ends, the learning rate becomes n.
 * Equal input gives equal bits for any number of threads (on processors with the same instructions). */
#ifndef PROTEA_TSNE_H
#define PROTEA_TSNE_H

#include <stdint.h>

#include <protea/job.h>
#include <protea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How far the work has come. */
typedef struct protea_tsne_progress {
    const char *stage;    /* "neighbours" (in rows), then "t-SNE" (in iterations) */
    int64_t done, total;
    double kl;            /* divergence of the map from the rows when it was last measured; 0 before the first time */
} protea_tsne_progress;

typedef struct protea_tsne_opts {
    double perplexity;        /* neighbours that count: 2 to the entropy of their weights; at least 1; cut to (n - 1) / 3 */
    int64_t iterations;       /* in all */
    int64_t early_iterations; /* of them the first, with early_exaggeration */
    double early_exaggeration;
    double learning_rate;     /* 0: n / early_exaggeration, then n */
    double theta;             /* 0..1: a box of points counts as one where its extent < theta times its distance; 0: never */
    uint64_t seed;            /* of the jitter that parts rows which start at one place */
    const char *name;         /* what messages call the rows; NULL: "t-SNE" */
    /* Called after each block of rows and each iteration; not 0 ends the run with PROTEA_STOPPED. May be NULL. */
    int (*each)(void *cookie, const protea_tsne_progress *progress);
    void *cookie;
} protea_tsne_opts;

/* Perplexity 30, 750 iterations, 250 of them exaggerated 12 times, theta 0.5, seed 0. */
protea_tsne_opts protea_tsne_defaults(void);

typedef struct protea_tsne_out {
    float *xy;             /* (n,2) of the caller: the map, about its centre */
    double kl;             /* set: divergence of the map, in nats, over the pairs of neighbours (with theta's approximation) */
    double perplexity;     /* set: as used */
} protea_tsne_out;

/* x (n,d), row-major, finite. n of 0 and 1 give maps of nothing and of one point at 0. Memory: a copy of x and about 2.7 KiB a row
 * at a perplexity of 30. threads: 0 for all processors; hooks (only their log is used) may be NULL.
 * Errors: PROTEA_ERR_USAGE (an option out of its range), PROTEA_ERR_INPUT (a value that is not finite, with its row; n above
 * 2^31 - 1), PROTEA_ERR_DIVERGED (a learning rate that is too large), PROTEA_ERR_MEMORY, PROTEA_STOPPED. */
protea_status protea_tsne(protea_tsne_out *out, const float *x, int64_t n, int64_t d, const protea_tsne_opts *opts, int threads,
                          const protea_hooks *hooks);

#ifdef __cplusplus
}
#endif
#endif
