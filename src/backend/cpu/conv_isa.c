/* Choosing among the instruction sets that our own convolutions were compiled for (isa.cmake). */
#include "backend/cpu/direct_weights.h"
#include "backend/cpu/weight_tiles.h"
#include "backend/cpu/winograd.h"

#if defined(__x86_64__)

extern const protea_winograd_ops protea_winograd_ops_avx2, protea_winograd_ops_avx512, protea_winograd_ops_avx512bf16;
extern const protea_direct_weights_ops protea_direct_weights_avx512, protea_direct_weights_avx512bf16;
extern const protea_weight_tiles_ops protea_weight_tiles_avx2, protea_weight_tiles_avx512, protea_weight_tiles_avx512bf16;

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

const protea_direct_weights_ops *protea_direct_weights_f32(protea_isa isa)
{
    return isa == PROTEA_ISA_AVX512 ? &protea_direct_weights_avx512 : NULL;
}

const protea_direct_weights_ops *protea_direct_weights_bf16(void)
{
    return &protea_direct_weights_avx512bf16;
}

const protea_weight_tiles_ops *protea_weight_tiles_of(protea_isa isa, bool rounding)
{
    if (isa == PROTEA_ISA_AVX512)
        return rounding ? &protea_weight_tiles_avx512bf16 : &protea_weight_tiles_avx512;
    return isa == PROTEA_ISA_AVX2 ? &protea_weight_tiles_avx2 : NULL;
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

const protea_direct_weights_ops *protea_direct_weights_f32(protea_isa isa)
{
    (void)isa;
    return NULL;
}

const protea_direct_weights_ops *protea_direct_weights_bf16(void)
{
    return NULL;
}

const protea_weight_tiles_ops *protea_weight_tiles_of(protea_isa isa, bool rounding)
{
    (void)isa;
    (void)rounding;
    return NULL;
}

#endif
