/* Checked operations over windows: convolution and pooling. */
#include "tensor/check.h"
#include "tensor/ops.h"

static protea_status window_dims(const char *op, protea_conv_dims *d, const protea_tensor *x, const protea_tensor *y,
                                 protea_conv_geometry g)
{
    char found[PROTEA_SHAPE_TEXT], from[PROTEA_SHAPE_TEXT];
    PROTEA_TRY(protea_check_native(op, x));
    PROTEA_TRY(protea_check_native(op, y));
    int64_t h = protea_conv_size(x->dim[2], g), w = protea_conv_size(x->dim[3], g);
    if (x->dtype != y->dtype || x->dim[0] != y->dim[0] || h < 1 || w < 1 || y->dim[2] != h || y->dim[3] != w)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: %s from %s with window %lld, stride %lld, padding %lld; %lldx%lld fits", op,
                           protea_shape_text(found, y), protea_shape_text(from, x), (long long)g.kernel,
                           (long long)g.stride, (long long)g.pad, (long long)h, (long long)w);
    *d = (protea_conv_dims){ protea_map_of(x), protea_map_of(y), g.kernel, g.kernel, g.stride, g.pad };
    return PROTEA_OK;
}

static protea_status conv_dims(const char *op, protea_conv_dims *d, const protea_tensor *x, const protea_tensor *y,
                               const protea_tensor *w, protea_conv_geometry g)
{
    PROTEA_TRY(window_dims(op, d, x, y, g));
    return protea_check_plain(op, "weight", w, 4, (const int64_t[]){ y->dim[1], x->dim[1], g.kernel, g.kernel });
}

/* The pass's scratch memory is at the top of the stack: the caller marks before and releases after. */
static protea_status take_scratch(protea_ctx *cx, void *scratch, const protea_conv_dims *d, protea_conv_pass pass)
{
    size_t bytes = 0;
    PROTEA_TRY(cx->be->k.conv_scratch(cx->be, &bytes, d, pass));
    return protea_arena_alloc(cx->scratch, scratch, bytes);
}

protea_status protea_conv(protea_ctx *cx, protea_tensor *y, const protea_tensor *x, const protea_tensor *w, protea_conv_geometry g)
{
    protea_conv_dims d;
    void *scratch;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(conv_dims("conv", &d, x, y, w, g));
    PROTEA_TRY(take_scratch(cx, &scratch, &d, PROTEA_CONV_FORWARD));
    if (!cx->planning)
        PROTEA_TRY(cx->be->k.conv_forward(cx->be, y->data, x->data, protea_f32(w), &d, scratch));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_conv_backward_data(protea_ctx *cx, protea_tensor *dx, const protea_tensor *dy, const protea_tensor *w,
                                        protea_conv_geometry g)
{
    protea_conv_dims d;
    void *scratch;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(conv_dims("conv_backward_data", &d, dx, dy, w, g));
    PROTEA_TRY(take_scratch(cx, &scratch, &d, PROTEA_CONV_BACKWARD_DATA));
    if (!cx->planning)
        PROTEA_TRY(cx->be->k.conv_backward_data(cx->be, dx->data, dy->data, protea_f32(w), &d, scratch));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_conv_backward_weights(protea_ctx *cx, protea_tensor *dw, const protea_tensor *dy, const protea_tensor *x,
                                           protea_conv_geometry g)
{
    protea_conv_dims d;
    void *scratch;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(conv_dims("conv_backward_weights", &d, x, dy, dw, g));
    PROTEA_TRY(take_scratch(cx, &scratch, &d, PROTEA_CONV_BACKWARD_WEIGHTS));
    if (!cx->planning)
        PROTEA_TRY(cx->be->k.conv_backward_weights(cx->be, protea_f32(dw), dy->data, x->data, &d, scratch));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_conv_fused_bytes(protea_ctx *cx, size_t *packed_bytes, const protea_tensor *y, const protea_tensor *x,
                                      protea_conv_geometry g, protea_conv_ending ending)
{
    protea_conv_dims d;
    size_t scratch;
    PROTEA_TRY(window_dims("conv_fused", &d, x, y, g));
    return cx->be->k.conv_fused_bytes(cx->be, packed_bytes, &scratch, &d, ending);
}

static protea_status take_fused_scratch(protea_ctx *cx, void *scratch, const protea_conv_dims *d, protea_conv_ending ending)
{
    size_t packed, bytes;
    PROTEA_TRY(cx->be->k.conv_fused_bytes(cx->be, &packed, &bytes, d, ending));
    return protea_arena_alloc(cx->scratch, scratch, bytes);
}

protea_status protea_conv_fused_pack(protea_ctx *cx, void *packed, const protea_tensor *w, const protea_tensor *bias,
                                     const protea_tensor *y, const protea_tensor *x, protea_conv_geometry g,
                                     protea_conv_ending ending)
{
    protea_conv_dims d;
    void *scratch;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(conv_dims("conv_fused_pack", &d, x, y, w, g));
    PROTEA_TRY(protea_check_plain("conv_fused_pack", "bias", bias, 1, &y->dim[1]));
    PROTEA_TRY(take_fused_scratch(cx, &scratch, &d, ending));
    if (!cx->planning)
        PROTEA_TRY(cx->be->k.conv_fused_pack(cx->be, packed, protea_f32(w), protea_f32(bias), &d, ending, scratch));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_conv_fused(protea_ctx *cx, protea_tensor *y, const protea_tensor *x, void *packed, protea_conv_geometry g,
                                protea_conv_ending ending)
{
    protea_conv_dims d;
    void *scratch;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(window_dims("conv_fused", &d, x, y, g));
    PROTEA_TRY(take_fused_scratch(cx, &scratch, &d, ending));
    if (!cx->planning)
        PROTEA_TRY(cx->be->k.conv_fused(cx->be, y->data, x->data, packed, &d, ending, scratch));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* A window position must fit the u8 that remembers it. */
static protea_status pool_dims(const char *op, protea_conv_dims *d, const protea_tensor *x, const protea_tensor *y,
                               const protea_tensor *where, protea_conv_geometry g)
{
    protea_tensor like = *y;
    like.dtype = PROTEA_U8;
    PROTEA_TRY(window_dims(op, d, x, y, g));
    PROTEA_TRY(protea_check_same(op, where, &like));
    if (x->dim[1] == y->dim[1] && x->block == y->block && g.kernel <= 15 && g.pad < g.kernel)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "%s: %lld channels from %lld, window %lld, padding %lld", op, (long long)y->dim[1],
                       (long long)x->dim[1], (long long)g.kernel, (long long)g.pad);
}

protea_status protea_max_pool(protea_ctx *cx, protea_tensor *y, protea_tensor *where, const protea_tensor *x,
                              protea_conv_geometry g)
{
    protea_conv_dims d;
    PROTEA_TRY(pool_dims("max_pool", &d, x, y, where, g));
    if (!cx->planning)
        cx->be->k.max_pool(cx->be, y->data, where->data, x->data, &d);
    return PROTEA_OK;
}

protea_status protea_max_pool_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *dy, const protea_tensor *where,
                                       protea_conv_geometry g)
{
    protea_conv_dims d;
    PROTEA_TRY(pool_dims("max_pool_backward", &d, dx, dy, where, g));
    if (!cx->planning)
        cx->be->k.max_pool_backward(cx->be, dx->data, dy->data, where->data, &d);
    return PROTEA_OK;
}

protea_status protea_mean_pool(protea_ctx *cx, protea_tensor *y, const protea_tensor *x)
{
    PROTEA_TRY(protea_check_native("mean_pool", x));
    PROTEA_TRY(protea_check_plain("mean_pool", "y", y, 2, x->dim));
    protea_map m = protea_map_of(x);
    if (!cx->planning)
        cx->be->k.mean_pool(cx->be, protea_f32(y), x->data, &m);
    return PROTEA_OK;
}

protea_status protea_mean_pool_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *dy)
{
    PROTEA_TRY(protea_check_native("mean_pool_backward", dx));
    PROTEA_TRY(protea_check_plain("mean_pool_backward", "dy", dy, 2, dx->dim));
    protea_map m = protea_map_of(dx);
    if (!cx->planning)
        cx->be->k.mean_pool_backward(cx->be, dx->data, protea_f32(dy), &m);
    return PROTEA_OK;
}
