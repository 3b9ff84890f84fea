/* A search for neighbours from within (nearest_rows.h): what row_search.c opens and nearest_rows.c runs. */
#ifndef PROTEA_CLUSTER_ROW_SEARCH_H
#define PROTEA_CLUSTER_ROW_SEARCH_H

#include "cluster/near_list.h"
#include "cluster/nearest_rows.h"

enum { PROTEA_SLAB = 2048 }; /* rows of the gallery at a time */

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
    protea_arena *memory;                   /* of pack */
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

#endif
