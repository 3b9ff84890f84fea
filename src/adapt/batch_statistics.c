/* bn: batch-norm by the statistics of the test batch, nothing trained. The running statistics follow, so that a single image
 * and the saved model profit too. Source: Nado et al. 2020, arXiv:2006.10963. */
#include "adapt/gradient_step.h"

typedef struct batch_statistics {
    protea_adapt_base *base;
} batch_statistics;

static const protea_opt OPTIONS[] = { { .key = NULL } };

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((batch_statistics *)self)->base = base;
    return PROTEA_OK;
}

static protea_status adapt(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    protea_adapt_pass pass;
    bool finite;
    (void)out;
    PROTEA_TRY(protea_adapt_forward(cx, ((batch_statistics *)self)->base, x, false, true, &pass, &finite));
    *logits = pass.logits;
    return PROTEA_OK;
}

const protea_adapter_ops protea_adapter_bn_ops = {
    .name = "bn", .summary = "batch-norm by the statistics of the test batch", .paper = "arXiv:2006.10963",
    .size = sizeof(batch_statistics), .opts = OPTIONS, .init = init, .adapt = adapt,
};
