/* pl and plc: cross-entropy with the classifier's own predictions where it is sure of them.
 *
 *   L = mean over {n: max_c p_nc > beta} of - ln p_n,argmax        dL/dlogits = (p - onehot) / kept
 *
 * pl trains everything, plc the last layer. Where no prediction is sure there is no step; the code of TSD's comparison would
 * let Adam's momentum move the weights. Source: Lee 2013, "Pseudo-Label"; beta as in Iwasawa & Matsuo 2021. */
#include <math.h>

#include "adapt/gradient_step.h"
#include "base/alloc.h"
#include "loss/entropy.h"
#include "loss/log_softmax.h"

typedef struct pseudo_label {
    double beta;
    protea_adapt_base *base;
} pseudo_label;

static const protea_opt OPTIONS[] = {
    { "beta", NULL, PROTEA_OPT_FLOAT, offsetof(pseudo_label, beta), "0.9", 0, 1, NULL, NULL,
      "predictions of a higher probability are learnt from", "TSD, arXiv:2303.10902", 0 },
    { .key = NULL },
};

static protea_status init(protea_ctx *cx, void *self, protea_adapt_base *base)
{
    (void)cx;
    ((pseudo_label *)self)->base = base;
    return PROTEA_OK;
}

/* d holds p, and becomes p - onehot in the rows that are sure, 0 in the others; *sum: their cross-entropy. Returns how many. */
static int64_t keep_sure(float *d, double beta, int64_t n, int64_t c, double *sum)
{
    int64_t kept = 0;
    *sum = 0;
    for (int64_t row = 0; row < n; row++) {
        float *p = d + row * c;
        int64_t label = protea_argmax_row(p, c);
        bool sure = p[label] > beta;
        kept += sure;
        *sum -= sure ? log(p[label]) : 0;
        p[label] -= 1;
        for (int64_t i = 0; i < c && !sure; i++)
            p[i] = 0;
    }
    return kept;
}

static protea_status loss(protea_ctx *cx, void *adapter, protea_adapt_pass *pass, protea_adapt_out *out)
{
    const pseudo_label *self = adapter;
    int64_t n = pass->logits.dim[0], c = pass->logits.dim[1];
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor h;
    double sum;
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_softmax_entropy(cx, &h, &pass->d_logits, &pass->logits));
    protea_arena_release(cx->scratch, mark);
    if (cx->planning)
        return PROTEA_OK;
    out->kept = keep_sure(protea_f32(&pass->d_logits), self->beta, n, c, &sum);
    if (out->kept == 0)
        return PROTEA_OK;
    out->loss = sum / (double)out->kept;
    for (int64_t i = 0; i < n * c; i++)
        protea_f32(&pass->d_logits)[i] /= (float)out->kept;
    return PROTEA_OK;
}

static protea_status adapt(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    return protea_gradient_steps(cx, ((pseudo_label *)self)->base, x, &(protea_adapt_loss){ loss, NULL, self }, logits, out);
}

const protea_adapter_ops protea_adapter_pl_ops = {
    .name = "pl", .summary = "its own sure predictions as labels, for all weights", .paper = "Lee 2013",
    .size = sizeof(pseudo_label), .opts = OPTIONS, .init = init, .adapt = adapt,
    .own = { .lr = 1e-4, .update_param = PROTEA_UPDATE_ALL, .optimizer = PROTEA_ADAPT_ADAM },
};

const protea_adapter_ops protea_adapter_plc_ops = {
    .name = "plc", .summary = "its own sure predictions as labels, for the last layer", .paper = "Lee 2013",
    .size = sizeof(pseudo_label), .opts = OPTIONS, .init = init, .adapt = adapt,
    .own = { .lr = 1e-4, .update_param = PROTEA_UPDATE_HEAD, .optimizer = PROTEA_ADAPT_ADAM },
};
