/* Tent: batch-norm by the batch's statistics, its weights and biases by the gradient of the predictions' entropy.
 *
 *   L = mean_n H(p_n)
 *
 * Source: Wang et al. 2021, arXiv:2006.10726, eq. 1. The authors' code removes the running statistics; here they go on moving,
 * unread, so that the saved model works on single images. */
#include "adapt/gradient_step.h"
#include "loss/entropy.h"

typedef struct tent {
    protea_adapt_base *base;
} tent;

static const protea_opt OPTIONS[] = { { .key = NULL } };

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((tent *)self)->base = base;
    return PROTEA_OK;
}

static protea_status loss(protea_ctx *cx, void *self, protea_adapt_pass *pass, protea_adapt_out *out)
{
    (void)self;
    out->kept = pass->logits.dim[0];
    return protea_entropy_loss(cx, &out->loss, &pass->d_logits, &pass->logits, NULL);
}

static protea_status adapt(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    return protea_gradient_steps(cx, ((tent *)self)->base, x, &(protea_adapt_loss){ loss, NULL, self }, logits, out);
}

const protea_adapter_ops protea_adapter_tent_ops = {
    .name = "tent", .summary = "less entropy, by batch-norm's weights and biases", .paper = "arXiv:2006.10726",
    .size = sizeof(tent), .opts = OPTIONS, .init = init, .adapt = adapt,
    .own = { .lr = 1e-3, .update_param = PROTEA_UPDATE_AFFINE, .optimizer = PROTEA_ADAPT_ADAM },
};
