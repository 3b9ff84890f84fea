/* The residual block, forward and backward.
 *
 * Kept from forward to backward are the convolutions' outputs, which batch-norm's backward needs: all that follows from them,
 * relu(bn(c)) between them and mostly also the block's own output, is cheaper to work out again than to keep. */
#include "nn/residual_block.h"

#include <stdio.h>

typedef struct record {
    protea_tensor x, y; /* only their shapes outlast forward */
    protea_tensor c[PROTEA_BLOCK_MAX_CONVS], c_down;
    protea_bn_record bn[PROTEA_BLOCK_MAX_CONVS], bn_down;
    protea_redo redo; /* of x */
} record;

/* ---- parameters */

static protea_status init_chain(protea_block *b, bool bottleneck, int64_t in, int64_t planes, protea_rng *rng)
{
    const protea_conv_geometry point = { 1, 1, 0 }, strided = { 3, b->stride, 1 }, plain = { 3, 1, 1 };
    if (bottleneck) {
        PROTEA_TRY(protea_conv_bn_init(&b->conv[0], in, planes, point, rng));
        PROTEA_TRY(protea_conv_bn_init(&b->conv[1], planes, planes, strided, rng));
        return protea_conv_bn_init(&b->conv[2], planes, b->out, point, rng);
    }
    PROTEA_TRY(protea_conv_bn_init(&b->conv[0], in, planes, strided, rng));
    return protea_conv_bn_init(&b->conv[1], planes, planes, plain, rng);
}

protea_status protea_block_init(protea_block *b, bool bottleneck, int64_t in, int64_t planes, int64_t stride, protea_rng *rng)
{
    *b = (protea_block){ .n_convs = bottleneck ? 3 : 2, .stride = stride, .out = bottleneck ? 4 * planes : planes };
    b->has_down = stride != 1 || in != b->out;
    PROTEA_TRY(init_chain(b, bottleneck, in, planes, rng));
    if (!b->has_down)
        return PROTEA_OK;
    return protea_conv_bn_init(&b->down, in, b->out, (protea_conv_geometry){ 1, stride, 0 }, rng);
}

void protea_block_release(protea_block *b)
{
    for (int i = 0; i < b->n_convs; i++)
        protea_conv_bn_release(&b->conv[i]);
    protea_conv_bn_release(&b->down);
}

protea_status protea_block_visit(protea_block *b, const char *prefix, const protea_visitor *v)
{
    for (int i = 0; i < b->n_convs; i++) {
        char conv[16], bn[16];
        snprintf(conv, sizeof conv, "conv%d", i + 1);
        snprintf(bn, sizeof bn, "bn%d", i + 1);
        PROTEA_TRY(protea_conv_bn_visit(&b->conv[i], prefix, conv, bn, v));
    }
    return b->has_down ? protea_conv_bn_visit(&b->down, prefix, "downsample.0", "downsample.1", v) : PROTEA_OK;
}

/* ---- forward */

protea_status protea_block_shape(protea_ctx *cx, const protea_block *b, protea_tensor *y, const protea_tensor *x)
{
    protea_conv_geometry g = { 3, b->stride, 1 };
    return protea_native_shape(cx, y, x->dtype, x->dim[0], b->out, protea_conv_size(x->dim[2], g),
                               protea_conv_size(x->dim[3], g));
}

/* Where batch-norm's result goes: over c itself when nothing is kept, else beside it in scratch. */
static protea_status normalize_apart(protea_ctx *cx, bool keep_c, const protea_bn_record *bn, protea_tensor *a,
                                     const protea_tensor *c, protea_act act)
{
    *a = *c;
    if (keep_c)
        PROTEA_TRY(protea_tensor_like(cx, a, PROTEA_SCRATCH, c));
    return protea_bn_normalize(cx, bn, a, c, NULL, act);
}

static protea_status run_forward(protea_ctx *cx, protea_block *b, const protea_pass *pass, record *r)
{
    bool keep = pass->tape != NULL;
    protea_where where = keep ? PROTEA_KEPT : PROTEA_SCRATCH;
    int last = b->n_convs - 1;
    protea_tensor in = r->x, skip = r->x, c = { 0 };
    for (int i = 0; i <= last; i++) {
        PROTEA_TRY(protea_conv_bn_forward(cx, &b->conv[i], pass, &r->c[i], where, &in, &r->bn[i]));
        if (i < last)
            PROTEA_TRY(normalize_apart(cx, keep, &r->bn[i], &in, &r->c[i], PROTEA_RELU));
    }
    if (b->has_down) {
        PROTEA_TRY(protea_conv_bn_forward(cx, &b->down, pass, &c, where, &r->x, &r->bn_down));
        PROTEA_TRY(normalize_apart(cx, keep, &r->bn_down, &skip, &c, PROTEA_LINEAR));
    }
    r->c_down = c;
    return protea_bn_normalize(cx, &r->bn[last], &r->y, &r->c[last], &skip, PROTEA_RELU);
}

/* With batch-norm folded in: the skip is put into y first, and the last convolution adds to it. */
static protea_status infer(protea_ctx *cx, protea_block *b, const protea_pass *pass, protea_tensor *y, const protea_tensor *x)
{
    const protea_conv_ending inner = { false, PROTEA_RELU }, skip = { false, PROTEA_LINEAR }, last = { true, PROTEA_RELU };
    protea_tensor in = *x, out;
    for (int i = 0; i < b->n_convs - 1; i++) {
        PROTEA_TRY(protea_conv_bn_shape(cx, &b->conv[i], &out, &in));
        PROTEA_TRY(protea_tensor_like(cx, &out, PROTEA_SCRATCH, &out));
        PROTEA_TRY(protea_conv_bn_infer(cx, &b->conv[i], pass, &out, &in, inner));
        in = out;
    }
    if (b->has_down)
        PROTEA_TRY(protea_conv_bn_infer(cx, &b->down, pass, y, x, skip));
    else if (y->data != x->data)
        PROTEA_TRY(protea_copy(cx, y, x));
    return protea_conv_bn_infer(cx, &b->conv[b->n_convs - 1], pass, y, &in, last);
}

bool protea_block_keeps(const protea_block *b, const protea_redo *redo)
{
    return !b->has_down && redo->n == PROTEA_REDO_STEPS;
}

/* From how x is worked out again to how y is. */
static void go_on(const protea_block *b, const record *r, protea_redo *redo)
{
    int last = b->n_convs - 1;
    if (protea_block_keeps(b, redo)) {
        *redo = protea_redo_kept(&r->y);
        return;
    }
    if (b->has_down) {
        *redo = (protea_redo){ 0 };
        protea_redo_add(redo, &r->c_down, &r->bn_down, PROTEA_LINEAR);
    }
    protea_redo_add(redo, &r->c[last], &r->bn[last], PROTEA_RELU);
}

protea_status protea_block_forward(protea_ctx *cx, protea_block *b, const protea_pass *pass, protea_tensor *y,
                                   const protea_tensor *x, protea_redo *redo)
{
    record r = { .x = *x, .y = *y };
    size_t mark = protea_arena_mark(cx->scratch);
    if (pass->folds != NULL)
        PROTEA_TRY(infer(cx, b, pass, y, x));
    else
        PROTEA_TRY(run_forward(cx, b, pass, &r));
    protea_arena_release(cx->scratch, mark);
    if (pass->tape == NULL)
        return PROTEA_OK;
    r.redo = *redo;
    go_on(b, &r, redo);
    return protea_tape_push(pass->tape, &r, sizeof r);
}

/* ---- backward */

static protea_tensor placed(const protea_tensor *like, void *memory)
{
    protea_tensor t = *like;
    t.data = memory;
    return t;
}

static void exchange(void *room[2])
{
    void *first = room[0];
    room[0] = room[1];
    room[1] = first;
}

/* From dc at the last convolution's output down to the first's; dc is in the second room. */
static protea_status chain_backward(protea_ctx *cx, protea_block *b, const record *r, protea_tensor *dc, void *room[2])
{
    for (int i = b->n_convs - 1; i > 0; i--) {
        const protea_tensor *c = &r->c[i - 1];
        protea_tensor a = placed(c, room[0]); /* the convolution's input, and then, in its place, the derivative there */
        PROTEA_TRY(protea_bn_normalize(cx, &r->bn[i - 1], &a, c, NULL, PROTEA_RELU));
        PROTEA_TRY(protea_conv_bn_backward_weights(cx, &b->conv[i], dc, &a));
        PROTEA_TRY(protea_conv_bn_backward_data(cx, &b->conv[i], &a, dc));
        PROTEA_TRY(protea_bn_backward(cx, &b->conv[i - 1].bn, &r->bn[i - 1], &a, NULL, c, NULL, &a, PROTEA_RELU));
        *dc = a;
        exchange(room);
    }
    return PROTEA_OK;
}

/* dx = chain's + dz, in dz's place. spare has x's shape. */
static protea_status join_identity(protea_ctx *cx, protea_block *b, protea_tensor *dx, const protea_tensor *dc,
                                   const protea_tensor *dz, protea_tensor *spare)
{
    PROTEA_TRY(protea_conv_bn_backward_data(cx, &b->conv[0], spare, dc));
    return protea_add(cx, dx, dz, spare);
}

/* dx = chain's + the shortcut's; dz becomes the derivative at the shortcut's convolution. spare has x's shape. */
static protea_status join_down(protea_ctx *cx, protea_block *b, const record *r, protea_tensor *dx, const protea_tensor *dc,
                               protea_tensor *dz, protea_tensor *spare)
{
    PROTEA_TRY(protea_bn_backward(cx, &b->down.bn, &r->bn_down, dz, NULL, &r->c_down, NULL, dz, PROTEA_LINEAR));
    PROTEA_TRY(protea_conv_bn_backward_data(cx, &b->conv[0], dx, dc));
    PROTEA_TRY(protea_conv_bn_backward_data(cx, &b->down, spare, dz));
    return protea_add(cx, dx, dx, spare);
}

/* The gradients of the weights that read x; dz is the derivative at the shortcut's convolution. */
static protea_status input_weights(protea_ctx *cx, protea_block *b, const protea_tensor *x, const protea_tensor *dc,
                                   const protea_tensor *dz)
{
    PROTEA_TRY(protea_conv_bn_backward_weights(cx, &b->conv[0], dc, x));
    return b->has_down ? protea_conv_bn_backward_weights(cx, &b->down, dz, x) : PROTEA_OK;
}

/* Two rooms suffice: once dc is known y has been read, and in the chain every derivative but the newest; no convolution's output
 * is larger than both x and y. */
protea_status protea_block_backward(protea_ctx *cx, protea_block *b, protea_tape *tape, protea_block_descent *at, void *memory)
{
    record r;
    int last = b->n_convs - 1;
    protea_tensor dz = at->dy;
    PROTEA_TRY(protea_tape_pop(tape, &r, sizeof r));
    protea_tensor dx = placed(&r.x, b->has_down ? memory : dz.data), dc = placed(&r.c[last], at->room[1]);
    PROTEA_TRY(protea_bn_backward(cx, &b->conv[last].bn, &r.bn[last], &dc, &dz, &r.c[last], &at->y, &dz, PROTEA_RELU));
    PROTEA_TRY(chain_backward(cx, b, &r, &dc, at->room));
    protea_tensor spare = placed(&r.x, at->room[0]), x;
    if (b->has_down)
        PROTEA_TRY(join_down(cx, b, &r, &dx, &dc, &dz, &spare));
    else
        PROTEA_TRY(join_identity(cx, b, &dx, &dc, &dz, &spare));
    PROTEA_TRY(protea_redo_run(cx, &r.redo, &x, at->room[0]));
    PROTEA_TRY(input_weights(cx, b, &x, &dc, &dz));
    at->y = x;
    at->dy = dx;
    return PROTEA_OK;
}
