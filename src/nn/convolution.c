/* Convolution as a module. */
#include "nn/init.h"
#include "nn/layers.h"

typedef struct convolution {
    protea_module module;
    protea_param weight; /* (O,C,K,K) */
    protea_conv_geometry geometry;
} convolution;

static protea_status conv_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                  protea_tensor *y)
{
    convolution *l = (convolution *)m;
    PROTEA_TRY(protea_tensor_native(cx, y, PROTEA_KEPT, x->dtype, x->dim[0], m->out_dim, protea_conv_size(x->dim[2], l->geometry),
                                    protea_conv_size(x->dim[3], l->geometry)));
    PROTEA_TRY(protea_conv(cx, y, x, &l->weight.w, l->geometry));
    return pass->tape ? protea_tape_push(pass->tape, x, sizeof *x) : PROTEA_OK;
}

static protea_status conv_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    convolution *l = (convolution *)m;
    protea_tensor x;
    PROTEA_TRY(protea_tape_pop(tape, &x, sizeof x));
    if (!l->weight.frozen)
        PROTEA_TRY(protea_conv_backward_weights(cx, &l->weight.dw, dy, &x, l->geometry));
    if (dx == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, dx, PROTEA_SCRATCH, &x));
    return protea_conv_backward_data(cx, dx, dy, &l->weight.w, l->geometry);
}

static protea_status conv_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    return protea_visit_param(v, prefix, "weight", &((convolution *)m)->weight);
}

static void conv_free(protea_module *m)
{
    protea_param_release(&((convolution *)m)->weight);
    protea_free(m);
}

static const protea_module_ops conv_ops = { "conv", conv_forward, conv_backward, conv_visit, conv_free };

protea_status protea_conv_new(protea_module **out, int64_t in, int64_t out_channels, protea_conv_geometry g, protea_rng *rng)
{
    convolution *l;
    *out = NULL;
    PROTEA_TRY(protea_new(&l, 1, sizeof *l, "a convolution"));
    l->module = (protea_module){ &conv_ops, out_channels };
    l->geometry = g;
    protea_status status = protea_param_new(&l->weight, 4, (const int64_t[]){ out_channels, in, g.kernel, g.kernel });
    if (status != PROTEA_OK) {
        conv_free(&l->module);
        return status;
    }
    protea_init_kaiming(&l->weight.w, rng);
    *out = &l->module;
    return PROTEA_OK;
}
