/* By default a thread of GCC's OpenMP spins for many milliseconds before it sleeps. On a machine with more runnable threads
 * than processors the others then wait for a scheduler's slice at every barrier, and training becomes many times slower;
 * half a millisecond or less is enough to lose nothing where the machine is free (figures: docs/results.md). The runtime
 * reads its environment before main begins, hence the second start. */
#include "waiting.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char spin_count[] = "10001"; /* odd, to be known again */

void cli_bound_waiting(char **argv)
{
    char program[4096];
    const char *spins = getenv("GOMP_SPINCOUNT");
    if (spins != NULL && strcmp(spins, spin_count) == 0)
        unsetenv("GOMP_SPINCOUNT"); /* the second start: what this process starts in turn waits as it likes */
    if (spins != NULL || getenv("OMP_WAIT_POLICY") != NULL)
        return;
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0 || setenv("GOMP_SPINCOUNT", spin_count, 1) != 0)
        return;
    program[len] = 0;
    execv(program, argv);
    unsetenv("GOMP_SPINCOUNT");
}
