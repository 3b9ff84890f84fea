/* Linear: y = x w' + bias, rows (N,C) -> (N,O). */
#include <math.h>

#include "nn/init.h"
#include "nn/layers.h"

typedef struct linear {
    protea_module module;
    protea_param weight, bias; /* (O,C), (O) */
    bool has_bias;
} linear;

static protea_status linear_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                    protea_tensor *y)
{
    linear *l = (linear *)m;
    PROTEA_TRY(protea_tensor_rows(cx, y, PROTEA_KEPT, x->dim[0], m->out_dim));
    PROTEA_TRY(protea_gemm(cx, y, x, &l->weight.w, false, true, 1, 0));
    if (l->has_bias)
        PROTEA_TRY(protea_add_bias(cx, y, &l->bias.w));
    return pass->tape ? protea_tape_push(pass->tape, x, sizeof *x) : PROTEA_OK;
}

static protea_status linear_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx)
{
    linear *l = (linear *)m;
    protea_tensor x;
    PROTEA_TRY(protea_tape_pop(tape, &x, sizeof x));
    if (!l->weight.frozen)
        PROTEA_TRY(protea_gemm(cx, &l->weight.dw, dy, &x, true, false, 1, 1));
    if (l->has_bias && !l->bias.frozen)
        PROTEA_TRY(protea_bias_backward(cx, &l->bias.dw, dy));
    if (dx == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, dx, PROTEA_SCRATCH, &x));
    return protea_gemm(cx, dx, dy, &l->weight.w, false, false, 1, 0);
}

static protea_status linear_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    linear *l = (linear *)m;
    PROTEA_TRY(protea_visit_param(v, prefix, "weight", &l->weight));
    return l->has_bias ? protea_visit_param(v, prefix, "bias", &l->bias) : PROTEA_OK;
}

static void linear_free(protea_module *m)
{
    linear *l = (linear *)m;
    protea_param_release(&l->weight);
    protea_param_release(&l->bias);
    protea_free(l);
}

static const protea_module_ops linear_ops = { "linear", linear_forward, linear_backward, linear_visit, linear_free };

static protea_status init_params(linear *l, int64_t in, int64_t out_features, protea_rng *rng)
{
    double bound = 1 / sqrt((double)in);
    PROTEA_TRY(protea_param_new(&l->weight, 2, (const int64_t[]){ out_features, in }));
    protea_init_uniform(&l->weight.w, bound, rng);
    if (!l->has_bias)
        return PROTEA_OK;
    PROTEA_TRY(protea_param_new(&l->bias, 1, &out_features));
    protea_init_uniform(&l->bias.w, bound, rng);
    return PROTEA_OK;
}

protea_status protea_linear_new(protea_module **out, int64_t in, int64_t out_features, bool bias, protea_rng *rng)
{
    linear *l;
    *out = NULL;
    PROTEA_TRY(protea_new(&l, 1, sizeof *l, "a linear layer"));
    l->module = (protea_module){ &linear_ops, out_features };
    l->has_bias = bias;
    protea_status status = init_params(l, in, out_features, rng);
    if (status == PROTEA_OK)
        *out = &l->module;
    else
        linear_free(&l->module);
    return status;
}
