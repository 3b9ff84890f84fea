/* Optimisers and learning-rate schedules. State is one tensor (or two) per parameter, visited like any other buffer. */
#ifndef PROTEA_OPTIM_OPTIM_H
#define PROTEA_OPTIM_OPTIM_H

#include <protea/options.h>

#include "nn/module.h"

typedef struct protea_optim_opts {
    int32_t optimizer;      /* choice of "sgd|larc|lars|adam" (larc: SGD inside LARC, as SwAV) */
    double lr, momentum, wd;
    double beta1, beta2, adam_eps;
    double trust;           /* LARC 1e-3; LARS 0.02 */
    int32_t exclude_1d;     /* LARS: 1-D parameters take plain SGD without decay */
} protea_optim_opts;
enum { PROTEA_OPTIM_SGD, PROTEA_OPTIM_LARC, PROTEA_OPTIM_LARS, PROTEA_OPTIM_ADAM };
extern const protea_opt protea_optim_table[];

typedef struct protea_optim protea_optim;
/* visit_all names every parameter the optimiser will own, each time in the same order. */
typedef protea_status (*protea_visit_fn)(void *self, const protea_visitor *v);
protea_status protea_optim_new(protea_optim **out, const protea_optim_opts *opts, protea_visit_fn visit_all, void *self);
void protea_optim_free(protea_optim *optim);
/* One update at learning rate lr. Parameters with frozen set are skipped altogether; fixed_lr ones use opts.lr. */
protea_status protea_optim_step(protea_ctx *cx, protea_optim *optim, double lr);
protea_status protea_zero_all_gradients(protea_visit_fn visit_all, void *self);
/* State as buffers named optimizer.momentum.NAME, optimizer.m.NAME, optimizer.v.NAME, and optimizer.step (1-D f32 pairs
 * hold 64-bit counts as two 24-bit halves). */
protea_status protea_optim_visit(protea_optim *optim, const protea_visitor *v);

typedef struct protea_schedule {
    double start, base, final;   /* warm-up start, base, final learning rate */
    int64_t warmup_steps, total_steps;
} protea_schedule;
/* Warm-up is linspace(start, base, warmup_steps), base at its last step; then
 * final + (base - final)/2 (1 + cos(pi t / T)), t = 0..T-1, T = total - warmup (methods.md 0.4, SwAV). */
double protea_schedule_lr(const protea_schedule *s, int64_t step);

#endif
