/* Optimisers and learning-rate schedules. State is one tensor (or two) per parameter, visited like any other buffer. */
#ifndef PROTEA_OPTIM_OPTIM_H
#define PROTEA_OPTIM_OPTIM_H

#include <protea/options.h>

#include "nn/module.h"

typedef struct protea_optim_opts {
    int32_t optimizer;      /* choice of "sgd|larc|lars|adam" (larc: SGD inside LARC, as SwAV) */
    double lr, momentum, wd;
    double beta1, beta2, adam_eps;
    double trust;           /* 0: the optimiser's own, LARC 1e-3, LARS 0.02 */
    int32_t exclude_1d;     /* LARS: parameters marked no_decay (1-D, biases) take plain SGD without decay */
} protea_optim_opts;
enum { PROTEA_OPTIM_SGD, PROTEA_OPTIM_LARC, PROTEA_OPTIM_LARS, PROTEA_OPTIM_ADAM };
extern const protea_opt protea_optim_table[];

typedef struct protea_optim protea_optim;
/* visit_all names every parameter the optimiser will own, each time in the same order; self is borrowed for good. */
typedef protea_status (*protea_visit_fn)(void *self, const protea_visitor *v);
protea_status protea_optim_new(protea_optim **out, const protea_optim_opts *opts, protea_visit_fn visit_all, void *self);
void protea_optim_free(protea_optim *optim);
/* One update at learning rate lr, p the parameter, g its gradient; sums in double over a fixed partition:
 *   sgd   g += wd p;  v = momentum v + g;  p -= lr v                                  (as PyTorch)
 *   larc  g = a (g + wd p), a = trust |p| / (|g| + wd |p| + 1e-8); v, p as sgd without wd. No parameter is excluded.
 *         Where |p| or |g| is 0, g stays as it is: neither scaled nor decayed         (as NVIDIA apex, clip off)
 *   lars  as larc, but parameters with no_decay take v, p as sgd with the bare g, if exclude_1d (as solo-learn)
 *   adam  g += wd p;  Kingma & Ba 2015, arXiv:1412.6980, algorithm 1                  (as PyTorch)
 * Parameters with frozen set are skipped altogether (their Adam count rests too); fixed_lr ones use opts.lr.
 * Gradients are left as they are. Errors: PROTEA_ERR_INTERNAL when the parameters are not those of protea_optim_new. */
protea_status protea_optim_step(protea_ctx *cx, protea_optim *optim, double lr);
protea_status protea_zero_all_gradients(protea_visit_fn visit_all, void *self);
/* State as buffers: optimizer.momentum.NAME, or for Adam optimizer.m.NAME, optimizer.v.NAME and optimizer.step.NAME (2),
 * updates so far of this parameter as high * 2^24 + low, both exact in f32. */
protea_status protea_optim_visit(protea_optim *optim, const protea_visitor *v);

/* What the learning rate does after its warm-up. */
typedef enum protea_lr_shape { PROTEA_LR_COSINE, PROTEA_LR_COSINE_EPOCH, PROTEA_LR_STEPS, PROTEA_LR_CONSTANT } protea_lr_shape;

typedef struct protea_schedule {
    double start, base, final;   /* warm-up start, base, final learning rate */
    int64_t warmup_steps, total_steps;
    protea_lr_shape shape;
    int64_t steps_per_epoch;     /* COSINE_EPOCH, STEPS */
    protea_list milestones;      /* STEPS: epochs, from 0, that begin with a lower rate than the one before */
    double gamma;                /* STEPS: what a milestone multiplies the rate by; 0: a tenth */
} protea_schedule;
/* Warm-up is linspace(start, base, warmup_steps), base at its last step; a warm-up of one step is at start. Then, by shape:
 *   COSINE        final + (base - final)/2 (1 + cos(pi t / T)), t = 0..T-1, T = total - warmup (as SwAV's table: base comes
 *                 twice in a row, final never); steps past the end are at final
 *   COSINE_EPOCH  the same at the first step of each epoch, then constant to its end (as MoCo's and SimSiam's code)
 *   STEPS         base, gamma times it from the first milestone on, gamma^2 from the second (as MoCo v1's code)
 *   CONSTANT      base */
double protea_schedule_lr(const protea_schedule *s, int64_t step);

#endif
