/* Convolutions for inference by oneDNN, with their bias, sum and activation in one pass over the result. Packed: oneDNN's
 * weights, then the bias. */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "backend/cpu/fill.h"

static protea_status find(protea_conv_plan **out, protea_backend *be, const protea_conv_dims *d, protea_conv_ending ending)
{
    protea_cpu *cpu = protea_cpu_of(be);
    return protea_conv_cache_find(out, &cpu->convs, cpu->onednn, d, PROTEA_CONV_FORWARD, &ending);
}

static float *bias_of(const protea_conv_plan *plan, void *packed)
{
    return (float *)((char *)packed + protea_conv_plan_packed(plan));
}

static protea_status fused_bytes(protea_backend *be, size_t *packed, size_t *scratch, const protea_conv_dims *d,
                                 protea_conv_ending ending)
{
    protea_conv_plan *plan;
    if (protea_cpu_widens(be, d))
        return protea_ref_conv_fused_bytes(be, packed, scratch, d, ending);
    PROTEA_TRY(find(&plan, be, d, ending));
    *packed = protea_conv_plan_packed(plan) + (size_t)d->y.c * sizeof(float);
    *scratch = protea_conv_plan_scratch(plan) - protea_conv_plan_packed(plan);
    return PROTEA_OK;
}

static protea_status fused_pack(protea_backend *be, void *packed, const float *w, const float *bias, const protea_conv_dims *d,
                                protea_conv_ending ending, void *scratch)
{
    protea_conv_plan *plan;
    if (protea_cpu_widens(be, d))
        return protea_ref_conv_fused_pack(be, packed, w, bias, d, ending, scratch);
    PROTEA_TRY(find(&plan, be, d, ending));
    memcpy(bias_of(plan, packed), bias, (size_t)d->y.c * sizeof *bias);
    return protea_conv_plan_pack(plan, packed, (float *)(uintptr_t)w, scratch);
}

static protea_status fused(protea_backend *be, void *y, const void *x, void *packed, const protea_conv_dims *d,
                           protea_conv_ending ending, void *scratch)
{
    protea_conv_plan *plan;
    if (protea_cpu_widens(be, d))
        return protea_ref_conv_fused(be, y, x, packed, d, ending, scratch);
    PROTEA_TRY(find(&plan, be, d, ending));
    return protea_conv_plan_run_packed(plan, (void *)(uintptr_t)x, packed, bias_of(plan, packed), y, scratch);
}

void protea_onednn_fill_fused(protea_kernels *k)
{
    k->conv_fused_bytes = fused_bytes;
    k->conv_fused_pack = fused_pack;
    k->conv_fused = fused;
}
