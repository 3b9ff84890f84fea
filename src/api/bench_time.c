/* Timing: steps, their median and their spread. */
#include <math.h>
#include <stdlib.h>

#include "api/bench.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static protea_status run_steps(double *times, const protea_bench *b, protea_status (*step)(void *self), void *self)
{
    PROTEA_TRY(step(self));
    for (int64_t i = 0; i < b->steps; i++) {
        double started = b->clock();
        PROTEA_TRY(step(self));
        times[i] = b->clock() - started;
        if (b->hooks->stop != NULL && *b->hooks->stop)
            return PROTEA_STOPPED;
    }
    return PROTEA_OK;
}

double protea_bench_median(double *x, int64_t n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

double protea_bench_settle(const protea_bench *b, double *times)
{
    double median = protea_bench_median(times, b->steps);
    b->spread->fastest = times[0];
    for (int64_t i = 0; i < b->steps; i++)
        times[i] = fabs(times[i] - median);
    double spread = protea_bench_median(times, b->steps) / median;
    b->spread->sum += spread;
    b->spread->worst = fmax(b->spread->worst, spread);
    b->spread->n++;
    return median;
}

protea_status protea_bench_time(double *seconds, const protea_bench *b, protea_status (*step)(void *self), void *self)
{
    double *times; /* (steps) */
    PROTEA_TRY(protea_new(&times, (size_t)b->steps, sizeof *times, "times of steps"));
    protea_status status = run_steps(times, b, step, self);
    if (status == PROTEA_OK)
        *seconds = protea_bench_settle(b, times);
    protea_free(times);
    return status;
}
