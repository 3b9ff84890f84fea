/* Winograd's passes on this instruction set, together. */
#include "backend/cpu/winograd_parts.h"

extern const protea_winograd_ops SIMD_NAME(protea_winograd_ops);

static size_t scratch(const protea_conv_dims *d, protea_conv_pass pass, int tile)
{
    if (pass == PROTEA_CONV_BACKWARD_WEIGHTS)
        return SIMD_NAME(protea_winograd_weights_scratch)(d, tile);
    return SIMD_NAME(protea_winograd_scratch)(d, pass, tile);
}

const protea_winograd_ops SIMD_NAME(protea_winograd_ops) = {
    .lanes = LANES,
    .scratch = scratch,
    .forward = SIMD_NAME(protea_winograd_forward),
    .backward_data = SIMD_NAME(protea_winograd_backward_data),
    .backward_weights = SIMD_NAME(protea_winograd_backward_weights),
    .packed = SIMD_NAME(protea_winograd_packed),
    .pack = SIMD_NAME(protea_winograd_pack),
    .fused = SIMD_NAME(protea_winograd_fused),
};
