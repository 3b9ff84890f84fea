/* Making a bank, reading it, saving it. */
#include "adapt/support_bank.h"

#include <math.h>
#include <string.h>

#include "adapt/support_rows.h"
#include "base/alloc.h"
#include "base/status.h"
#include "tensor/ops.h"

enum { MOST_PER_CLASS = 1 << 20 }; /* so many rows of at most 2^40 fit into 63 bits with three to spare */

/* ---- making it */

static double row_bytes(int64_t n_classes, int64_t dim, const protea_bank_opts *opts)
{
    return 4.0 * ((double)dim + (opts->with_scores ? (double)n_classes : 0) + 1 + 2 + 1);
}

/* A class's prototype and count, whatever rows it has; and what is there once. */
static double class_bytes(int64_t dim)
{
    return 8.0 * (double)dim + 16;
}

static protea_status choose_size(protea_bank *bank)
{
    const protea_bank_opts *o = &bank->opts;
    double cap = (double)o->cap_mib * (1 << 20), row = row_bytes(bank->n_classes, bank->dim, o);
    double fits = floor((cap / (double)bank->n_classes - class_bytes(bank->dim)) / row);
    if (o->filter_k == 0)
        return protea_fail(PROTEA_ERR_USAGE, "filter_K: 0 found, at least 1 row or -1 for all wanted");
    if (o->filter_k > 0 ? (double)o->filter_k > fits : fits < 1)
        return protea_fail(PROTEA_ERR_USAGE, "filter_K: %lld rows for each of %lld classes take %.0f MiB, bank_mib is %lld",
                           (long long)(o->filter_k > 0 ? o->filter_k : 1), (long long)bank->n_classes,
                           ceil(row * (double)bank->n_classes * (double)(o->filter_k > 0 ? o->filter_k : 1) / (1 << 20)),
                           (long long)o->cap_mib);
    double wanted = o->filter_k > 0 ? (double)o->filter_k : fits;
    bank->per_class = wanted < MOST_PER_CLASS ? (int64_t)wanted : MOST_PER_CLASS;
    return PROTEA_OK;
}

protea_status protea_bank_new(protea_bank *bank, int64_t n_classes, int64_t dim, const protea_bank_opts *opts)
{
    static const char *const purpose = "the support bank";
    *bank = (protea_bank){ .n_classes = n_classes, .dim = dim, .opts = *opts };
    PROTEA_TRY(choose_size(bank));
    int64_t rows = n_classes * bank->per_class;
    int64_t score_dim[2] = { opts->with_scores ? rows : 1, opts->with_scores ? n_classes : 1 };
    PROTEA_TRY(protea_tensor_new(&bank->rows, 2, (const int64_t[]){ rows, dim }, purpose));
    PROTEA_TRY(protea_tensor_new(&bank->entropy, 2, (const int64_t[]){ rows, 1 }, purpose));
    PROTEA_TRY(protea_tensor_new(&bank->scores, 2, score_dim, purpose));
    PROTEA_TRY(protea_tensor_new(&bank->order, 2, (const int64_t[]){ rows, 2 }, purpose));
    PROTEA_TRY(protea_tensor_new(&bank->filled, 1, &n_classes, purpose));
    PROTEA_TRY(protea_tensor_new(&bank->came, 1, (const int64_t[]){ 2 }, purpose));
    PROTEA_TRY(protea_new(&bank->heap, (size_t)rows, sizeof *bank->heap, purpose));
    return protea_new(&bank->sum, (size_t)(n_classes * dim), sizeof *bank->sum, purpose);
}

void protea_bank_release(protea_bank *bank)
{
    protea_tensor_release(&bank->rows);
    protea_tensor_release(&bank->entropy);
    protea_tensor_release(&bank->scores);
    protea_tensor_release(&bank->order);
    protea_tensor_release(&bank->filled);
    protea_tensor_release(&bank->came);
    protea_free(bank->heap);
    protea_free(bank->sum);
    *bank = (protea_bank){ 0 };
}

/* What was never filled is not touched: a large bank takes memory as it fills. */
void protea_bank_clear(protea_bank *bank)
{
    for (int64_t c = 0; c < bank->n_classes; c++)
        protea_bank_clear_rows(bank, c * bank->per_class, protea_bank_filled(bank, c));
    memset(bank->filled.data, 0, protea_bytes(&bank->filled));
    memset(bank->came.data, 0, protea_bytes(&bank->came));
    memset(bank->sum, 0, (size_t)(bank->n_classes * bank->dim) * sizeof *bank->sum);
}

/* ---- the linear layer's weights */

static protea_status find_weight(void *self, const char *name, protea_param *p)
{
    if (strcmp(name, "weight") == 0)
        *(protea_tensor *)self = p->w;
    return PROTEA_OK;
}

typedef struct warm_up {
    protea_bank *bank;
    protea_module *fc;
} warm_up;

static protea_status add_weights(protea_ctx *cx, void *self)
{
    const warm_up *w = self;
    protea_tensor weight = { 0 }, logits;
    PROTEA_TRY(protea_visit(w->fc, "", &(protea_visitor){ .param = find_weight, .self = &weight }));
    if (weight.n_dims != 2 || weight.dim[0] != w->bank->n_classes || weight.dim[1] != w->bank->dim)
        return protea_fail(PROTEA_ERR_INTERNAL, "support bank: the last layer is not linear (%lld,%lld)",
                           (long long)w->bank->n_classes, (long long)w->bank->dim);
    PROTEA_TRY(protea_forward(cx, w->fc, &(protea_pass){ 0 }, &weight, &logits));
    return protea_bank_add(cx, w->bank, &weight, &logits);
}

protea_status protea_bank_warm_up(protea_ctx *cx, protea_bank *bank, protea_module *fc)
{
    warm_up w = { bank, fc };
    size_t kept, scratch;
    bool drops = bank->opts.drop_worst;
    PROTEA_TRY(protea_reserve_arenas(cx, add_weights, &w, &kept, &scratch));
    protea_arena_release(cx->kept, 0);
    protea_arena_release(cx->scratch, 0);
    bank->opts.drop_worst = false; /* only what a stream brings is selected from */
    protea_status status = add_weights(cx, &w);
    bank->opts.drop_worst = drops;
    return status;
}

/* ---- reading it */

int64_t protea_bank_filled(const protea_bank *bank, int64_t c)
{
    return (int64_t)protea_f32(&bank->filled)[c];
}

protea_status protea_bank_prototypes(protea_ctx *cx, const protea_bank *bank, protea_tensor *out)
{
    for (int64_t i = 0; i < bank->n_classes * bank->dim && !cx->planning; i++)
        protea_f32(out)[i] = (float)((double)bank->sum[i] / PROTEA_BANK_UNIT);
    return PROTEA_OK;
}

protea_tensor protea_bank_class(const protea_bank *bank, int64_t c)
{
    return protea_row_range(&bank->rows, c * bank->per_class, protea_bank_filled(bank, c));
}

int64_t protea_bank_rows(const protea_bank *bank)
{
    int64_t rows = 0;
    for (int64_t c = 0; c < bank->n_classes; c++)
        rows += protea_bank_filled(bank, c);
    return rows;
}

size_t protea_bank_bytes(const protea_bank *bank)
{
    size_t rows = (size_t)(bank->n_classes * bank->per_class);
    return protea_bytes(&bank->rows) + protea_bytes(&bank->entropy) + protea_bytes(&bank->scores) + protea_bytes(&bank->order) +
           protea_bytes(&bank->filled) + rows * sizeof *bank->heap +
           (size_t)(bank->n_classes * bank->dim) * sizeof *bank->sum;
}

/* ---- saving and loading */

protea_status protea_bank_visit(protea_bank *bank, const protea_visitor *v)
{
    PROTEA_TRY(protea_visit_buffer(v, "adapter.bank", "rows", &bank->rows));
    PROTEA_TRY(protea_visit_buffer(v, "adapter.bank", "entropy", &bank->entropy));
    if (bank->opts.with_scores)
        PROTEA_TRY(protea_visit_buffer(v, "adapter.bank", "scores", &bank->scores));
    PROTEA_TRY(protea_visit_buffer(v, "adapter.bank", "order", &bank->order));
    PROTEA_TRY(protea_visit_buffer(v, "adapter.bank", "filled", &bank->filled));
    return protea_visit_buffer(v, "adapter.bank", "came", &bank->came);
}

/* Whether both halves of every count are what writing one leaves. */
static bool are_counts(const protea_tensor *t)
{
    for (int64_t i = 0; i < protea_count(t); i++)
        if (!(protea_f32(t)[i] >= 0 && protea_f32(t)[i] < 1 << 24))
            return false;
    return true;
}

protea_status protea_bank_loaded(protea_bank *bank)
{
    if (!protea_all_finite(&bank->rows) || !protea_all_finite(&bank->entropy) || !protea_all_finite(&bank->scores))
        return protea_fail(PROTEA_ERR_INPUT, "adapter.bank: numbers that are not finite");
    if (!are_counts(&bank->order) || !are_counts(&bank->came))
        return protea_fail(PROTEA_ERR_INPUT, "adapter.bank: order and came must hold counts");
    for (int64_t c = 0; c < bank->n_classes; c++) {
        float filled = protea_f32(&bank->filled)[c];
        if (!(filled >= 0 && filled <= (float)bank->per_class))
            return protea_fail(PROTEA_ERR_INPUT, "adapter.bank.filled: %g rows of class %lld found, 0 to %lld wanted",
                               (double)filled, (long long)c, (long long)bank->per_class);
        protea_f32(&bank->filled)[c] = floorf(filled);
        protea_bank_rebuild_class(bank, c);
    }
    return PROTEA_OK;
}
