#include "base/clock.h"

#include <time.h>

static double seconds_on(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double protea_seconds(void)
{
    return seconds_on(CLOCK_MONOTONIC);
}

double protea_core_seconds(void)
{
    return seconds_on(CLOCK_THREAD_CPUTIME_ID);
}
