#include "adapt/support_bank.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "loss/entropy.h"
#include "loss/log_softmax.h"
#include "tensor/ops.h"

enum { MOST_PER_CLASS = 1 << 20, COUNT_HALF = 1 << 24 };
static const double UNIT = 1099511627776.0; /* 2^40: 2^20 rows of at most 1 fit into 63 bits with three to spare */

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

static void clear_rows(protea_tensor *t, int64_t first, int64_t n)
{
    memset(protea_f32(t) + first * t->dim[1], 0, (size_t)(n * t->dim[1]) * sizeof(float));
}

/* Rows first .. first + n of everything that has rows. */
static void clear_range(protea_bank *bank, int64_t first, int64_t n)
{
    clear_rows(&bank->rows, first, n);
    clear_rows(&bank->entropy, first, n);
    clear_rows(&bank->order, first, n);
    if (bank->opts.with_scores)
        clear_rows(&bank->scores, first, n);
}

/* What was never filled is not touched: a large bank takes memory as it fills. */
void protea_bank_clear(protea_bank *bank)
{
    for (int64_t c = 0; c < bank->n_classes; c++)
        clear_range(bank, c * bank->per_class, protea_bank_filled(bank, c));
    memset(bank->filled.data, 0, protea_bytes(&bank->filled));
    memset(bank->came.data, 0, protea_bytes(&bank->came));
    memset(bank->sum, 0, (size_t)(bank->n_classes * bank->dim) * sizeof *bank->sum);
}

int64_t protea_bank_filled(const protea_bank *bank, int64_t c)
{
    return (int64_t)protea_f32(&bank->filled)[c];
}

static void set_filled(protea_bank *bank, int64_t c, int64_t n)
{
    protea_f32(&bank->filled)[c] = (float)n;
}

static int64_t read_count(const float half[2])
{
    return (int64_t)half[0] * COUNT_HALF + (int64_t)half[1];
}

static void write_count(float half[2], int64_t n)
{
    half[0] = (float)(n / COUNT_HALF);
    half[1] = (float)(n % COUNT_HALF);
}

/* ---- one row: what it adds to its prototype, and how it compares */

/* Adds sign times the normalised row to the prototype of class c. */
static void add_to_sum(protea_bank *bank, int64_t c, int64_t row, int64_t sign)
{
    const float *x = protea_f32(&bank->rows) + row * bank->dim;
    int64_t *sum = bank->sum + c * bank->dim;
    double square = 0;
    for (int64_t i = 0; i < bank->dim; i++)
        square += (double)x[i] * x[i];
    double scale = UNIT / fmax(sqrt(square), 1e-12);
    for (int64_t i = 0; i < bank->dim; i++)
        sum[i] += sign * llrint(x[i] * scale);
}

/* Whether row a goes before row b does: more entropy, or as much and later. */
static bool is_worse(const protea_bank *bank, int64_t a, int64_t b)
{
    float ha = protea_f32(&bank->entropy)[a], hb = protea_f32(&bank->entropy)[b];
    if (ha < hb || hb < ha)
        return ha > hb;
    return read_count(protea_f32(&bank->order) + 2 * a) > read_count(protea_f32(&bank->order) + 2 * b);
}

static void copy_row(protea_tensor *t, int64_t to, int64_t from)
{
    size_t bytes = (size_t)t->dim[1] * sizeof(float);
    memmove(protea_f32(t) + to * t->dim[1], protea_f32(t) + from * t->dim[1], bytes);
}

/* ---- the heap of one class: heap[0] is the worst row; numbers are within the class */

static void swap(int32_t *a, int32_t *b)
{
    int32_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(const protea_bank *bank, int64_t c, int64_t at, int64_t n)
{
    int32_t *heap = bank->heap + c * bank->per_class;
    int64_t first = c * bank->per_class;
    for (int64_t child = 2 * at + 1; child < n; at = child, child = 2 * at + 1) {
        if (child + 1 < n && is_worse(bank, first + heap[child + 1], first + heap[child]))
            child++;
        if (!is_worse(bank, first + heap[child], first + heap[at]))
            return;
        swap(&heap[child], &heap[at]);
    }
}

static void sift_up(const protea_bank *bank, int64_t c, int64_t at)
{
    int32_t *heap = bank->heap + c * bank->per_class;
    int64_t first = c * bank->per_class;
    for (; at > 0 && is_worse(bank, first + heap[at], first + heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
}

/* ---- rows come and go */

/* A row that is offered. */
typedef struct offer {
    const float *z, *score; /* (D), (C) */
    float entropy;
    int64_t label, order;
} offer;

static void write_row(protea_bank *bank, int64_t row, const offer *o)
{
    memcpy(protea_f32(&bank->rows) + row * bank->dim, o->z, (size_t)bank->dim * sizeof(float));
    if (bank->opts.with_scores)
        memcpy(protea_f32(&bank->scores) + row * bank->n_classes, o->score, (size_t)bank->n_classes * sizeof(float));
    protea_f32(&bank->entropy)[row] = o->entropy;
    write_count(protea_f32(&bank->order) + 2 * row, o->order);
    add_to_sum(bank, o->label, row, 1);
}

static void take(protea_bank *bank, const offer *o)
{
    int64_t c = o->label, first = c * bank->per_class, n = protea_bank_filled(bank, c);
    int32_t *heap = bank->heap + first;
    if (n < bank->per_class) {
        heap[n] = (int32_t)n;
        write_row(bank, first + n, o);
        set_filled(bank, c, n + 1);
        sift_up(bank, c, n);
        return;
    }
    int64_t worst = first + heap[0];
    if (!(o->entropy < protea_f32(&bank->entropy)[worst])) /* of equals the earlier stays */
        return;
    add_to_sum(bank, c, worst, -1);
    write_row(bank, worst, o);
    sift_down(bank, c, 0, n);
}

static void build_heap(protea_bank *bank, int64_t c)
{
    int64_t n = protea_bank_filled(bank, c);
    for (int64_t i = 0; i < n; i++)
        bank->heap[c * bank->per_class + i] = (int32_t)i;
    for (int64_t i = n / 2; i-- > 0;)
        sift_down(bank, c, i, n);
}

/* The class's last row moves to the place of its worst. */
static void drop_worst(protea_bank *bank, int64_t c)
{
    int64_t first = c * bank->per_class, last = first + protea_bank_filled(bank, c) - 1;
    if (last < first)
        return;
    int64_t worst = first + bank->heap[first];
    add_to_sum(bank, c, worst, -1);
    copy_row(&bank->rows, worst, last);
    copy_row(&bank->entropy, worst, last);
    copy_row(&bank->order, worst, last);
    if (bank->opts.with_scores)
        copy_row(&bank->scores, worst, last);
    clear_range(bank, last, 1);
    set_filled(bank, c, last - first);
    build_heap(bank, c);
}

static void offer_rows(protea_bank *bank, const protea_tensor *z, const protea_tensor *logits, const protea_tensor *h,
                       const protea_tensor *p)
{
    float *came = protea_f32(&bank->came);
    for (int64_t n = 0; n < z->dim[0]; n++) {
        const offer o = { protea_f32(z) + n * bank->dim, protea_f32(p) + n * bank->n_classes, protea_f32(h)[n],
                          protea_argmax_row(protea_f32(logits) + n * bank->n_classes, bank->n_classes), read_count(came) };
        take(bank, &o);
        write_count(came, o.order + 1);
    }
}

protea_status protea_bank_add(protea_ctx *cx, protea_bank *bank, const protea_tensor *z, const protea_tensor *logits)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor h, p;
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, z->dim[0], 1));
    PROTEA_TRY(protea_tensor_like(cx, &p, PROTEA_SCRATCH, logits));
    PROTEA_TRY(protea_softmax_entropy(cx, &h, &p, logits));
    if (!cx->planning)
        offer_rows(bank, z, logits, &h, &p);
    for (int64_t c = 0; c < bank->n_classes && bank->opts.drop_worst && !cx->planning; c++)
        drop_worst(bank, c);
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
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

protea_status protea_bank_prototypes(protea_ctx *cx, const protea_bank *bank, protea_tensor *out)
{
    for (int64_t i = 0; i < bank->n_classes * bank->dim && !cx->planning; i++)
        protea_f32(out)[i] = (float)((double)bank->sum[i] / UNIT);
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

protea_status protea_bank_loaded(protea_bank *bank)
{
    if (!protea_all_finite(&bank->rows) || !protea_all_finite(&bank->entropy) || !protea_all_finite(&bank->order))
        return protea_fail(PROTEA_ERR_INPUT, "adapter.bank: numbers that are not finite");
    memset(bank->sum, 0, (size_t)(bank->n_classes * bank->dim) * sizeof *bank->sum);
    for (int64_t c = 0; c < bank->n_classes; c++) {
        float filled = protea_f32(&bank->filled)[c];
        if (!(filled >= 0 && filled <= (float)bank->per_class))
            return protea_fail(PROTEA_ERR_INPUT, "adapter.bank.filled: %g rows of class %lld found, 0 to %lld wanted",
                               (double)filled, (long long)c, (long long)bank->per_class);
        set_filled(bank, c, (int64_t)filled);
        for (int64_t i = 0; i < (int64_t)filled; i++)
            add_to_sum(bank, c, c * bank->per_class + i, 1);
        build_heap(bank, c);
    }
    return PROTEA_OK;
}
