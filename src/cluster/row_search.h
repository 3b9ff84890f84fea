/* A search for neighbours from within (nearest_rows.h): what row_search.c opens and nearest_rows.c runs. */
#ifndef PROTEA_CLUSTER_ROW_SEARCH_H
#define PROTEA_CLUSTER_ROW_SEARCH_H

#include "cluster/near_list.h"
#include "cluster/nearest_rows.h"

enum { PROTEA_SLAB = 4096 }; /* rows of the gallery at a time */

/* Of the values that the first pass multiplies: the longest row, and the farthest from the row it was rounded from. */
typedef struct protea_seen {
    double length, off;
} protea_seen;

/* A query while it is searched for. */
typedef struct protea_wanted {
    protea_near_list list;
    protea_seen seen;
    double square_error, distance_error;    /* see docs/math/knn.md */
    double bound;                           /* k rows are known, or guessed, to be as near as this; infinite before */
    double guess;                           /* that it began with; infinite: none */
} protea_wanted;

struct protea_row_search {
    protea_ctx *cx;
    protea_some_rows gallery, query;
    protea_row_metric metric;
    const int64_t *self;
    int64_t d, k, room;                     /* room: for candidates of a query */
    protea_dtype dtype;                     /* of the first pass */
    double *gallery_scale, *query_scale;    /* (n), (m): to a length of 1, 0 for a zero row; Euclidean: the same for all */
    bool zero_rows;                         /* there are rows whose scale is 0 */
    float *centre;                          /* (d) near the middle of the gallery, scaled */
    float *slab;                            /* (PROTEA_SLAB,d) scaled */
    protea_arena *memory;                   /* of pack, slab, queries, lists and best */
    void *pack;
    protea_seen so_far;                     /* of the slabs up to the one that is searched */
    int64_t slab_first, slab_step;          /* of that slab: each so many rows */
    int64_t sought, full;                   /* rows that are looked for, k or fewer in a sample; a list's room for them */
    int64_t block, next;                    /* queries of a block; the first of the next */
    int64_t first;                          /* of this one */
    int64_t *number;                        /* (block) which query is where, while they are searched for */
    float *queries, *limit;                 /* (block,d) scaled, (block) */
    protea_wanted *wanted;                  /* (block) */
    float *value;                           /* (block,room) of their lists */
    int32_t *row;                           /* (block,room) */
    uint64_t *scratch;                      /* (threads, 2 room) */
    protea_neighbour *best;                 /* (block,k) */
    int64_t *n_best;                        /* (block) */
};

/* ---- candidates (row_candidates.c) */

/* From what has been seen of the rows so far. */
void protea_near_errors(const protea_row_search *s, protea_wanted *w);
/* The most that the score of a row can be that is still wanted. */
float protea_near_limit(const protea_wanted *w);
/* What the first pass found (kernels.h: nearest_below); self: the search. */
void protea_near_take(void *self, const protea_near *near, int64_t n);
/* Whether the gallery's row i is query `at` itself. */
bool protea_near_is_own(const protea_row_search *s, int64_t at, int64_t i);
/* Computes candidate `place` of query `at`. */
void protea_near_compute(const protea_row_search *s, int64_t at, int64_t place);
/* Leaves out what is surely farther than as many others as are sought, by scores alone. */
void protea_near_thin_out(const protea_row_search *s, protea_wanted *w);
/* Computes all candidates; the nearest stay, as many as are sought. */
void protea_near_settle(const protea_row_search *s, protea_wanted *w);
/* A candidate's distance is at most this. */
double protea_near_distance(const protea_row_search *s, float value);
/* (2 room) of the thread. */
uint64_t *protea_near_scratch(const protea_row_search *s);

/* ---- the end (row_finish.c): of the block's first count queries; none is found where the guess was too low. */
void protea_row_search_finish(protea_row_search *s, int64_t count);

#endif
