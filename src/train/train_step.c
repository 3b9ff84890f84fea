#include "train/train_step.h"

#include <math.h>
#include <stdio.h>

#include "comm/comm.h"

typedef struct gradient_walk {
    protea_comm *comm;
    double square; /* sum of squares of all gradients */
} gradient_walk;

/* Sum of squares over a partition that does not depend on the threads. */
static double square_sum(const float *g, int64_t n)
{
    enum { PARTS = 64 };
    double part[PARTS], sum = 0;
#pragma omp parallel for schedule(static)
    for (int p = 0; p < PARTS; p++) {
        double partial = 0;
        for (int64_t i = n * p / PARTS; i < n * (p + 1) / PARTS; i++)
            partial += (double)g[i] * g[i];
        part[p] = partial;
    }
    for (int p = 0; p < PARTS; p++)
        sum += part[p];
    return sum;
}

static protea_status mean_over_ranks(protea_comm *comm, protea_param *p)
{
    size_t n = (size_t)protea_count(&p->dw);
    float *g = protea_f32(&p->dw);
    if (comm->size == 1)
        return PROTEA_OK;
    PROTEA_TRY(comm->sum_f32(comm, g, n));
    for (size_t i = 0; i < n; i++)
        g[i] /= (float)comm->size;
    return PROTEA_OK;
}

static protea_status finish_gradient(void *self, const char *name, protea_param *p)
{
    (void)name;
    gradient_walk *walk = self;
    PROTEA_TRY(mean_over_ranks(walk->comm, p));
    walk->square += square_sum(protea_f32(&p->dw), protea_count(&p->dw));
    return PROTEA_OK;
}

static protea_status finish_gradients(protea_train_state *s, double *norm)
{
    gradient_walk walk = { .comm = s->t->cx->comm };
    protea_visitor v = { .param = finish_gradient, .self = &walk };
    PROTEA_TRY(protea_train_state_visit(s, &v));
    *norm = sqrt(walk.square);
    return PROTEA_OK;
}

enum { WHY = 256 };

/* The method's step; that it met numbers that are not finite is no failure yet, but a bad step, and why says it. */
static protea_status forward_and_backward(protea_train_state *s, const protea_batch *batch, protea_step_out *out, char why[WHY])
{
    protea_ctx *cx = s->t->cx;
    protea_arena_release(cx->kept, 0);
    protea_arena_release(cx->scratch, 0);
    PROTEA_TRY(protea_zero_all_gradients(protea_train_state_visit, s));
    *out = (protea_step_out){ 0 };
    protea_status status = s->t->ops->step(cx, s->method, batch, &s->now, out);
    if (status != PROTEA_ERR_DIVERGED)
        return status;
    snprintf(why, WHY, "%s", protea_last_error());
    out->loss = (double)NAN;
    return PROTEA_OK;
}

static void tell_bad_step(const protea_train_state *s, const protea_step_out *out, double norm, const char *why)
{
    long long step = (long long)s->now.step + 1;
    if (*why != 0)
        protea_log(s->t->cx, PROTEA_LOG_WARN, "step %lld: %s; the update is left out", step, why);
    else
        protea_log(s->t->cx, PROTEA_LOG_WARN, "step %lld: loss %g, gradient norm %g: not finite, the update is left out", step,
                   out->loss, norm);
}

protea_status protea_train_step(protea_train_state *s, const protea_batch *batch, protea_health *health, protea_step_out *out)
{
    protea_ctx *cx = s->t->cx;
    double norm = 0;
    bool update;
    char why[WHY] = "";
    PROTEA_TRY(forward_and_backward(s, batch, out, why));
    PROTEA_TRY(finish_gradients(s, &norm));
    if (out->n_metrics < PROTEA_MAX_METRICS)
        out->metric[out->n_metrics++] = (protea_metric){ "grad_norm", norm };
    PROTEA_TRY(protea_health_step(health, out->loss, norm, s->now.step + 1, why, &update));
    if (update) {
        PROTEA_TRY(protea_optim_step(cx, s->optim, protea_schedule_lr(&s->schedule, s->now.step)));
        if (s->t->ops->after_update != NULL)
            PROTEA_TRY(s->t->ops->after_update(cx, s->method, &s->now));
    } else {
        tell_bad_step(s, out, norm, why);
        out->loss = (double)NAN;
    }
    protea_train_state_move(s, s->now.step + 1);
    return PROTEA_OK;
}
