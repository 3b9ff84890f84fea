/* A convolution and its batch-norm. */
#include "nn/conv_bn.h"

#include "nn/folds.h"
#include "nn/init.h"

protea_status protea_conv_bn_init(protea_conv_bn *u, int64_t in, int64_t out, protea_conv_geometry g, protea_rng *rng)
{
    *u = (protea_conv_bn){ .geometry = g };
    PROTEA_TRY(protea_param_new(&u->weight, 4, (const int64_t[]){ out, in, g.kernel, g.kernel }));
    protea_init_kaiming(&u->weight.w, rng);
    return protea_bn_init(&u->bn, out, true);
}

void protea_conv_bn_release(protea_conv_bn *u)
{
    protea_param_release(&u->weight);
    protea_bn_release(&u->bn);
}

protea_status protea_conv_bn_visit(protea_conv_bn *u, const char *prefix, const char *conv, const char *bn,
                                   const protea_visitor *v)
{
    char full[256];
    PROTEA_TRY(protea_join_name(full, prefix, conv));
    PROTEA_TRY(protea_visit_param(v, full, "weight", &u->weight));
    PROTEA_TRY(protea_join_name(full, prefix, bn));
    return protea_bn_visit(&u->bn, full, v);
}

protea_status protea_conv_bn_shape(protea_ctx *cx, const protea_conv_bn *u, protea_tensor *y, const protea_tensor *x)
{
    return protea_native_shape(cx, y, x->dtype, x->dim[0], u->bn.channels, protea_conv_size(x->dim[2], u->geometry),
                               protea_conv_size(x->dim[3], u->geometry));
}

protea_status protea_conv_bn_infer(protea_ctx *cx, protea_conv_bn *u, const protea_pass *pass, protea_tensor *y,
                                   const protea_tensor *x, protea_conv_ending ending)
{
    void *packed;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_folds_find(cx, pass->folds, &packed, u, y, x, ending));
    PROTEA_TRY(protea_conv_fused(cx, y, x, packed, u->geometry, ending));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_conv_bn_forward(protea_ctx *cx, protea_conv_bn *u, const protea_pass *pass, protea_tensor *c,
                                     protea_where where, const protea_tensor *x, protea_bn_record *record)
{
    PROTEA_TRY(protea_conv_bn_shape(cx, u, c, x));
    PROTEA_TRY(protea_tensor_like(cx, c, where, c));
    PROTEA_TRY(protea_conv(cx, c, x, &u->weight.w, u->geometry));
    return protea_bn_prepare(cx, &u->bn, pass, c, record);
}

protea_status protea_conv_bn_backward_weights(protea_ctx *cx, protea_conv_bn *u, const protea_tensor *dc, const protea_tensor *x)
{
    if (u->weight.frozen)
        return PROTEA_OK;
    return protea_conv_backward_weights(cx, &u->weight.dw, dc, x, u->geometry);
}

protea_status protea_conv_bn_backward_data(protea_ctx *cx, protea_conv_bn *u, protea_tensor *dx, const protea_tensor *dc)
{
    return protea_conv_backward_data(cx, dx, dc, &u->weight.w, u->geometry);
}
