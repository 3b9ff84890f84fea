#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#ifdef _OPENMP
#include <omp.h>
#else /* a compiler without OpenMP runs everything on one thread */
static int omp_get_max_threads(void) { return 1; }
static int omp_get_thread_num(void) { return 0; }
static void omp_set_num_threads(int n) { (void)n; }
#endif

#include "base/alloc.h"

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

static void *pass_gate(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* Makes n threads, all of them there at once, and lets them end. Returns how many there could be. */
static int try_threads(pthread_t *thread, int n)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int made = 0;
    pthread_mutex_lock(&gate);
    while (made < n && pthread_create(&thread[made], NULL, pass_gate, &gate) == 0)
        made++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < made; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&gate);
    return made;
}

static void meet(void)
{
    atomic_int met = 0;
#pragma omp parallel
    atomic_fetch_add(&met, 1);
}

protea_status protea_start_threads(int n)
{
    enum { ROOM = 1 << 20 }; /* what OpenMP allocates for itself is far less */
    pthread_t *thread;
    protea_set_threads(n);
    int others = protea_threads() - 1;
    PROTEA_TRY(protea_new(&thread, (size_t)others, sizeof *thread, "compute threads"));
    int made = try_threads(thread, others);
    protea_free(thread);
    if (made < others)
        return protea_fail(PROTEA_ERR_MEMORY, "compute thread %d of %d (--threads) could not be had", made + 2, others + 1);
    PROTEA_TRY(protea_make_sure(ROOM, "compute threads"));
    meet();
    return PROTEA_OK;
}

int protea_thread_index(void)
{
    return omp_get_thread_num();
}
