/* Runs a group of tests once for each instruction set that this machine has, each in a process of its own: oneDNN settles
 * its instruction set once per process. Include after cmocka.h. */
#ifndef TESTS_KERNEL_PER_ISA_H
#define TESTS_KERNEL_PER_ISA_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/kernels.h"

static protea_backend *fast, *reference;
static protea_isa tested_isa;

static inline int machine_has(protea_isa isa)
{
#if defined(__x86_64__)
    switch (isa) {
    case PROTEA_ISA_AVX512: return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    case PROTEA_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case PROTEA_ISA_SSE2:
    case PROTEA_ISA_BEST:
    case PROTEA_ISA_REF: return 1;
    }
#endif
    return isa == PROTEA_ISA_BEST;
}

static inline int open_backends(void **state)
{
    (void)state;
    return protea_backend_cpu_open(&fast, tested_isa) != PROTEA_OK ||
           protea_backend_cpu_open(&reference, PROTEA_ISA_REF) != PROTEA_OK;
}

static inline int close_backends(void **state)
{
    (void)state;
    protea_backend_close(fast);
    protea_backend_close(reference);
    return 0;
}

/* In a child. Whether what runs under this limit is what ran without one (best, shared by the children). */
static inline bool same_as_best(char *best, size_t size)
{
    char isa[sizeof fast->isa];
    open_backends(NULL);
    snprintf(isa, sizeof isa, "%s", fast->isa);
    close_backends(NULL);
    if (tested_isa == PROTEA_ISA_BEST)
        snprintf(best, size, "%s", isa);
    return tested_isa != PROTEA_ISA_BEST && strcmp(best, isa) == 0;
}

/* main's body: 0 when the group passed on every instruction set. */
static inline int run_per_isa(int (*group)(void))
{
    static const protea_isa isas[] = { PROTEA_ISA_BEST, PROTEA_ISA_AVX512, PROTEA_ISA_AVX2, PROTEA_ISA_SSE2 };
    enum { SIZE = sizeof fast->isa };
    char *best = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int failed = best == MAP_FAILED, status;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        if (!machine_has(isas[i]))
            continue;
        tested_isa = isas[i];
        printf("instruction set %d of enum protea_isa:\n", (int)isas[i]);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            int bad = !same_as_best(best, SIZE) && group() != 0;
            fflush(stdout);
            _exit(bad);
        }
        failed |= child < 0 || waitpid(child, &status, 0) != child || status != 0;
    }
    return failed;
}

#endif
