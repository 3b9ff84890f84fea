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

#endif
