/* The instruction set a test opens its back-end with: the best, or what the environment variable PROTEA_TEST_ISA says
 * (tests/CMakeLists.txt runs the kernel, gradient and oracle tests a second time as on a machine without AVX-512). */
#ifndef PROTEA_TESTS_ISA_H
#define PROTEA_TESTS_ISA_H

#include <stdlib.h>
#include <string.h>

#include "backend/kernels.h"

static inline protea_isa test_isa(void)
{
    const char *text = getenv("PROTEA_TEST_ISA");
    return text && strcmp(text, "avx2") == 0 ? PROTEA_ISA_AVX2 : PROTEA_ISA_BEST;
}

/* Whether it multiplies bf16; what trains in bf16 is skipped where it does not. */
static inline bool test_has_bf16(void)
{
    protea_backend *be;
    if (protea_backend_cpu_open(&be, test_isa()) != PROTEA_OK)
        return false;
    bool has = be->bf16_multiplies;
    protea_backend_close(be);
    return has;
}

#endif
