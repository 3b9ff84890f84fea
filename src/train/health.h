/* Is the run healthy? Collapse, as the method sees it in the running means, and steps that are not finite. */
#ifndef PROTEA_TRAIN_HEALTH_H
#define PROTEA_TRAIN_HEALTH_H

#include "method/method.h"

enum { PROTEA_HEALTH_TEXT = 512, PROTEA_HEALTH_CAUSES = 8, PROTEA_MAX_BAD_STEPS = 5 };

typedef struct protea_health {
    const protea_method_ops *ops;
    const void *method;
    int64_t sick_since;                     /* step of the first of an unbroken row of sick intervals; -1: healthy */
    char text[PROTEA_HEALTH_TEXT];          /* of the last sick interval */
    int n_seen;
    uint64_t seen[PROTEA_HEALTH_CAUSES];    /* causes already reported */
    int64_t bad_in_a_row, bad_total;        /* steps whose update was left out */
} protea_health;

protea_health protea_health_start(const protea_method_ops *ops, const void *method);

/* The means of the interval from step first to the present. Returns the warning when its cause is a new one, else NULL.
 * A cause is the text without its numbers. */
const char *protea_health_interval(protea_health *h, const protea_step_out *mean, int64_t first);

/* Whether a run that ends at `step` of total has collapsed: sick without a break for its last quarter, 100 steps at
 * least. Fails with PROTEA_ERR_DIVERGED saying why and what to try. */
protea_status protea_health_verdict(const protea_health *h, int64_t step);

/* A step is done; update: whether it may change the weights, that is whether the loss and the gradients' norm are
 * finite. why: what the method says of a bad step, or "". Fails with PROTEA_ERR_DIVERGED at the fifth bad step in a row. */
protea_status protea_health_step(protea_health *h, double loss, double gradient_norm, int64_t step, const char *why, bool *update);

#endif
