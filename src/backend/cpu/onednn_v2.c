/* oneDNN 2.x: engine, instruction set, dense products. */
#include "backend/cpu/onednn_v2.h"

#include <stdio.h>

protea_status protea_onednn_fail(dnnl_status_t status, const char *what)
{
    if (status == dnnl_out_of_memory)
        return protea_fail(PROTEA_ERR_MEMORY, "oneDNN: %s: out of memory", what);
    return protea_fail(PROTEA_ERR_INTERNAL, "oneDNN: %s: status %d", what, (int)status);
}

/* Newest first; oneDNN's codes are sets of bits, each holding the older ones it builds on. */
static protea_onednn_isa effective_isa(void)
{
    int isa = (int)dnnl_get_effective_cpu_isa();
    static const protea_onednn_isa none = { "generic", false, false, false, false };
    static const struct {
        int code;
        protea_onednn_isa isa;
    } known[] = {
        { dnnl_cpu_isa_avx512_core_amx, { "avx512_core_amx", true, true, true, true } },
        { dnnl_cpu_isa_avx512_core_bf16, { "avx512_core_bf16", true, true, true, false } },
        { dnnl_cpu_isa_avx512_core, { "avx512_core", true, true, false, false } },
        { dnnl_cpu_isa_avx2, { "avx2", true, false, false, false } },
        { dnnl_cpu_isa_sse41, { "sse41", false, false, false, false } },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((isa & known[i].code) == known[i].code)
            return known[i].isa;
    return none;
}

static void limit_isa(protea_isa most)
{
    if (most == PROTEA_ISA_SSE2)
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
    else if (most == PROTEA_ISA_AVX2)
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
    else if (most == PROTEA_ISA_AVX512)
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx512_core_bf16);
    /* Too late after the first primitive of the process: then oneDNN keeps what it has, and effective_isa says so. */
}

static protea_status open_engine(protea_onednn *o)
{
    ONEDNN_TRY(dnnl_engine_create(&o->engine, dnnl_cpu, 0), "creating the engine");
    ONEDNN_TRY(dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags), "creating the stream");
    o->isa = effective_isa();
    return PROTEA_OK;
}

/* oneDNN makes the kernels of its dense products at the first of them: here, where there is room. */
static protea_status warm_up(void)
{
    enum { SIDE = 48 };
    static const float a[SIDE * SIDE] = { 0 };
    float c[SIDE * SIDE];
    return protea_onednn_gemm(c, a, a, false, false, SIDE, SIDE, SIDE, 1, 0, SIDE, SIDE, SIDE);
}

protea_status protea_onednn_open(protea_onednn **out, protea_isa most)
{
    protea_onednn *o;
    *out = NULL;
    PROTEA_TRY(protea_make_sure(PROTEA_ONEDNN_ROOM, "oneDNN"));
    PROTEA_TRY(protea_new(&o, 1, sizeof *o, "oneDNN"));
    limit_isa(most);
    protea_status status = open_engine(o);
    if (status == PROTEA_OK)
        status = warm_up();
    if (status != PROTEA_OK) {
        protea_onednn_close(o);
        return status;
    }
    *out = o;
    return PROTEA_OK;
}

void protea_onednn_close(protea_onednn *o)
{
    if (o == NULL)
        return;
    dnnl_stream_destroy(o->stream);
    dnnl_engine_destroy(o->engine);
    protea_free(o);
}

const protea_onednn_isa *protea_onednn_isa_of(const protea_onednn *o)
{
    return &o->isa;
}

void protea_onednn_version(char *out, size_t size)
{
    const dnnl_version_t *v = dnnl_version();
    snprintf(out, size, "%d.%d.%d", v->major, v->minor, v->patch);
}

protea_status protea_onednn_gemm(float *c, const float *a, const float *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                                 float alpha, float beta, int64_t lda, int64_t ldb, int64_t ldc)
{
    ONEDNN_TRY(dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc), "sgemm");
    return PROTEA_OK;
}
