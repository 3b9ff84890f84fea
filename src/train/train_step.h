/* One training step: from a batch to changed weights. */
#ifndef PROTEA_TRAIN_TRAIN_STEP_H
#define PROTEA_TRAIN_TRAIN_STEP_H

#include "train/health.h"
#include "train/train_state.h"

/* Arenas emptied, gradients zeroed, the method's step, mean of gradients over ranks, the guard against what is not finite,
 * update, and the position moved by one. A bad step changes no weight: out->loss is then not finite. "grad_norm" joins
 * out's metrics. Errors: PROTEA_ERR_DIVERGED (too many bad steps in a row), those of the method. */
protea_status protea_train_step(protea_train_state *s, const protea_batch *batch, protea_health *health, protea_step_out *out);

#endif
