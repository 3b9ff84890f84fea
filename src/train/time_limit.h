/* --max-minutes: how many steps fit.
 *
 * Before the run a few steps are timed and thrown away: the state is opened again from the seed after them. What fits
 * becomes the run's length, which the schedule spans and the checkpoint records, so that a resumed run keeps it. While the
 * run goes the length follows the measured speed, without passing the epochs asked for. A run without a limit knows none
 * of this, and ends byte-identical however often it is stopped. */
#ifndef PROTEA_TRAIN_TIME_LIMIT_H
#define PROTEA_TRAIN_TIME_LIMIT_H

#include "train/train_state.h"

/* Times some steps; *steps: how many fit. started: protea_seconds() when the run began. */
protea_status protea_time_limit_measure(const protea_trainer *t, double started, int64_t *steps);

/* The run's length as it now looks: `done` steps took `seconds`, with all that went on between them, and the run has used
 * `used` seconds so far. */
void protea_time_limit_follow(protea_train_state *s, int64_t done, double seconds, double used);

#endif
