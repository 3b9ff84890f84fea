/* The kernel table's entries that oneDNN computes. */
#include "backend/cpu/conv_rule.h"
#include "backend/cpu/cpu.h"

static int64_t block(const protea_backend *be, protea_dtype dtype, int64_t c)
{
    return protea_block_rule(dtype, c, protea_onednn_isa_of(protea_cpu_of(be)->onednn));
}

bool protea_cpu_widens(const protea_backend *be, const protea_conv_dims *d)
{
    return d->x.dtype == PROTEA_BF16 && !protea_onednn_isa_of(protea_cpu_of(be)->onednn)->avx512;
}

static int64_t map_count(const protea_map *m)
{
    return m->n * m->c * m->h * m->w;
}

/* Bytes of a map's f32 copy, rounded up to whole cache lines. */
static size_t copy_bytes(const protea_map *m)
{
    return ((size_t)map_count(m) * sizeof(float) + 63) & ~(size_t)63;
}

/* The plan of a pass, in f32 for what is widened. */
static protea_status find(protea_conv_plan **out, protea_backend *be, const protea_conv_dims *d, protea_conv_pass pass)
{
    protea_cpu *cpu = protea_cpu_of(be);
    protea_conv_dims run = *d;
    if (protea_cpu_widens(be, d))
        run.x.dtype = run.y.dtype = PROTEA_F32;
    return protea_conv_cache_find(out, &cpu->convs, cpu->onednn, &run, pass, NULL);
}

static protea_conv_own own_of(const protea_backend *be, const protea_conv_dims *d, protea_conv_pass pass)
{
    return protea_conv_rule(d, pass, protea_cpu_of(be), be->winograd);
}

static protea_status conv_scratch(protea_backend *be, size_t *bytes, const protea_conv_dims *d, protea_conv_pass pass)
{
    protea_conv_plan *plan;
    protea_conv_own own = own_of(be, d, pass);
    if (own != PROTEA_OWN_NONE) {
        *bytes = protea_own_scratch(protea_cpu_of(be), own, d, pass);
        return PROTEA_OK;
    }
    PROTEA_TRY(find(&plan, be, d, pass));
    *bytes = protea_conv_plan_scratch(plan);
    if (protea_cpu_widens(be, d))
        *bytes += copy_bytes(&d->x) + copy_bytes(&d->y);
    return PROTEA_OK;
}

protea_status protea_cpu_conv_name(const char **out, protea_backend *be, const protea_conv_dims *d, protea_conv_pass pass)
{
    protea_conv_plan *plan;
    *out = "reference";
    if (protea_cpu_of(be) == NULL)
        return PROTEA_OK;
    protea_conv_own own = own_of(be, d, pass);
    if (own != PROTEA_OWN_NONE) {
        *out = protea_own_name(own);
        return PROTEA_OK;
    }
    PROTEA_TRY(find(&plan, be, d, pass));
    *out = protea_conv_plan_name(plan);
    return PROTEA_OK;
}

/* scratch: [x in f32][y in f32][the plan's]. What the pass writes is rounded back. */
static protea_status run_widened(protea_backend *be, protea_conv_plan *plan, void *x, float *w, void *y,
                                 const protea_conv_dims *d, protea_conv_pass pass, void *scratch)
{
    char *wide_x = scratch, *wide_y = wide_x + copy_bytes(&d->x), *rest = wide_y + copy_bytes(&d->y);
    if (pass != PROTEA_CONV_BACKWARD_DATA)
        be->k.convert(be, wide_x, PROTEA_F32, x, PROTEA_BF16, map_count(&d->x));
    if (pass != PROTEA_CONV_FORWARD)
        be->k.convert(be, wide_y, PROTEA_F32, y, PROTEA_BF16, map_count(&d->y));
    PROTEA_TRY(protea_conv_plan_run(plan, wide_x, w, wide_y, rest));
    if (pass == PROTEA_CONV_FORWARD)
        be->k.convert(be, y, PROTEA_BF16, wide_y, PROTEA_F32, map_count(&d->y));
    if (pass == PROTEA_CONV_BACKWARD_DATA)
        be->k.convert(be, x, PROTEA_BF16, wide_x, PROTEA_F32, map_count(&d->x));
    return PROTEA_OK;
}

/* A plan has one signature for the three passes, so what is only read loses its const here. */
static protea_status run(protea_backend *be, const void *x, const float *w, const void *y, const protea_conv_dims *d,
                         protea_conv_pass pass, void *scratch)
{
    protea_conv_plan *plan;
    void *x_any = (void *)(uintptr_t)x, *y_any = (void *)(uintptr_t)y;
    float *w_any = (float *)(uintptr_t)w;
    PROTEA_TRY(find(&plan, be, d, pass));
    if (protea_cpu_widens(be, d))
        return run_widened(be, plan, x_any, w_any, y_any, d, pass, scratch);
    return protea_conv_plan_run(plan, x_any, w_any, y_any, scratch);
}

static protea_status conv_forward(protea_backend *be, void *y, const void *x, const float *w, const protea_conv_dims *d,
                                  void *scratch)
{
    protea_conv_own own = own_of(be, d, PROTEA_CONV_FORWARD);
    if (own == PROTEA_OWN_NONE)
        return run(be, x, w, y, d, PROTEA_CONV_FORWARD, scratch);
    protea_own_forward(protea_cpu_of(be), own, y, x, w, d, scratch);
    return PROTEA_OK;
}

static protea_status conv_backward_data(protea_backend *be, void *dx, const void *dy, const float *w,
                                        const protea_conv_dims *d, void *scratch)
{
    protea_conv_own own = own_of(be, d, PROTEA_CONV_BACKWARD_DATA);
    if (own == PROTEA_OWN_NONE)
        return run(be, dx, w, dy, d, PROTEA_CONV_BACKWARD_DATA, scratch);
    protea_own_backward_data(protea_cpu_of(be), own, dx, dy, w, d, scratch);
    return PROTEA_OK;
}

static protea_status conv_backward_weights(protea_backend *be, float *dw, const void *dy, const void *x,
                                           const protea_conv_dims *d, void *scratch)
{
    protea_conv_own own = own_of(be, d, PROTEA_CONV_BACKWARD_WEIGHTS);
    if (own == PROTEA_OWN_NONE)
        return run(be, x, dw, dy, d, PROTEA_CONV_BACKWARD_WEIGHTS, scratch);
    protea_own_backward_weights(protea_cpu_of(be), own, dw, dy, x, d, scratch);
    return PROTEA_OK;
}

static protea_status gemm(protea_backend *be, float *c, const float *a, const float *b, bool ta, bool tb, int64_t m, int64_t n,
                          int64_t k, float alpha, float beta, int64_t lda, int64_t ldb, int64_t ldc)
{
    (void)be;
    return protea_onednn_gemm(c, a, b, ta, tb, m, n, k, alpha, beta, lda, ldb, ldc);
}

void protea_onednn_fill(protea_kernels *k)
{
    k->block = block;
    k->conv_scratch = conv_scratch;
    k->conv_forward = conv_forward;
    k->conv_backward_data = conv_backward_data;
    k->conv_backward_weights = conv_backward_weights;
    k->gemm = gemm;
}
