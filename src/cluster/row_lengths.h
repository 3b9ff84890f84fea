/* Rows of a matrix, all or some of them, and what brings them to a common length. */
#ifndef PROTEA_CLUSTER_ROW_LENGTHS_H
#define PROTEA_CLUSTER_ROW_LENGTHS_H

#include "tensor/context.h"

typedef struct protea_some_rows {
    const float *x;     /* (.,d) */
    const int64_t *row; /* (n) which; NULL: the first n */
    int64_t n;
    const char *name;   /* for messages: "training" */
} protea_some_rows;

static inline int64_t protea_row_number(const protea_some_rows *r, int64_t i)
{
    return r->row ? r->row[i] : i;
}

static inline const float *protea_row_at(const protea_some_rows *r, int64_t i, int64_t d)
{
    return r->x + protea_row_number(r, i) * d;
}

/* length (n) of all rows; *longest is raised to the largest. Errors: PROTEA_ERR_INPUT with a row that holds a value that is
 * not finite, or whose length is neither 0 nor in 1e-18 to 1e18 (so that products of two stay in f32's range). */
protea_status protea_row_lengths(double *length, double *longest, const protea_some_rows *r, int64_t d);
/* centre (d), zeroed: the mean of up to 4,096 rows, evenly spread, each times its scale (n). */
void protea_row_centre(float *centre, const protea_some_rows *r, const double *scale, int64_t d);

#endif
