#include "backend/cpu/conv_own.h"

#include "backend/cpu/amx.h"

const char *protea_own_name(protea_conv_own own)
{
    static const char *const names[] = { [PROTEA_OWN_AMX] = "protea:amx", [PROTEA_OWN_DIRECT_BF16] = "protea:direct bf16",
                                         [PROTEA_OWN_DIRECT_F32] = "protea:direct f32",
                                         [PROTEA_OWN_F2_BF16] = "protea:F2x2 bf16", [PROTEA_OWN_F4_BF16] = "protea:F4x4 bf16",
                                         [PROTEA_OWN_F4_F32] = "protea:F4x4 f32" };
    return names[own];
}

static bool is_direct(protea_conv_own own)
{
    return own == PROTEA_OWN_DIRECT_BF16 || own == PROTEA_OWN_DIRECT_F32;
}

static bool multiplies_f32(protea_conv_own own)
{
    return own == PROTEA_OWN_DIRECT_F32 || own == PROTEA_OWN_F4_F32;
}

static const protea_winograd_ops *ops_of(const protea_cpu *cpu, protea_conv_own own)
{
    return cpu->winograd[!multiplies_f32(own)];
}

static const protea_direct_weights_ops *direct_of(const protea_cpu *cpu, protea_conv_own own)
{
    return cpu->direct_weights[!multiplies_f32(own)];
}

static int tile_of(protea_conv_own own)
{
    return own == PROTEA_OWN_F2_BF16 ? 2 : 4;
}

static bool is_blocked(const protea_conv_dims *d, int64_t lanes)
{
    return d->x.block == lanes && d->y.block == lanes;
}

bool protea_own_takes(const protea_cpu *cpu, protea_conv_own own, const protea_conv_dims *d)
{
    if (d->x.dtype != PROTEA_BF16 && !multiplies_f32(own))
        return false;
    if (is_direct(own))
        return direct_of(cpu, own) != NULL && is_blocked(d, direct_of(cpu, own)->lanes);
    return ops_of(cpu, own) != NULL && is_blocked(d, ops_of(cpu, own)->lanes) && d->kh == 3 && d->kw == 3 && d->stride == 1 &&
           d->pad == 1;
}

size_t protea_own_scratch(const protea_cpu *cpu, protea_conv_own own, const protea_conv_dims *d, protea_conv_pass pass)
{
    if (is_direct(own))
        return direct_of(cpu, own)->scratch(d);
    if (own != PROTEA_OWN_AMX)
        return ops_of(cpu, own)->scratch(d, pass, tile_of(own));
    return pass == PROTEA_CONV_BACKWARD_WEIGHTS ? protea_amx_backward_weights_scratch(d) : protea_amx_conv_scratch(d, pass);
}

void protea_own_forward(const protea_cpu *cpu, protea_conv_own own, void *y, const void *x, const float *w,
                        const protea_conv_dims *d, void *scratch)
{
    if (own == PROTEA_OWN_AMX)
        protea_amx_conv_forward(y, x, w, d, scratch);
    else
        ops_of(cpu, own)->forward(y, x, w, d, tile_of(own), scratch);
}

void protea_own_backward_data(const protea_cpu *cpu, protea_conv_own own, void *dx, const void *dy, const float *w,
                              const protea_conv_dims *d, void *scratch)
{
    if (own == PROTEA_OWN_AMX)
        protea_amx_conv_backward_data(dx, dy, w, d, scratch);
    else
        ops_of(cpu, own)->backward_data(dx, dy, w, d, tile_of(own), scratch);
}

void protea_own_backward_weights(const protea_cpu *cpu, protea_conv_own own, float *dw, const void *dy, const void *x,
                                 const protea_conv_dims *d, void *scratch)
{
    if (own == PROTEA_OWN_AMX)
        protea_amx_backward_weights(dw, dy, x, d, scratch);
    else if (is_direct(own))
        direct_of(cpu, own)->backward_weights(dw, dy, x, d, scratch);
    else
        ops_of(cpu, own)->backward_weights(dw, dy, x, d, tile_of(own), scratch);
}

size_t protea_own_packed(const protea_cpu *cpu, protea_conv_own own, const protea_conv_dims *d)
{
    return ops_of(cpu, own)->packed(d, tile_of(own));
}

void protea_own_pack(const protea_cpu *cpu, protea_conv_own own, void *packed, const float *w, const protea_conv_dims *d)
{
    ops_of(cpu, own)->pack(packed, w, d, tile_of(own));
}

void protea_own_fused(const protea_cpu *cpu, protea_conv_own own, void *y, const void *x, const void *packed, const float *bias,
                      const protea_conv_dims *d, protea_conv_ending ending, void *scratch)
{
    ops_of(cpu, own)->fused(y, x, packed, bias, d, ending, tile_of(own), scratch);
}
