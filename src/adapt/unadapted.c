/* source: the classifier as it came. */
#include "adapt/network.h"

typedef struct unadapted {
    protea_adapt_base *base;
} unadapted;

static const protea_opt OPTIONS[] = { { .key = NULL } };

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((unadapted *)self)->base = base;
    return PROTEA_OK;
}

static protea_status adapt(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    protea_tensor z;
    (void)out;
    return protea_network_forward(cx, ((unadapted *)self)->base, &(protea_pass){ 0 }, x, &z, logits);
}

const protea_adapter_ops protea_adapter_source_ops = {
    .name = "source", .summary = "the classifier as it came: what adaptation is compared with", .paper = "",
    .size = sizeof(unadapted), .opts = OPTIONS, .init = init, .adapt = adapt,
};
