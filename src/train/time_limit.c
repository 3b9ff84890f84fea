#include "train/time_limit.h"

#include <math.h>

#include "base/clock.h"
#include "train/train_step.h"

enum { WARM_STEPS = 2, TIMED_STEPS = 8 };
static const double usable = 0.97;      /* of the limit: the rest is for the last save and the report */
static const double timed_share = 0.05; /* of the limit, that timing may take */

static double limit_seconds(const protea_trainer *t)
{
    return usable * 60 * t->opts->max_minutes;
}

/* Seconds of an epoch's begin, which may read batches, too. */
static protea_status time_begin(protea_train_state *s, double *seconds)
{
    double started = protea_seconds();
    PROTEA_TRY(protea_loader_start(s->loader, 0, 0));
    if (s->t->ops->epoch_begin != NULL)
        PROTEA_TRY(s->t->ops->epoch_begin(s->t->cx, s->method, &s->now));
    *seconds = protea_seconds() - started;
    return protea_loader_start(s->loader, 0, 0);
}

/* Seconds of a step, batch included. */
static protea_status time_steps(protea_train_state *s, double *seconds)
{
    protea_health health = protea_health_start(s->t->ops, s->method);
    double started = protea_seconds(), first = started, budget = timed_share * limit_seconds(s->t);
    int64_t timed = 0;
    for (int64_t i = 0; i < WARM_STEPS + TIMED_STEPS && (i <= 1 || protea_seconds() - started < budget); i++) {
        const protea_batch *batch;
        protea_step_out out;
        PROTEA_TRY(protea_loader_next(s->loader, &batch));
        if (batch == NULL)
            break;
        if (i <= WARM_STEPS) { /* kernels are made and caches filled in the first ones */
            first = protea_seconds();
            timed = 0;
        }
        PROTEA_TRY(protea_train_step(s, batch, &health, &out));
        timed++;
    }
    *seconds = (protea_seconds() - first) / (double)(timed > 0 ? timed : 1);
    return PROTEA_OK;
}

protea_status protea_time_limit_measure(const protea_trainer *t, double started, int64_t *steps)
{
    protea_train_state s;
    double seconds = 0, begin = 0;
    protea_status status = protea_train_state_open(&s, t, 0);
    if (status == PROTEA_OK)
        status = protea_train_state_plan(&s);
    if (status == PROTEA_OK)
        status = time_begin(&s, &begin);
    if (status == PROTEA_OK)
        status = time_steps(&s, &seconds);
    int64_t most = s.total_steps, per_epoch = s.now.steps_per_epoch;
    protea_train_state_close(&s);
    PROTEA_TRY(status);
    double fit = (limit_seconds(t) - (protea_seconds() - started) - begin) / seconds; /* the run begins its epoch again */
    *steps = fit < 1 ? 1 : fit < (double)most ? (int64_t)fit : most;
    protea_log(t->cx, PROTEA_LOG_INFO, "time limit: a step takes %.3f s, so %lld steps (%.1f epochs) of %lld", seconds,
               (long long)*steps, (double)*steps / (double)per_epoch, (long long)most);
    return PROTEA_OK;
}

void protea_time_limit_follow(protea_train_state *s, int64_t done, double seconds, double used)
{
    if (s->t->opts->max_minutes <= 0 || done < WARM_STEPS + TIMED_STEPS)
        return;
    double left = (limit_seconds(s->t) - used) / (seconds / (double)done);
    int64_t asked = s->t->opts->epochs * s->now.steps_per_epoch;
    int64_t steps = s->now.step + (left > 0 ? (int64_t)fmin(left, (double)asked) : 0);
    protea_train_state_set_total(s, steps < asked ? steps : asked);
}
