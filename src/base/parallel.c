#include "base/parallel.h"

#include <sched.h>
#include <stdio.h>
#ifdef _OPENMP
#include <omp.h>
#else /* a compiler without OpenMP runs everything on one thread */
static int omp_get_max_threads(void) { return 1; }
static int omp_get_thread_num(void) { return 0; }
static void omp_set_num_threads(int n) { (void)n; }
#endif

/* Whole processors that the cgroup (v2) grants, or a large number where it does not say. */
static int cgroup_cpus(void)
{
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    double quota, period;
    int n = 1 << 20;
    if (f == NULL)
        return n;
    if (fscanf(f, "%lf %lf", &quota, &period) == 2 && period > 0 && quota >= period)
        n = (int)(quota / period);
    fclose(f);
    return n;
}

int protea_cpu_count(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int quota = cgroup_cpus();
    n = n < quota ? n : quota;
    return n < 1 ? 1 : n;
}

int protea_threads(void)
{
    return omp_get_max_threads();
}

void protea_set_threads(int n)
{
    omp_set_num_threads(n < 1 ? 1 : n);
}

int protea_thread_index(void)
{
    return omp_get_thread_num();
}
