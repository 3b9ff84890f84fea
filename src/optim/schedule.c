/* Learning rate per step: linear warm-up, then half a cosine (as in SwAV's code; Loshchilov & Hutter 2017,
 * arXiv:1608.03983, eq. 5 without restarts), the same by epochs, or steps down. */
#include <math.h>

#include "optim/optim.h"

static const double PI = 3.14159265358979323846;

static double warmup_lr(const protea_schedule *s, int64_t step)
{
    if (s->warmup_steps == 1)
        return s->start;
    return s->start + (s->base - s->start) * (double)step / (double)(s->warmup_steps - 1);
}

static double cosine_lr(const protea_schedule *s, int64_t step)
{
    int64_t length = s->total_steps - s->warmup_steps, done = step - s->warmup_steps;
    if (step >= s->total_steps)
        return s->final;
    double t = (double)(done > 0 ? done : 0) / (double)length;
    return s->final + 0.5 * (s->base - s->final) * (1 + cos(PI * t));
}

static double stepped_lr(const protea_schedule *s, int64_t epoch)
{
    double lr = s->base;
    for (int i = 0; i < s->milestones.n; i++)
        if ((double)epoch >= s->milestones.v[i])
            lr *= s->gamma > 0 ? s->gamma : 0.1;
    return lr;
}

double protea_schedule_lr(const protea_schedule *s, int64_t step)
{
    if (step < s->warmup_steps)
        return warmup_lr(s, step);
    switch (s->shape) {
    case PROTEA_LR_COSINE_EPOCH: return cosine_lr(s, step / s->steps_per_epoch * s->steps_per_epoch);
    case PROTEA_LR_STEPS: return stepped_lr(s, step / s->steps_per_epoch);
    case PROTEA_LR_CONSTANT: return s->base;
    case PROTEA_LR_COSINE: break;
    }
    return cosine_lr(s, step);
}
