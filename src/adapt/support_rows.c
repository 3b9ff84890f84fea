/* Rows come to a support bank and go from it: one heap and one sum for each class. */
#include "adapt/support_rows.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "loss/entropy.h"
#include "loss/log_softmax.h"
#include "tensor/ops.h"

enum { COUNT_HALF = 1 << 24 };

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

static void clear_rows(protea_tensor *t, int64_t first, int64_t n)
{
    memset(protea_f32(t) + first * t->dim[1], 0, (size_t)(n * t->dim[1]) * sizeof(float));
}

void protea_bank_clear_rows(protea_bank *bank, int64_t first, int64_t n)
{
    clear_rows(&bank->rows, first, n);
    clear_rows(&bank->entropy, first, n);
    clear_rows(&bank->order, first, n);
    if (bank->opts.with_scores)
        clear_rows(&bank->scores, first, n);
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
    double scale = PROTEA_BANK_UNIT / fmax(sqrt(square), 1e-12);
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

void protea_bank_rebuild_class(protea_bank *bank, int64_t c)
{
    memset(bank->sum + c * bank->dim, 0, (size_t)bank->dim * sizeof *bank->sum);
    for (int64_t i = 0; i < protea_bank_filled(bank, c); i++)
        add_to_sum(bank, c, c * bank->per_class + i, 1);
    build_heap(bank, c);
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
    protea_bank_clear_rows(bank, last, 1);
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
