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

/* bf16 on AMX, NHWC. Milliseconds of oneDNN 2.6.3 / of our kernels, medians, 2 cores of a Xeon with AMX at 2.6 GHz,
 * 512 samples (weights packed, gradients added, all counted):
 *
 *                       forward        backward-data    backward-weights
 *   64 ->  64 @32 3x3   15.7 / 17.9    17.7 / 24.9      27.5 / 20.9
 *   64 -> 128 @32 3x3/2  9.2 / 11.0    25.6 / 10.7      36.2 / 17.7
 *   64 -> 128 @32 1x1/2  2.7 /  6.4    10.9 /  7.4      17.1 /  6.0
 *  128 -> 128 @16 3x3   12.9 / 13.8    17.1 / 16.1      32.7 / 14.2
 *  128 -> 256 @16 3x3/2 12.6 /  7.4    24.0 /  8.2      49.5 / 11.2
 *  128 -> 256 @16 1x1/2  1.5 /  2.4     6.7 /  3.8      16.9 /  3.4
 *  256 -> 256 @8  3x3   12.1 / 10.4    18.6 / 11.9      44.0 / 12.0
 *  256 -> 512 @8  3x3/2 17.8 /  6.7    41.9 /  6.5     100.8 / 10.0
 *  256 -> 512 @8  1x1/2  1.1 /  1.7     5.4 /  1.7      22.7 /  2.5
 *  512 -> 512 @4  3x3   40.3 /  8.8    57.9 /  9.1     127.9 / 12.3
 *  512 -> 512 @3  3x3   42.2 /  5.0    57.2 /  5.7           /  6.7  */
static bool amx_wins(const protea_conv_dims *d, protea_conv_pass pass)
{
    switch (pass) {
    case PROTEA_CONV_FORWARD:
        return d->kh > 1 && d->y.c >= 256 && protea_amx_conv_takes(d);
    case PROTEA_CONV_BACKWARD_DATA:
        return (d->stride > 1 || d->x.c >= 128) && protea_amx_conv_takes(d);
    case PROTEA_CONV_BACKWARD_WEIGHTS:
        return protea_amx_backward_weights_takes(d);
    }
    return false;
}

/* f32 on AVX-512: Winograd F(4x4,3x3) has a quarter of the products and beats direct on every 3x3 of stride 1 with blocks
 * of 16 channels, all passes (1.3 to 2.5 times on a Zen 4 with 2 cores, batch 128: 242, 234, 273 ms for ResNet-18's against
 * 612, 615, 776); a stem of 3 channels is four times slower with it. */
protea_conv_algorithm protea_conv_rule(const protea_conv_dims *d, protea_conv_pass pass, const protea_onednn_isa *isa)
{
    if (isa->amx && amx_wins(d, pass))
        return PROTEA_CONV_AMX;
    bool winograd = isa->avx512 && d->x.dtype == PROTEA_F32 && d->kh == 3 && d->kw == 3 && d->stride == 1 &&
                    d->pad == 1 && d->x.block == 16 && d->y.block == 16;
    return winograd ? PROTEA_CONV_WINOGRAD : PROTEA_CONV_DIRECT;
}
