/* Convolutions for inference, with their bias, sum and activation in one pass over the result: 3x3 by our own Winograd where the
 * rule of training takes it, else by oneDNN. Packed: weights as these want them, then the bias. */
#include <string.h>

#include "backend/cpu/conv_rule.h"
#include "backend/cpu/fill.h"

static protea_status find(protea_conv_plan **out, protea_backend *be, const protea_conv_dims *d, protea_conv_ending ending)
{
    protea_cpu *cpu = protea_cpu_of(be);
    return protea_conv_cache_find(out, &cpu->convs, cpu->onednn, d, PROTEA_CONV_FORWARD, &ending);
}

/* The rule's choice for a batch of usual size, whatever this one's is: what a network makes of an image does not depend on how many
 * others come with it. */
static protea_conv_own own_of(const protea_backend *be, const protea_conv_dims *d)
{
    enum { USUAL = 32 };
    protea_conv_dims usual = *d;
    usual.x.n = usual.y.n = USUAL;
    protea_conv_own own = protea_conv_rule(&usual, PROTEA_CONV_FORWARD, protea_cpu_of(be), be->winograd);
    return own == PROTEA_OWN_AMX ? PROTEA_OWN_NONE : own;
}

static float *bias_at(void *packed, size_t weight_bytes)
{
    return (float *)((char *)packed + weight_bytes);
}

static protea_status fused_bytes(protea_backend *be, size_t *packed, size_t *scratch, const protea_conv_dims *d,
                                 protea_conv_ending ending)
{
    protea_conv_plan *plan;
    const protea_cpu *cpu = protea_cpu_of(be);
    protea_conv_own own = own_of(be, d);
    size_t weights;
    if (protea_cpu_widens(be, d))
        return protea_ref_conv_fused_bytes(be, packed, scratch, d, ending);
    if (own != PROTEA_OWN_NONE) {
        weights = protea_own_packed(cpu, own, d);
        *scratch = protea_own_scratch(cpu, own, d, PROTEA_CONV_FORWARD);
    } else {
        PROTEA_TRY(find(&plan, be, d, ending));
        weights = protea_conv_plan_packed(plan);
        *scratch = protea_conv_plan_scratch(plan) - weights;
    }
    *packed = weights + (size_t)d->y.c * sizeof(float);
    return PROTEA_OK;
}

static protea_status fused_pack(protea_backend *be, void *packed, const float *w, const float *bias, const protea_conv_dims *d,
                                protea_conv_ending ending, void *scratch)
{
    protea_conv_plan *plan;
    const protea_cpu *cpu = protea_cpu_of(be);
    protea_conv_own own = own_of(be, d);
    size_t bias_bytes = (size_t)d->y.c * sizeof *bias;
    if (protea_cpu_widens(be, d))
        return protea_ref_conv_fused_pack(be, packed, w, bias, d, ending, scratch);
    if (own != PROTEA_OWN_NONE) {
        memcpy(bias_at(packed, protea_own_packed(cpu, own, d)), bias, bias_bytes);
        protea_own_pack(cpu, own, packed, w, d);
        return PROTEA_OK;
    }
    PROTEA_TRY(find(&plan, be, d, ending));
    memcpy(bias_at(packed, protea_conv_plan_packed(plan)), bias, bias_bytes);
    return protea_conv_plan_pack(plan, packed, (float *)(uintptr_t)w, scratch);
}

static protea_status fused(protea_backend *be, void *y, const void *x, void *packed, const protea_conv_dims *d,
                           protea_conv_ending ending, void *scratch)
{
    protea_conv_plan *plan;
    const protea_cpu *cpu = protea_cpu_of(be);
    protea_conv_own own = own_of(be, d);
    if (protea_cpu_widens(be, d))
        return protea_ref_conv_fused(be, y, x, packed, d, ending, scratch);
    if (own != PROTEA_OWN_NONE) {
        protea_own_fused(cpu, own, y, x, packed, bias_at(packed, protea_own_packed(cpu, own, d)), d, ending, scratch);
        return PROTEA_OK;
    }
    PROTEA_TRY(find(&plan, be, d, ending));
    return protea_conv_plan_run_packed(plan, (void *)(uintptr_t)x, packed, bias_at(packed, protea_conv_plan_packed(plan)), y,
                                       scratch);
}

void protea_onednn_fill_fused(protea_kernels *k)
{
    k->conv_fused_bytes = fused_bytes;
    k->conv_fused_pack = fused_pack;
    k->conv_fused = fused;
}
