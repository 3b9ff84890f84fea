#include "nn/folds.h"

typedef struct fold {
    const protea_conv_bn *of;
    protea_tensor x;        /* the shape it was made for */
    protea_arena *memory;   /* owned: of packed */
    void *packed;
} fold;

struct protea_folds {
    fold *list; /* (n) owned; networks have some dozens */
    size_t n;
};

protea_status protea_folds_new(protea_folds **out)
{
    return protea_new(out, 1, sizeof **out, "folded weights");
}

void protea_folds_free(protea_folds *folds)
{
    if (folds == NULL)
        return;
    for (size_t i = 0; i < folds->n; i++)
        protea_arena_free(folds->list[i].memory);
    protea_free(folds->list);
    protea_free(folds);
}

/* The fold of u, perhaps one that is yet to be made. */
static protea_status entry_of(protea_folds *folds, fold **out, const protea_conv_bn *u)
{
    size_t i = 0;
    while (i < folds->n && folds->list[i].of != u)
        i++;
    if (i == folds->n) {
        PROTEA_TRY(protea_grow(&folds->list, folds->n + 1, sizeof *folds->list, "folded weights"));
        folds->list[folds->n++] = (fold){ .of = u };
    }
    *out = &folds->list[i];
    return PROTEA_OK;
}

static bool same_shape(const protea_tensor *a, const protea_tensor *b)
{
    bool same = a->dtype == b->dtype && a->block == b->block;
    for (int i = 0; i < PROTEA_MAX_DIMS; i++)
        same = same && a->dim[i] == b->dim[i];
    return same;
}

/* to (O,C,K,K) = scale w. */
static void scale_weights(protea_tensor *to, const protea_tensor *w, const float *scale)
{
    int64_t each = protea_count(w) / w->dim[0];
#pragma omp parallel for schedule(static)
    for (int64_t o = 0; o < w->dim[0]; o++)
        for (int64_t i = 0; i < each; i++)
            protea_f32(to)[o * each + i] = protea_f32(w)[o * each + i] * scale[o];
}

static protea_status make(protea_ctx *cx, fold *f, protea_conv_bn *u, const protea_bn_record *bn, const protea_tensor *y,
                          const protea_tensor *x, protea_conv_ending ending)
{
    size_t bytes;
    protea_tensor scaled, shift = { .data = bn->shift, .dtype = PROTEA_F32, .n_dims = 1, .dim = { u->bn.channels } };
    protea_arena_free(f->memory);
    f->memory = NULL;
    f->packed = NULL;
    PROTEA_TRY(protea_conv_fused_bytes(cx, &bytes, y, x, u->geometry, ending));
    PROTEA_TRY(protea_arena_new(&f->memory, bytes, "folded weights"));
    PROTEA_TRY(protea_arena_alloc(f->memory, &f->packed, bytes));
    PROTEA_TRY(protea_tensor_new(&scaled, 4, u->weight.w.dim, "folded weights"));
    scale_weights(&scaled, &u->weight.w, bn->scale);
    protea_status status = protea_conv_fused_pack(cx, f->packed, &scaled, &shift, y, x, u->geometry, ending);
    protea_tensor_release(&scaled);
    f->x = *x;
    return status;
}

protea_status protea_folds_find(protea_ctx *cx, protea_folds *folds, void **packed, protea_conv_bn *u, const protea_tensor *y,
                                const protea_tensor *x, protea_conv_ending ending)
{
    const protea_pass running = { 0 };
    protea_bn_record bn;
    fold *f;
    *packed = NULL;
    PROTEA_TRY(protea_bn_prepare(cx, &u->bn, &running, y, &bn));
    if (cx->planning)
        return protea_conv_fused_pack(cx, NULL, &u->weight.w, &(protea_tensor){ .dtype = PROTEA_F32, .n_dims = 1,
                                      .dim = { u->bn.channels } }, y, x, u->geometry, ending);
    PROTEA_TRY(entry_of(folds, &f, u));
    if (f->packed == NULL || !same_shape(&f->x, x))
        PROTEA_TRY(make(cx, f, u, &bn, y, x, ending));
    *packed = f->packed;
    return PROTEA_OK;
}
