/* Residual networks (He et al. 2016, arXiv:1512.03385), as torchvision builds and names them.
 *
 * Block outputs alternate between two slots: activations in forward, but for those that backward cannot work out again, and
 * derivatives in backward. A block whose skip is the identity stays in its slot. */
#include <stdio.h>
#include <string.h>

#include "nn/layers.h"
#include "nn/residual_block.h"
#include "nn/resnet_arch.h"

typedef struct resnet {
    protea_module module;
    bool max_pool; /* in the stem */
    protea_conv_bn stem;
    int n_blocks, stage_blocks[PROTEA_RESNET_STAGES];
    protea_block *block;
} resnet;

typedef struct record {
    protea_tensor image, c, y, where; /* of the stem; where: of its pooling */
    protea_bn_record bn;
    protea_tensor last; /* output of the last block */
    protea_redo redo;   /* of the latest activation, in the end of last; only with a tape */
} record;

static const protea_conv_geometry pool_window = { 3, 2, 1 };

/* ---- parameters */

static protea_status init_blocks(resnet *r, const protea_resnet_arch *a, const protea_resnet_opts *opts, protea_rng *rng)
{
    int64_t in = a->width;
    for (int stage = 0; stage < PROTEA_RESNET_STAGES; stage++)
        for (int i = 0; i < r->stage_blocks[stage]; i++) {
            protea_block *b = &r->block[r->n_blocks++];
            int64_t stride = i == 0 && stage > 0 ? 2 : 1;
            PROTEA_TRY(protea_block_init(b, a->bottleneck, in, a->width << stage, stride, rng));
            protea_tensor *last_gamma = &b->conv[b->n_convs - 1].bn.gamma.w;
            if (opts->zero_init_residual)
                memset(last_gamma->data, 0, protea_bytes(last_gamma));
            in = b->out;
        }
    r->module.out_dim = in;
    return PROTEA_OK;
}

static protea_status init_resnet(resnet *r, const protea_resnet_arch *a, const protea_resnet_opts *opts, protea_rng *rng)
{
    const protea_conv_geometry small = { 3, 1, 1 }, large = { 7, 2, 3 };
    size_t n = 0;
    for (int stage = 0; stage < PROTEA_RESNET_STAGES; stage++) {
        r->stage_blocks[stage] = a->blocks[stage];
        n += (size_t)a->blocks[stage];
    }
    r->max_pool = !opts->small_stem;
    PROTEA_TRY(protea_conv_bn_init(&r->stem, 3, a->width, opts->small_stem ? small : large, rng));
    PROTEA_TRY(protea_new(&r->block, n, sizeof *r->block, "residual blocks"));
    return init_blocks(r, a, opts, rng);
}

static protea_status resnet_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    resnet *r = (resnet *)m;
    protea_block *b = r->block;
    PROTEA_TRY(protea_conv_bn_visit(&r->stem, prefix, "conv1", "bn1", v));
    for (int stage = 0; stage < PROTEA_RESNET_STAGES; stage++)
        for (int i = 0; i < r->stage_blocks[stage]; i++) {
            char local[32], full[256];
            snprintf(local, sizeof local, "layer%d.%d", stage + 1, i);
            PROTEA_TRY(protea_join_name(full, prefix, local));
            PROTEA_TRY(protea_block_visit(b++, full, v));
        }
    return PROTEA_OK;
}

static void resnet_free(protea_module *m)
{
    resnet *r = (resnet *)m;
    for (int i = 0; i < r->n_blocks; i++)
        protea_block_release(&r->block[i]);
    protea_free(r->block);
    protea_conv_bn_release(&r->stem);
    protea_free(r);
}

/* ---- memory */

/* Two buffers in scratch that block outputs, or their derivatives, take turns in. */
typedef struct slots {
    void *data[2];
    size_t bytes[2];
} slots;

/* stem: shape of the first block's input, which is in slot 0. */
static protea_status take_slots(protea_ctx *cx, const resnet *r, const protea_tensor *stem, slots *s)
{
    protea_tensor x = *stem, y;
    int slot = 0;
    *s = (slots){ .bytes = { protea_bytes(stem), 0 } };
    for (int i = 0; i < r->n_blocks; i++) {
        PROTEA_TRY(protea_block_shape(cx, &r->block[i], &y, &x));
        slot ^= r->block[i].has_down;
        if (s->bytes[slot] < protea_bytes(&y))
            s->bytes[slot] = protea_bytes(&y);
        x = y;
    }
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &s->data[0], s->bytes[0]));
    return protea_arena_alloc(cx->scratch, &s->data[1], s->bytes[1]);
}

/* For the activations that backward works out again, and the derivatives inside blocks. */
static protea_status take_rooms(protea_ctx *cx, const slots *s, void *room[2])
{
    size_t bytes = s->bytes[0] > s->bytes[1] ? s->bytes[0] : s->bytes[1];
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &room[0], bytes));
    return protea_arena_alloc(cx->scratch, &room[1], bytes);
}

static int slot_of_last(const resnet *r)
{
    int slot = 0;
    for (int i = 0; i < r->n_blocks; i++)
        slot ^= r->block[i].has_down;
    return slot;
}

/* ---- forward */

static protea_status stem_shape(protea_ctx *cx, const resnet *r, protea_tensor *y, const protea_tensor *x)
{
    int64_t h = protea_conv_size(x->dim[2], r->stem.geometry), w = protea_conv_size(x->dim[3], r->stem.geometry);
    if (r->max_pool) {
        h = protea_conv_size(h, pool_window);
        w = protea_conv_size(w, pool_window);
    }
    return protea_native_shape(cx, y, cx->compute, x->dim[0], r->stem.bn.channels, h, w);
}

/* *a = relu(bn(conv(t->image))); without dimensions yet, it is put in scratch, over t->c where that is not kept. */
static protea_status stem_convolution(protea_ctx *cx, resnet *r, const protea_pass *pass, protea_tensor *a, record *t)
{
    bool placed = a->n_dims > 0;
    if (pass->folds != NULL) {
        if (!placed)
            PROTEA_TRY(protea_conv_bn_shape(cx, &r->stem, a, &t->image));
        if (!placed)
            PROTEA_TRY(protea_tensor_like(cx, a, PROTEA_SCRATCH, a));
        return protea_conv_bn_infer(cx, &r->stem, pass, a, &t->image, (protea_conv_ending){ false, PROTEA_RELU });
    }
    PROTEA_TRY(protea_conv_bn_forward(cx, &r->stem, pass, &t->c, pass->tape ? PROTEA_KEPT : PROTEA_SCRATCH, &t->image, &t->bn));
    if (!placed)
        *a = t->c;
    if (!placed && pass->tape)
        PROTEA_TRY(protea_tensor_like(cx, a, PROTEA_SCRATCH, &t->c));
    return protea_bn_normalize(cx, &t->bn, a, &t->c, NULL, PROTEA_RELU);
}

/* Images to t->y, whose memory is the caller's; c, image and where are kept with a tape, else in scratch. */
static protea_status stem_forward(protea_ctx *cx, resnet *r, const protea_pass *pass, const protea_tensor *x, record *t)
{
    protea_where where = pass->tape ? PROTEA_KEPT : PROTEA_SCRATCH;
    PROTEA_TRY(protea_tensor_native(cx, &t->image, where, cx->compute, x->dim[0], 3, x->dim[2], x->dim[3]));
    PROTEA_TRY(protea_to_native(cx, &t->image, x));
    if (!r->max_pool)
        return stem_convolution(cx, r, pass, &t->y, t);
    protea_tensor a = { 0 }, bytes = t->y;
    PROTEA_TRY(stem_convolution(cx, r, pass, &a, t));
    bytes.dtype = PROTEA_U8;
    PROTEA_TRY(protea_tensor_like(cx, &t->where, where, &bytes));
    return protea_max_pool(cx, &t->y, &t->where, &a, pool_window);
}

/* A shape's memory: the slot, unless it is to be kept. */
static protea_status place(protea_ctx *cx, bool keep, protea_tensor *y, void *slot)
{
    if (keep)
        return protea_tensor_like(cx, y, PROTEA_KEPT, y);
    y->data = slot;
    return PROTEA_OK;
}

/* How the stem's output is worked out again; what was pooled is kept, being so much smaller. */
static protea_redo stem_redo(const resnet *r, const record *t)
{
    protea_redo redo = { 0 };
    if (r->max_pool)
        return protea_redo_kept(&t->y);
    protea_redo_add(&redo, &t->c, &t->bn, PROTEA_RELU);
    return redo;
}

static protea_status run_forward(protea_ctx *cx, resnet *r, const protea_pass *pass, const protea_tensor *x, record *t)
{
    bool learns = pass->tape != NULL;
    slots s;
    int slot = 0;
    PROTEA_TRY(stem_shape(cx, r, &t->y, x));
    PROTEA_TRY(take_slots(cx, r, &t->y, &s));
    PROTEA_TRY(place(cx, learns && r->max_pool, &t->y, s.data[slot]));
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(stem_forward(cx, r, pass, x, t));
    protea_arena_release(cx->scratch, mark);
    t->last = t->y;
    if (learns)
        t->redo = stem_redo(r, t);
    for (int i = 0; i < r->n_blocks; i++) {
        protea_tensor in = t->last;
        slot ^= r->block[i].has_down;
        PROTEA_TRY(protea_block_shape(cx, &r->block[i], &t->last, &in));
        PROTEA_TRY(place(cx, learns && protea_block_keeps(&r->block[i], &t->redo), &t->last, s.data[slot]));
        PROTEA_TRY(protea_block_forward(cx, &r->block[i], pass, &t->last, &in, &t->redo));
    }
    return PROTEA_OK;
}

static protea_status check_images(const protea_tensor *x)
{
    if (!x->native && x->dtype == PROTEA_F32 && x->n_dims == 4 && x->dim[1] == 3)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "resnet: images are plain f32 (N,3,H,W), found %d dimensions with %lld channels",
                       x->n_dims, (long long)(x->n_dims > 1 ? x->dim[1] : 0));
}

static protea_status resnet_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                    protea_tensor *y)
{
    record t = { 0 };
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(check_images(x));
    PROTEA_TRY(run_forward(cx, (resnet *)m, pass, x, &t));
    PROTEA_TRY(protea_tensor_rows(cx, y, PROTEA_KEPT, x->dim[0], m->out_dim));
    PROTEA_TRY(protea_mean_pool(cx, y, &t.last));
    protea_arena_release(cx->scratch, mark);
    return pass->tape ? protea_tape_push(pass->tape, &t, sizeof t) : PROTEA_OK;
}

/* ---- backward */

/* dy: at the stem's output; overwritten. d_images (plain) may be NULL. */
static protea_status stem_backward(protea_ctx *cx, resnet *r, const record *t, protea_tensor *dy, protea_tensor *d_images)
{
    protea_tensor dc = *dy, d_native;
    if (r->max_pool) {
        PROTEA_TRY(protea_tensor_like(cx, &dc, PROTEA_SCRATCH, &t->c));
        PROTEA_TRY(protea_max_pool_backward(cx, &dc, dy, &t->where, pool_window));
    }
    PROTEA_TRY(protea_bn_backward(cx, &r->stem.bn, &t->bn, &dc, NULL, &t->c, NULL, &dc, PROTEA_RELU));
    PROTEA_TRY(protea_conv_bn_backward_weights(cx, &r->stem, &dc, &t->image));
    if (d_images == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, &d_native, PROTEA_SCRATCH, &t->image));
    PROTEA_TRY(protea_conv_bn_backward_data(cx, &r->stem, &d_native, &dc));
    return protea_from_native(cx, d_images, &d_native);
}

static protea_status resnet_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    resnet *r = (resnet *)m;
    record t;
    slots s;
    int slot = slot_of_last(r);
    PROTEA_TRY(protea_tape_pop(tape, &t, sizeof t));
    if (dx != NULL)
        PROTEA_TRY(protea_tensor_plain(cx, dx, PROTEA_SCRATCH, PROTEA_F32, 4, t.image.dim));
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(take_slots(cx, r, &t.y, &s));
    size_t rooms = protea_arena_mark(cx->scratch);
    protea_block_descent at = { .dy = t.last };
    at.dy.data = s.data[slot];
    PROTEA_TRY(take_rooms(cx, &s, at.room));
    PROTEA_TRY(protea_mean_pool_backward(cx, &at.dy, dy));
    PROTEA_TRY(protea_redo_run(cx, &t.redo, &at.y, at.room[0]));
    for (int i = r->n_blocks - 1; i >= 0; i--) {
        slot ^= r->block[i].has_down;
        PROTEA_TRY(protea_block_backward(cx, &r->block[i], tape, &at, s.data[slot]));
    }
    protea_arena_release(cx->scratch, rooms);
    PROTEA_TRY(stem_backward(cx, r, &t, &at.dy, dx));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

static const protea_module_ops resnet_ops = { "resnet", resnet_forward, resnet_backward, resnet_visit, resnet_free };

protea_status protea_resnet_new(protea_module **out, const protea_resnet_opts *opts, protea_rng *rng)
{
    const protea_resnet_arch *a = NULL;
    resnet *r;
    *out = NULL;
    PROTEA_TRY(protea_resnet_find(&a, opts->arch));
    PROTEA_TRY(protea_new(&r, 1, sizeof *r, a->name));
    r->module.ops = &resnet_ops;
    protea_status status = init_resnet(r, a, opts, rng);
    if (status == PROTEA_OK)
        *out = &r->module;
    else
        resnet_free(&r->module);
    return status;
}
