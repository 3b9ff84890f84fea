/* Choosing among the instruction sets that the kernels over pixels were compiled for. */
#include "image/pixels.h"

#define DECLARE(suffix)                                         \
    extern const protea_resize_ops protea_resize_##suffix;      \
    extern const protea_colour_ops protea_colour_##suffix;      \
    extern protea_box_fn protea_box_##suffix;
#define TABLE(suffix) { &protea_resize_##suffix, protea_box_##suffix, &protea_colour_##suffix }

DECLARE(ref)
DECLARE(base)
static const protea_pixel_ops ref = TABLE(ref), base = TABLE(base);

#if defined(__x86_64__)

DECLARE(avx2)
DECLARE(avx512)
static const protea_pixel_ops avx2 = TABLE(avx2), avx512 = TABLE(avx512);

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

const protea_pixel_ops *protea_pixels_up_to(protea_isa most)
{
    if (most == PROTEA_ISA_REF)
        return &ref;
    if ((most == PROTEA_ISA_BEST || most >= PROTEA_ISA_AVX512) && has_avx512())
        return &avx512;
    if ((most == PROTEA_ISA_BEST || most >= PROTEA_ISA_AVX2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &avx2;
    return &base;
}

#else

const protea_pixel_ops *protea_pixels_up_to(protea_isa most)
{
    return most == PROTEA_ISA_REF ? &ref : &base;
}

#endif
