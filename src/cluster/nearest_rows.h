/* The k nearest rows of a gallery for each row of a set of queries: exact, in bounded memory.
 *
 * By cosine or by Euclidean distance. What decides is computed from the rows as they are, pair by pair:
 *     cosine     x.c / (|x| |c|), 0 where a row is zero     larger is nearer
 *     Euclidean  |x - c|                                    smaller is nearer
 * rounded to f32; of equals the smaller row number is the nearer. So the result depends neither on blocks nor on threads. A
 * first pass, in bf16 where the processor multiplies it faster, only leaves out what by a proven bound cannot be among the k
 * nearest: docs/math/knn.md. */
#ifndef PROTEA_CLUSTER_NEAREST_ROWS_H
#define PROTEA_CLUSTER_NEAREST_ROWS_H

#include "cluster/row_lengths.h"

typedef enum protea_row_metric { PROTEA_COSINE, PROTEA_EUCLIDEAN } protea_row_metric;

typedef struct protea_row_search_opts {
    protea_row_metric metric;
    int64_t k;           /* at least 1; may be more than there are rows */
    const int64_t *self; /* (queries) number i of the gallery's row that a query is, left out of its neighbours; NULL: none */
    size_t query_bytes;  /* queries are searched for in blocks of about so much memory; 0: 128 MiB */
} protea_row_search_opts;

/* A neighbour: row i of the gallery (protea_row_number has its number in the matrix) and its similarity or distance. */
typedef struct protea_neighbour {
    float value;
    int32_t i;
} protea_neighbour;

/* What was found for a block of queries; borrowed until the next block. */
typedef struct protea_neighbour_block {
    int64_t first, count;         /* of the queries */
    int64_t k;                    /* as asked for, but at most the gallery's rows */
    const protea_neighbour *best; /* (count,k) nearest first */
    const int64_t *n;             /* (count) how many there are: k, or one less without a row's own */
} protea_neighbour_block;

typedef struct protea_row_search protea_row_search;

/* *out: owned, also on failure NULL. Rows are borrowed. Memory beside them: 8 bytes a row, and blocks.
 * Errors: PROTEA_ERR_USAGE (k), PROTEA_ERR_INPUT (a value that is not finite, or a length but 0 outside 1e-18 to 1e18, with its
 * row; more than
 * 2^31 - 1 rows), PROTEA_ERR_MEMORY. */
protea_status protea_row_search_new(protea_row_search **out, protea_ctx *cx, const protea_some_rows *gallery,
                                    const protea_some_rows *query, int64_t d, const protea_row_search_opts *opts);
void protea_row_search_free(protea_row_search *s); /* accepts NULL */
/* The next block of queries; count 0 after the last. */
void protea_row_search_next(protea_row_search *s, protea_neighbour_block *out);

/* All at once, by cosine: neighbour (m,k) row numbers of the most similar of n rows, best first, -1 where there are fewer than
 * k; similarity (m,k), may be NULL; self (m): as above. */
protea_status protea_nearest_rows(protea_ctx *cx, int64_t *neighbour, float *similarity, const float *train, int64_t n,
                                  const float *test, const int64_t *self, int64_t m, int64_t d, int64_t k);

#endif
