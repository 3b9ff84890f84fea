/* The CPU back-end: reference kernels first, then what is faster on this machine over them. */
#include "backend/cpu/cpu.h"

#include <stdio.h>

#include "backend/cpu/amx.h"
#include "backend/cpu/bf16_vectors.h"
#include "backend/cpu/fill.h"

static void cpu_close(protea_backend *be)
{
    protea_cpu *cpu = protea_cpu_of(be);
    if (cpu != NULL) {
        protea_conv_cache_clear(&cpu->convs);
        protea_onednn_close(cpu->onednn);
    }
    protea_free(cpu);
    protea_free(be);
}

static void fill_reference(protea_kernels *k)
{
    protea_ref_fill_layout(k);
    protea_ref_fill_conv(k);
    protea_ref_fill_conv_fused(k);
    protea_ref_fill_batchnorm(k);
    protea_ref_fill_elementwise(k);
    protea_ref_fill_pool(k);
    protea_ref_fill_dense(k);
    protea_ref_fill_vectors(k);
    protea_ref_fill_map(k);
    protea_ref_fill_nearest(k);
}

static protea_status fill_fast(protea_backend *be, protea_isa most)
{
    static const char *const names[] = { "reference", "base", "avx2", "avx512" };
    protea_cpu *cpu;
    char version[16];
    PROTEA_TRY(protea_new(&cpu, 1, sizeof *cpu, "the CPU back-end"));
    be->self = cpu;
    PROTEA_TRY(protea_onednn_open(&cpu->onednn, most));
    cpu->isa = protea_simd_fill(&be->k, most);
    protea_onednn_fill(&be->k);
    protea_onednn_fill_fused(&be->k);
    protea_nearest_fill(&be->k);
    protea_onednn_version(version, sizeof version);
    const protea_onednn_isa *isa = protea_onednn_isa_of(cpu->onednn);
    be->bf16_multiplies = isa->bf16;
    cpu->amx = isa->amx && protea_amx_open();
    cpu->winograd[false] = protea_winograd_f32(cpu->isa);
    cpu->bf16_vectors = isa->bf16 && cpu->isa == PROTEA_ISA_AVX512;
    cpu->slow_bf16 = !isa->amx && cpu->isa == PROTEA_ISA_AVX512 && (!cpu->bf16_vectors || protea_bf16_is_slow());
    if (cpu->bf16_vectors)
        protea_simd_fill_rounding(&be->k);
    cpu->winograd[true] = cpu->bf16_vectors ? protea_winograd_bf16() : NULL;
    cpu->direct_weights[false] = protea_direct_weights_f32(cpu->isa);
    cpu->direct_weights[true] = cpu->bf16_vectors ? protea_direct_weights_bf16() : NULL;
    cpu->nearest[false] = protea_simd_nearest(cpu->isa, false);
    cpu->nearest[true] = cpu->amx                                  ? protea_amx_nearest()
                         : cpu->bf16_vectors && !cpu->slow_bf16    ? protea_bf16_nearest()
                                                                   : protea_simd_nearest(cpu->isa, true);
    be->bf16_pays = isa->bf16 && !cpu->slow_bf16;
    be->has_fast = be->bf16_pays && cpu->winograd[true] != NULL && !isa->amx; /* whose layout Winograd's kernels do not take */
    snprintf(be->isa, sizeof be->isa, "%s, oneDNN %s %s", names[cpu->isa], version, isa->name);
    return PROTEA_OK;
}

protea_status protea_backend_cpu_open(protea_backend **out, protea_isa most)
{
    protea_backend *be;
    protea_status status = PROTEA_OK;
    *out = NULL;
    PROTEA_TRY(protea_new(&be, 1, sizeof *be, "the CPU back-end"));
    be->close = cpu_close;
    fill_reference(&be->k);
    snprintf(be->isa, sizeof be->isa, "reference");
    if (most != PROTEA_ISA_REF)
        status = fill_fast(be, most);
    if (status != PROTEA_OK) {
        protea_backend_close(be);
        return status;
    }
    *out = be;
    return PROTEA_OK;
}

void protea_backend_close(protea_backend *be)
{
    if (be != NULL)
        be->close(be);
}
