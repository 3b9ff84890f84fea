/* Ranks. One process is a comm of size 1 behind the same table, so no caller asks whether there are others.
 * Every call is collective. Sums are over ranks, in rank order. */
#ifndef PROTEA_COMM_COMM_H
#define PROTEA_COMM_COMM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct protea_comm protea_comm;
struct protea_comm {
    int rank, size;
    protea_status (*sum_f32)(protea_comm *comm, float *x, size_t n);
    protea_status (*sum_f64)(protea_comm *comm, double *x, size_t n);
    protea_status (*max_f64)(protea_comm *comm, double *x, size_t n);
    /* all (size*n): n floats of each rank in rank order; may start with x of rank 0. */
    protea_status (*gather_f32)(protea_comm *comm, float *all, const float *x, size_t n);
    protea_status (*broadcast)(protea_comm *comm, void *x, size_t bytes, int root);
    void (*free)(protea_comm *comm);
};

/* One process. *out: owned. */
protea_status protea_comm_self(protea_comm **out);
void protea_comm_free(protea_comm *comm); /* accepts NULL */

#endif
