/* The layers without parameters: ReLU, poolings, L2 normalisation. */
#include "nn/layers.h"

typedef struct plain_layer {
    protea_module module;
    protea_conv_geometry window; /* of max pooling */
} plain_layer;

static protea_status no_params(protea_module *m, const char *prefix, const protea_visitor *v)
{
    (void)m, (void)prefix, (void)v;
    return PROTEA_OK;
}

static void plain_free(protea_module *m)
{
    protea_free(m);
}

static protea_status plain_new(protea_module **out, const protea_module_ops *ops, int64_t out_dim, protea_conv_geometry window)
{
    plain_layer *l;
    *out = NULL;
    PROTEA_TRY(protea_new(&l, 1, sizeof *l, ops->kind));
    l->module = (protea_module){ ops, out_dim };
    l->window = window;
    *out = &l->module;
    return PROTEA_OK;
}

/* ---- ReLU */

static protea_status relu_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                  protea_tensor *y)
{
    (void)m;
    PROTEA_TRY(protea_tensor_like(cx, y, PROTEA_KEPT, x));
    PROTEA_TRY(protea_relu(cx, y, x));
    return pass->tape ? protea_tape_push(pass->tape, y, sizeof *y) : PROTEA_OK;
}

static protea_status relu_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    (void)m;
    protea_tensor y;
    PROTEA_TRY(protea_tape_pop(tape, &y, sizeof y));
    if (dx == NULL)
        return PROTEA_OK;
    *dx = *dy;
    return protea_relu_backward(cx, dx, &y, dy);
}

static const protea_module_ops relu_ops = { "relu", relu_forward, relu_backward, no_params, plain_free };

protea_status protea_relu_new(protea_module **out, int64_t channels)
{
    return plain_new(out, &relu_ops, channels, (protea_conv_geometry){ 0 });
}

/* ---- max pooling */

typedef struct max_pool_record {
    protea_tensor x, where;
} max_pool_record;

static protea_status max_pool_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                      protea_tensor *y)
{
    protea_conv_geometry g = ((plain_layer *)m)->window;
    max_pool_record r = { .x = *x };
    PROTEA_TRY(protea_tensor_native(cx, y, PROTEA_KEPT, x->dtype, x->dim[0], x->dim[1], protea_conv_size(x->dim[2], g),
                                    protea_conv_size(x->dim[3], g)));
    protea_tensor bytes = *y;
    bytes.dtype = PROTEA_U8;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_tensor_like(cx, &r.where, pass->tape ? PROTEA_KEPT : PROTEA_SCRATCH, &bytes));
    PROTEA_TRY(protea_max_pool(cx, y, &r.where, x, g));
    protea_arena_release(cx->scratch, mark);
    return pass->tape ? protea_tape_push(pass->tape, &r, sizeof r) : PROTEA_OK;
}

static protea_status max_pool_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy,
                                       protea_tensor *dx)
{
    max_pool_record r;
    PROTEA_TRY(protea_tape_pop(tape, &r, sizeof r));
    if (dx == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, dx, PROTEA_SCRATCH, &r.x));
    return protea_max_pool_backward(cx, dx, dy, &r.where, ((plain_layer *)m)->window);
}

static const protea_module_ops max_pool_ops = { "max_pool", max_pool_forward, max_pool_backward, no_params, plain_free };

protea_status protea_max_pool_new(protea_module **out, int64_t channels, protea_conv_geometry g)
{
    return plain_new(out, &max_pool_ops, channels, g);
}

/* ---- mean pooling */

static protea_status mean_pool_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                       protea_tensor *y)
{
    (void)m;
    PROTEA_TRY(protea_tensor_rows(cx, y, PROTEA_KEPT, x->dim[0], x->dim[1]));
    PROTEA_TRY(protea_mean_pool(cx, y, x));
    return pass->tape ? protea_tape_push(pass->tape, x, sizeof *x) : PROTEA_OK;
}

static protea_status mean_pool_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy,
                                        protea_tensor *dx)
{
    (void)m;
    protea_tensor x;
    PROTEA_TRY(protea_tape_pop(tape, &x, sizeof x));
    if (dx == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, dx, PROTEA_SCRATCH, &x));
    return protea_mean_pool_backward(cx, dx, dy);
}

static const protea_module_ops mean_pool_ops = { "mean_pool", mean_pool_forward, mean_pool_backward, no_params, plain_free };

protea_status protea_mean_pool_new(protea_module **out, int64_t channels)
{
    return plain_new(out, &mean_pool_ops, channels, (protea_conv_geometry){ 0 });
}

/* ---- L2 normalisation */

typedef struct l2norm_record {
    protea_tensor y, norm;
} l2norm_record;

static protea_status l2norm_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                    protea_tensor *y)
{
    (void)m;
    l2norm_record r;
    PROTEA_TRY(protea_tensor_like(cx, y, PROTEA_KEPT, x));
    PROTEA_TRY(protea_tensor_rows(cx, &r.norm, PROTEA_KEPT, x->dim[0], 1));
    PROTEA_TRY(protea_l2norm(cx, y, &r.norm, x));
    r.y = *y;
    return pass->tape ? protea_tape_push(pass->tape, &r, sizeof r) : PROTEA_OK;
}

static protea_status l2norm_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    (void)m;
    l2norm_record r;
    PROTEA_TRY(protea_tape_pop(tape, &r, sizeof r));
    if (dx == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, dx, PROTEA_SCRATCH, &r.y));
    return protea_l2norm_backward(cx, dx, &r.y, &r.norm, dy);
}

static const protea_module_ops l2norm_ops = { "l2norm", l2norm_forward, l2norm_backward, no_params, plain_free };

protea_status protea_l2norm_new(protea_module **out, int64_t features)
{
    return plain_new(out, &l2norm_ops, features, (protea_conv_geometry){ 0 });
}
