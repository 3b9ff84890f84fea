/* An activation that backward reads again: kept since forward, or worked out again, to the same bits, from convolutions' outputs,
 * which batch-norm's backward needs in any case. With a_0 what is kept, or nothing:
 *
 *     a_i = act_i(bn_i(c_i) + a_(i-1)),  the activation is a_n
 *
 * A value; what it points to lies in the kept arena. */
#ifndef PROTEA_NN_REDO_H
#define PROTEA_NN_REDO_H

#include "nn/batchnorm.h"

enum { PROTEA_REDO_STEPS = 3 }; /* what would take more is kept: one pass over memory each */

typedef struct protea_redo_step {
    protea_tensor c;
    protea_bn_record bn;
    protea_act act;
} protea_redo_step;

typedef struct protea_redo {
    protea_tensor kept; /* without dimensions: nothing is */
    int n;
    protea_redo_step step[PROTEA_REDO_STEPS];
} protea_redo;

/* Of an activation that stays. */
protea_redo protea_redo_kept(const protea_tensor *y);
/* One more step than r has, which are fewer than PROTEA_REDO_STEPS. */
void protea_redo_add(protea_redo *r, const protea_tensor *c, const protea_bn_record *bn, protea_act act);
/* y: the activation, in memory, or where it is kept. */
protea_status protea_redo_run(protea_ctx *cx, const protea_redo *r, protea_tensor *y, void *memory);

#endif
