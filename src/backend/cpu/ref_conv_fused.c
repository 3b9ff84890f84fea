/* Convolution for inference by the table's own convolution and batch-norm: what the reference does, and any back-end where it
 * has nothing better. Packed: weights, bias, then as many ones, all f32. Scratch: the convolution's, then its sums. */
#include <string.h>

#include "backend/cpu/fill.h"

static size_t lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static size_t weight_count(const protea_conv_dims *d)
{
    return (size_t)(d->y.c * d->x.c * d->kh * d->kw);
}

protea_status protea_ref_conv_fused_bytes(protea_backend *be, size_t *packed, size_t *scratch, const protea_conv_dims *d,
                                          protea_conv_ending ending)
{
    size_t own;
    (void)ending;
    PROTEA_TRY(be->k.conv_scratch(be, &own, d, PROTEA_CONV_FORWARD));
    *packed = (weight_count(d) + 2 * (size_t)d->y.c) * sizeof(float);
    *scratch = lines(own) + (size_t)(d->y.n * d->y.c * d->y.h * d->y.w) * protea_dtype_bytes(d->y.dtype);
    return PROTEA_OK;
}

protea_status protea_ref_conv_fused_pack(protea_backend *be, void *packed, const float *w, const float *bias,
                                         const protea_conv_dims *d, protea_conv_ending ending, void *scratch)
{
    (void)be, (void)ending, (void)scratch;
    float *to = packed, *ones = to + weight_count(d) + d->y.c;
    memcpy(to, w, weight_count(d) * sizeof *to);
    memcpy(to + weight_count(d), bias, (size_t)d->y.c * sizeof *to);
    for (int64_t o = 0; o < d->y.c; o++)
        ones[o] = 1;
    return PROTEA_OK;
}

protea_status protea_ref_conv_fused(protea_backend *be, void *y, const void *x, void *packed, const protea_conv_dims *d,
                                    protea_conv_ending ending, void *scratch)
{
    const float *w = packed, *bias = w + weight_count(d), *ones = bias + d->y.c;
    const protea_groups all = { 1, d->y.n };
    size_t own;
    PROTEA_TRY(be->k.conv_scratch(be, &own, d, PROTEA_CONV_FORWARD));
    void *sums = (char *)scratch + lines(own);
    PROTEA_TRY(be->k.conv_forward(be, sums, x, w, d, scratch));
    be->k.bn_apply(be, y, sums, ending.add ? y : NULL, ones, bias, &d->y, &all, ending.act);
    return PROTEA_OK;
}

void protea_ref_fill_conv_fused(protea_kernels *k)
{
    k->conv_fused_bytes = protea_ref_conv_fused_bytes;
    k->conv_fused_pack = protea_ref_conv_fused_pack;
    k->conv_fused = protea_ref_conv_fused;
}
