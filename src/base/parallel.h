/* The one pool of compute threads: OpenMP's, which oneDNN uses too. Kernels say `#pragma omp parallel for
 * schedule(static)`; this header is for the few places that must know how many threads there are.
 * Sums over samples or pixels go over a fixed partition and are combined in a fixed order: equal thread counts
 * give equal bits, and where the partition does not depend on the count, any count does. */
#ifndef PROTEA_BASE_PARALLEL_H
#define PROTEA_BASE_PARALLEL_H

#include "base/status.h"

/* Processors this process may run on (affinity and cgroup quota counted), at least 1. */
int protea_cpu_count(void);
/* Threads the next parallel region will have. */
int protea_threads(void);
void protea_set_threads(int n);
/* Sets them and starts them now: OpenMP ends the process where it cannot have its threads, which must not happen after work
 * has begun. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_start_threads(int n);
/* Number of the calling thread inside a parallel region, 0 outside. */
int protea_thread_index(void);

#endif
