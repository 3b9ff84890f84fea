/* Batch-norm's element-wise halves: bn_apply and bn_backward_apply. The sums are in simd_batchnorm_sums.c. */
#include "backend/cpu/fill.h"
#include "backend/cpu/simd_strips.h"

/* Everything that one call reads and writes; see kernels.h. */
typedef struct work {
    void *out, *out2; /* y, or dx and d_residual */
    const void *x, *y, *dy, *residual;
    const float *scale, *shift, *a, *b, *k;
    const protea_map *m;
    const protea_groups *g;
    protea_act act;
} work;

SIMD_INLINE void apply_rows(const work *k, const strip *s, protea_dtype dtype, bool residual, int vectors, int64_t lanes)
{
    vf scale[VECTORS], shift[VECTORS];
    load_vectors(scale, k->scale, s->first, vectors, lanes);
    load_vectors(shift, k->shift, s->first, vectors, lanes);
    vf floor = splat(k->act == PROTEA_RELU ? 0 : -__builtin_inff());
    int64_t rows = k->m->h * k->m->w;
    for (int64_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) {
            int64_t i = s->at + row * k->m->block + v * LANES;
            vf value = load(k->x, i, lanes, dtype) * scale[v] + shift[v];
            if (residual)
                value += load(k->residual, i, lanes, dtype);
            store(k->out, i, lanes, dtype, choose(value < floor, floor, value));
        }
}

static void apply(const work *k, const strip *s)
{
    if (k->m->dtype == PROTEA_BF16 && k->residual != NULL)
        STRIP_SIZED(s, apply_rows, k, s, PROTEA_BF16, true);
    else if (k->m->dtype == PROTEA_BF16)
        STRIP_SIZED(s, apply_rows, k, s, PROTEA_BF16, false);
    else if (k->residual != NULL)
        STRIP_SIZED(s, apply_rows, k, s, PROTEA_F32, true);
    else
        STRIP_SIZED(s, apply_rows, k, s, PROTEA_F32, false);
}

/* How dz is found: as it is, by the output's sign, or by the recomputed output's sign. */
typedef enum mask { MASK_NONE, MASK_OUTPUT, MASK_RECOMPUTE } mask;

SIMD_INLINE void backward_rows(const work *k, const strip *s, protea_dtype dtype, mask how, int vectors, int64_t lanes)
{
    vf scale[VECTORS] = { 0 }, shift[VECTORS] = { 0 }, a[VECTORS], b[VECTORS], c[VECTORS];
    if (how == MASK_RECOMPUTE) {
        load_vectors(scale, k->scale, s->first, vectors, lanes);
        load_vectors(shift, k->shift, s->first, vectors, lanes);
    }
    load_vectors(a, k->a, s->first, vectors, lanes);
    load_vectors(b, k->b, s->first, vectors, lanes);
    load_vectors(c, k->k, s->first, vectors, lanes);
    int64_t rows = k->m->h * k->m->w;
    for (int64_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) {
            int64_t i = s->at + row * k->m->block + v * LANES;
            vf x = load(k->x, i, lanes, dtype), dz = load(k->dy, i, lanes, dtype);
            if (how == MASK_OUTPUT)
                dz = choose(load(k->y, i, lanes, dtype) > 0, dz, (vf){ 0 });
            if (how == MASK_RECOMPUTE)
                dz = choose(x * scale[v] + shift[v] > 0, dz, (vf){ 0 });
            store(k->out, i, lanes, dtype, a[v] * dz + (b[v] * x + c[v]));
            if (k->out2 != NULL)
                store(k->out2, i, lanes, dtype, dz);
        }
}

SIMD_INLINE void backward_masked(const work *k, const strip *s, protea_dtype dtype)
{
    if (k->act == PROTEA_LINEAR)
        STRIP_SIZED(s, backward_rows, k, s, dtype, MASK_NONE);
    else if (k->y != NULL)
        STRIP_SIZED(s, backward_rows, k, s, dtype, MASK_OUTPUT);
    else
        STRIP_SIZED(s, backward_rows, k, s, dtype, MASK_RECOMPUTE);
}

static void backward(const work *k, const strip *s)
{
    if (k->m->dtype == PROTEA_BF16)
        backward_masked(k, s, PROTEA_BF16);
    else
        backward_masked(k, s, PROTEA_F32);
}

/* Calls body for every strip of every slab, in parallel over slabs. */
static void each_strip(const work *k, void (*body)(const work *k, const strip *s))
{
    const protea_map *m = k->m;
    int64_t per_sample = m->c / m->block;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < m->n * per_sample; slab++) {
        int64_t group = slab / per_sample / k->g->run % k->g->groups;
        int64_t at = slab * m->h * m->w * m->block, first = group * m->c + slab % per_sample * m->block;
        for (int64_t c = 0, length; c < m->block; c += length) {
            length = strip_length(m->block - c);
            body(k, &(strip){ at + c, first + c, length });
        }
    }
}

static void bn_apply(protea_backend *be, void *y, const void *x, const void *residual, const float *scale, const float *shift,
                     const protea_map *m, const protea_groups *g, protea_act act)
{
    (void)be;
    const work k = { .out = y, .x = x, .residual = residual, .scale = scale, .shift = shift, .m = m, .g = g, .act = act };
    each_strip(&k, apply);
}

static void bn_backward_apply(protea_backend *be, void *dx, void *d_residual, const void *x, const void *y, const void *dy,
                              const float *a, const float *b, const float *k, const float *scale, const float *shift,
                              const protea_map *m, const protea_groups *g, protea_act act)
{
    (void)be;
    const work w = { .out = dx, .out2 = d_residual, .x = x, .y = y, .dy = dy, .scale = scale, .shift = shift, .a = a, .b = b,
                     .k = k, .m = m, .g = g, .act = act };
    each_strip(&w, backward);
}

void SIMD_NAME(protea_simd_fill_batchnorm)(protea_kernels *k)
{
    k->bn_apply = bn_apply;
    k->bn_backward_apply = bn_backward_apply;
}
