/* bn-alpha: batch-norm by a mixture of the training data's statistics and the batch's; works on a single image.
 *
 *   mean = (1 - alpha) mean_source + alpha mean_batch, and so the variance
 *
 * The batch's variance is the unbiased one, as the running variance is. Nothing is trained and nothing moves.
 * Source: Schneider et al. 2020, arXiv:2006.16971, eq. 3, who write alpha = n / (N + n); one alpha as in You et al. 2021,
 * arXiv:2110.04065. */
#include "adapt/network.h"

typedef struct mixed_statistics {
    double alpha;
    protea_adapt_base *base;
} mixed_statistics;

static const protea_opt OPTIONS[] = {
    { "alpha", NULL, PROTEA_OPT_FLOAT, offsetof(mixed_statistics, alpha), "0.1", 0.001, 1, NULL, NULL,
      "share of the batch's statistics", "arXiv:2110.04065", 0 },
    { .key = NULL },
};

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((mixed_statistics *)self)->base = base;
    return PROTEA_OK;
}

static protea_status predict(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits)
{
    const mixed_statistics *self = adapter;
    const protea_pass pass = { .batch_stats = true, .mixed_share = self->alpha };
    protea_tensor z;
    return protea_network_forward(cx, self->base, &pass, x, &z, logits);
}

static protea_status adapt(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    (void)out;
    return predict(cx, self, x, logits);
}

const protea_adapter_ops protea_adapter_bn_alpha_ops = {
    .name = "bn-alpha", .summary = "batch-norm by a mixture of source and batch statistics", .paper = "arXiv:2006.16971",
    .size = sizeof(mixed_statistics), .opts = OPTIONS, .init = init, .predict = predict, .adapt = adapt,
};
