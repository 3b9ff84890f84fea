/* Choosing among the instruction sets that Winograd's passes were compiled for (isa.cmake). */
#include "backend/cpu/winograd.h"

#if defined(__x86_64__)

extern const protea_winograd_ops protea_winograd_ops_avx2, protea_winograd_ops_avx512, protea_winograd_ops_avx512bf16;

const protea_winograd_ops *protea_winograd_f32(protea_isa isa)
{
    if (isa == PROTEA_ISA_AVX512)
        return &protea_winograd_ops_avx512;
    return isa == PROTEA_ISA_AVX2 ? &protea_winograd_ops_avx2 : NULL;
}

const protea_winograd_ops *protea_winograd_bf16(void)
{
    return &protea_winograd_ops_avx512bf16;
}

#else

const protea_winograd_ops *protea_winograd_f32(protea_isa isa)
{
    (void)isa;
    return NULL;
}

const protea_winograd_ops *protea_winograd_bf16(void)
{
    return NULL;
}

#endif
