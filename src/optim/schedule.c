/* Learning rate per step: linear warm-up, then half a cosine (methods.md's SwAV schedule, Loshchilov & Hutter 2017,
 * arXiv:1608.03983, eq. 5 without restarts). */
#include <math.h>

#include "optim/optim.h"

static const double PI = 3.14159265358979323846;

static double warmup_lr(const protea_schedule *s, int64_t step)
{
    if (s->warmup_steps == 1)
        return s->start;
    return s->start + (s->base - s->start) * (double)step / (double)(s->warmup_steps - 1);
}

double protea_schedule_lr(const protea_schedule *s, int64_t step)
{
    if (step < s->warmup_steps)
        return warmup_lr(s, step);
    int64_t length = s->total_steps - s->warmup_steps;
    if (step >= s->total_steps)
        return s->final;
    double t = (double)(step - s->warmup_steps) / (double)length;
    return s->final + 0.5 * (s->base - s->final) * (1 + cos(PI * t));
}
