/* SHOT-IM: information maximisation, sure of every image and diverse over the batch.
 *
 *   L = mean_n H(p_n) + sum_c m_c ln(m_c + 1e-5),   m = mean_n p_n
 *
 * Source: Liang et al. 2020, arXiv:2002.08546, eq. 3, online as in TSD's comparison: one step a batch, Adam, the last layer
 * left alone. */
#include "adapt/gradient_step.h"
#include "loss/entropy.h"

typedef struct shot_im {
    protea_adapt_base *base;
} shot_im;

static const protea_opt OPTIONS[] = { { .key = NULL } };

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((shot_im *)self)->base = base;
    return PROTEA_OK;
}

static protea_status loss(protea_ctx *cx, void *self, protea_adapt_pass *pass, protea_adapt_out *out)
{
    (void)self;
    out->kept = pass->logits.dim[0];
    return protea_information_loss(cx, &out->loss, &pass->d_logits, &pass->logits);
}

static protea_status adapt(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    return protea_gradient_steps(cx, ((shot_im *)self)->base, x, &(protea_adapt_loss){ loss, NULL, self }, logits, out);
}

const protea_adapter_ops protea_adapter_shot_im_ops = {
    .name = "shot-im", .summary = "sure of each image, diverse over the batch", .paper = "arXiv:2002.08546",
    .size = sizeof(shot_im), .opts = OPTIONS, .init = init, .adapt = adapt,
    .own = { .lr = 1e-4, .update_param = PROTEA_UPDATE_BODY, .optimizer = PROTEA_ADAPT_ADAM },
};
