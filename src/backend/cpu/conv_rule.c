#include "backend/cpu/conv_rule.h"

#include "backend/cpu/amx.h"

enum { IMAGE_CHANNELS = 8 }; /* maps with fewer are images: planes, which oneDNN's stems read */

int64_t protea_block_rule(protea_dtype dtype, int64_t c, const protea_onednn_isa *isa)
{
    if ((dtype == PROTEA_BF16 && isa->amx) || !isa->avx2) /* without AVX2 only its matrix products are fast: NHWC */
        return c;
    if (c < IMAGE_CHANNELS)
        return 1;
    if (isa->avx512)
        return c % 16 == 0 ? 16 : c;
    return c % 8 == 0 ? 8 : c;
}

protea_conv_algorithm protea_conv_rule(const protea_conv_dims *d, protea_conv_pass pass, const protea_onednn_isa *isa)
{
    if (pass == PROTEA_CONV_BACKWARD_WEIGHTS && isa->amx && protea_amx_backward_weights_takes(d))
        return PROTEA_CONV_AMX;
    if (pass != PROTEA_CONV_BACKWARD_WEIGHTS && isa->amx && protea_amx_conv_takes(d))
        return PROTEA_CONV_AMX;
    bool winograd = isa->avx512 && d->x.dtype == PROTEA_F32 && d->kh == 3 && d->kw == 3 && d->stride == 1 &&
                    d->pad == 1 && d->x.block == 16 && d->y.block == 16;
    return winograd ? PROTEA_CONV_WINOGRAD : PROTEA_CONV_DIRECT;
}
