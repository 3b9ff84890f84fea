/* Loader threads that fill a ring of batches ahead of the one that is used. */
#ifndef PROTEA_DATA_WORKER_POOL_H
#define PROTEA_DATA_WORKER_POOL_H

#include "data/batch_maker.h"

typedef struct protea_pool protea_pool;

/* maker: borrowed; its order may change only while the pool is stopped. Errors: PROTEA_ERR_MEMORY when a thread cannot be had. */
protea_status protea_pool_new(protea_pool **out, const protea_maker *maker, int workers);
void protea_pool_free(protea_pool *p); /* accepts NULL; joins the threads */
/* Returns when no thread is at work; what was prepared is forgotten. */
void protea_pool_stop(protea_pool *p);
/* Begins with step first. */
void protea_pool_start(protea_pool *p, int64_t first);
/* The slot of a step, complete; steps are asked for in order, and asking gives the step before back. */
protea_slot *protea_pool_wait(protea_pool *p, int64_t step);

#endif
