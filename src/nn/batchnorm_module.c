/* Batch-norm as a module, with its activation. Only x is kept: backward works the activation's mask out again. */
#include "nn/batchnorm.h"
#include "nn/layers.h"

typedef struct batchnorm {
    protea_module module;
    protea_bn bn;
    protea_act act;
} batchnorm;

typedef struct record {
    protea_tensor x;
    protea_bn_record bn;
} record;

static protea_status batchnorm_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                       protea_tensor *y)
{
    batchnorm *l = (batchnorm *)m;
    record r = { .x = *x };
    PROTEA_TRY(protea_tensor_like(cx, y, PROTEA_KEPT, x));
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_bn_prepare(cx, &l->bn, pass, x, &r.bn));
    PROTEA_TRY(protea_bn_normalize(cx, &r.bn, y, x, NULL, l->act));
    protea_arena_release(cx->scratch, mark);
    return pass->tape ? protea_tape_push(pass->tape, &r, sizeof r) : PROTEA_OK;
}

static protea_status batchnorm_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy,
                                        protea_tensor *dx)
{
    batchnorm *l = (batchnorm *)m;
    record r;
    PROTEA_TRY(protea_tape_pop(tape, &r, sizeof r));
    PROTEA_TRY(protea_bn_backward(cx, &l->bn, &r.bn, dy, NULL, &r.x, NULL, dy, l->act));
    if (dx != NULL)
        *dx = *dy;
    return PROTEA_OK;
}

static protea_status batchnorm_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    return protea_bn_visit(&((batchnorm *)m)->bn, prefix, v);
}

static void batchnorm_free(protea_module *m)
{
    protea_bn_release(&((batchnorm *)m)->bn);
    protea_free(m);
}

static const protea_module_ops batchnorm_ops = { "batchnorm", batchnorm_forward, batchnorm_backward, batchnorm_visit,
                                                 batchnorm_free };

protea_status protea_batchnorm_new(protea_module **out, int64_t channels, bool affine, bool relu)
{
    batchnorm *l;
    *out = NULL;
    PROTEA_TRY(protea_new(&l, 1, sizeof *l, "a batch-norm layer"));
    l->module = (protea_module){ &batchnorm_ops, channels };
    l->act = relu ? PROTEA_RELU : PROTEA_LINEAR;
    protea_status status = protea_bn_init(&l->bn, channels, affine);
    if (status == PROTEA_OK)
        *out = &l->module;
    else
        batchnorm_free(&l->module);
    return status;
}
