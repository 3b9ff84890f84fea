/* A backbone small enough for finite differences: the means of the four quarters of each channel, then a linear layer.
 * Takes images of any size; what is hard to get right lies in the method. */
#ifndef PROTEA_TESTS_SUPPORT_TINY_BACKBONE_H
#define PROTEA_TESTS_SUPPORT_TINY_BACKBONE_H

#include <stdlib.h>

#include "nn/layers.h"

enum { TINY_QUARTERS = 12, TINY_FEATURES = 10 };

typedef struct tiny_backbone {
    protea_module module;
    protea_module *linear;
} tiny_backbone;

static inline void tiny_quarters(float *y, const protea_tensor *x)
{
    int64_t h = x->dim[2], w = x->dim[3], pixels = h * w;
    for (int64_t i = 0; i < protea_count(x); i++) {
        int64_t quarter = (i / w % h * 2 / h) * 2 + i % w * 2 / w;
        y[i / pixels * 4 + quarter] += protea_f32(x)[i] * 4 / (float)pixels;
    }
}

static inline protea_status tiny_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x,
                                         protea_tensor *y)
{
    protea_tensor quarters;
    PROTEA_TRY(protea_tensor_rows(cx, &quarters, PROTEA_KEPT, x->dim[0], TINY_QUARTERS));
    if (!cx->planning) {
        memset(quarters.data, 0, protea_bytes(&quarters));
        tiny_quarters(protea_f32(&quarters), x);
    }
    return protea_forward(cx, ((tiny_backbone *)m)->linear, pass, &quarters, y);
}

static inline protea_status tiny_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy,
                                          protea_tensor *dx)
{
    return protea_backward(cx, ((tiny_backbone *)m)->linear, tape, dy, dx);
}

static inline protea_status tiny_visit(protea_module *m, const char *prefix, const protea_visitor *v)
{
    char full[256];
    PROTEA_TRY(protea_join_name(full, prefix, "linear"));
    return protea_visit(((tiny_backbone *)m)->linear, full, v);
}

static inline void tiny_free(protea_module *m)
{
    protea_module_free(((tiny_backbone *)m)->linear);
    free(m);
}

static inline protea_status tiny_backbone_new(protea_module **out, protea_rng *rng)
{
    static const protea_module_ops ops = { "tiny", tiny_forward, tiny_backward, tiny_visit, tiny_free };
    tiny_backbone *tiny = calloc(1, sizeof *tiny);
    tiny->module = (protea_module){ &ops, TINY_FEATURES };
    protea_status status = protea_linear_new(&tiny->linear, TINY_QUARTERS, TINY_FEATURES, true, rng);
    if (status != PROTEA_OK)
        tiny_free(&tiny->module);
    *out = status == PROTEA_OK ? &tiny->module : NULL;
    return status;
}

#endif
