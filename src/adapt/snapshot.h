/* A copy of tensors, to go back to: the start for a reset, the last good state for a guard. */
#ifndef PROTEA_ADAPT_SNAPSHOT_H
#define PROTEA_ADAPT_SNAPSHOT_H

#include "nn/module.h"
#include "optim/optim.h"

typedef struct protea_snapshot protea_snapshot;

/* Copies what visit names: the parameters' values, the buffers, or both. The tensors must outlive the snapshot where they
 * are; self is not kept. *out: owned. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_snapshot_new(protea_snapshot **out, protea_visit_fn visit, void *self, bool params, bool buffers);
void protea_snapshot_free(protea_snapshot *s); /* accepts NULL */
/* Copies them again, over the old copy / back. */
void protea_snapshot_take(protea_snapshot *s);
void protea_snapshot_restore(const protea_snapshot *s);
/* Whether the tensors, as they are now, hold finite numbers only. */
bool protea_snapshot_is_finite(const protea_snapshot *s);

#endif
