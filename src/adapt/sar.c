/* SAR: entropy of the sure rows, at weights moved to where it is worst nearby; a reset when everything becomes sure.
 *
 *   g = gradient of mean over {n: H_n < E0} of H_n,   w' = w + rho g / |g|,   E0 = margin ln C
 *   L = mean over {n: H_n < E0 at w and at w'} of H_n(w');   w moves by L's gradient at w'
 *
 * e, a moving mean of L (0.9 of the old), below reset_constant: all is reset after the batch. Batch-norm in the last stage
 * (layer4) stays as it is. Source: Niu et al. 2023, arXiv:2302.12400, eq. 2-5 and sec. 4; their code puts the old e back after
 * a reset, and so resets again and again; ours starts it anew. */
#include <math.h>
#include <string.h>

#include "adapt/gradient_step.h"
#include "adapt/network.h"
#include "adapt/snapshot.h"
#include "base/alloc.h"
#include "loss/entropy.h"
#include "optim/optim_rules.h"
#include "tensor/ops.h"

typedef struct sar {
    double margin, rho, reset_constant;
    protea_adapt_base *base;
    protea_snapshot *weights;   /* w, while w' is tried */
    protea_tensor ema;          /* (2): e, and 1 once there is one */
} sar;

static const protea_opt OPTIONS[] = {
    { "margin", NULL, PROTEA_OPT_FLOAT, offsetof(sar, margin), "0.4", 0, 1, NULL, NULL,
      "rows of an entropy below this share of ln(classes) are learnt from", "arXiv:2302.12400", 0 },
    { "rho", NULL, PROTEA_OPT_FLOAT, offsetof(sar, rho), "0.05", 0, 100, NULL, NULL,
      "how far away the worst weights are looked for", "arXiv:2302.12400", 0 },
    { "reset_constant", NULL, PROTEA_OPT_FLOAT, offsetof(sar, reset_constant), "0.2", 0, 100, NULL, "nats",
      "reset when the loss's moving mean falls below", "arXiv:2302.12400", 0 },
    { .key = NULL },
};

static protea_status freeze_last_stage(void *self, const char *name, protea_param *p)
{
    (void)self;
    p->frozen = p->frozen || strncmp(name, "layer4.", 7) == 0;
    return PROTEA_OK;
}

static protea_status init(protea_ctx *cx, void *adapter, protea_adapt_base *base)
{
    sar *self = adapter;
    (void)cx;
    self->base = base;
    if (base->opts.update_param == PROTEA_UPDATE_AFFINE)
        PROTEA_TRY(protea_visit(base->model.featurizer, "", &(protea_visitor){ .param = freeze_last_stage }));
    PROTEA_TRY(protea_tensor_new(&self->ema, 1, (const int64_t[]){ 2 }, "SAR"));
    return protea_snapshot_new(&self->weights, protea_network_visit_trained, &base->model, true, false);
}

static void sar_free(void *adapter)
{
    sar *self = adapter;
    protea_tensor_release(&self->ema);
    protea_snapshot_free(self->weights);
}

static protea_status reset(protea_ctx *cx, void *adapter)
{
    (void)cx;
    memset(((sar *)adapter)->ema.data, 0, protea_bytes(&((sar *)adapter)->ema));
    return PROTEA_OK;
}

static protea_status visit(void *adapter, const protea_visitor *v)
{
    return protea_visit_buffer(v, "adapter", "loss_ema", &((sar *)adapter)->ema);
}

/* ---- a step */

/* Rows that stay sure: keep is narrowed to those with H < E0 now, and the loss is their mean entropy. */
static protea_status sure_loss(protea_ctx *cx, const sar *self, protea_adapt_pass *pass, bool *keep, protea_adapt_out *out)
{
    int64_t n = pass->logits.dim[0];
    double *weight, bound = self->margin * log((double)pass->logits.dim[1]);
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor h;
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &weight, (size_t)n * sizeof *weight));
    PROTEA_TRY(protea_softmax_entropy(cx, &h, NULL, &pass->logits));
    out->kept = 0;
    for (int64_t i = 0; i < n && !cx->planning; i++) {
        keep[i] = keep[i] && protea_f32(&h)[i] < bound;
        out->kept += keep[i];
    }
    for (int64_t i = 0; i < n && !cx->planning; i++)
        weight[i] = keep[i] ? 1 / (double)out->kept : 0;
    PROTEA_TRY(protea_entropy_loss(cx, &out->loss, &pass->d_logits, &pass->logits, weight));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

typedef struct gradient_walk {
    double square;  /* of the gradient's length */
    double scale;   /* w += scale g */
} gradient_walk;

static protea_status add_square(void *self, const char *name, protea_param *p)
{
    double norm = protea_l2_norm(protea_f32(&p->dw), protea_count(&p->dw));
    (void)name;
    ((gradient_walk *)self)->square += norm * norm;
    return PROTEA_OK;
}

static protea_status climb_param(void *self, const char *name, protea_param *p)
{
    (void)name;
    for (int64_t i = 0; i < protea_count(&p->w); i++)
        protea_f32(&p->w)[i] += (float)(((gradient_walk *)self)->scale * protea_f32(&p->dw)[i]);
    return PROTEA_OK;
}

/* w becomes w'; w is in the snapshot. */
static protea_status climb(const protea_ctx *cx, sar *self)
{
    gradient_walk walk = { 0 };
    if (cx->planning)
        return PROTEA_OK;
    protea_snapshot_take(self->weights);
    PROTEA_TRY(protea_network_visit_trained(&self->base->model, &(protea_visitor){ .param = add_square, .self = &walk }));
    walk.scale = self->rho / (sqrt(walk.square) + 1e-12);
    return protea_network_visit_trained(&self->base->model, &(protea_visitor){ .param = climb_param, .self = &walk });
}

/* The first half: logits, the sure rows, and w moved to w'. *go false: nothing is to be learnt from this batch. */
static protea_status first_half(protea_ctx *cx, sar *self, const protea_tensor *x, bool *keep, protea_tensor *logits,
                                protea_adapt_out *out, bool *go)
{
    protea_adapt_pass pass;
    PROTEA_TRY(protea_adapt_forward(cx, self->base, x, true, true, &pass, go));
    PROTEA_TRY(protea_copy(cx, logits, &pass.logits));
    if (!*go)
        return PROTEA_OK;
    PROTEA_TRY(sure_loss(cx, self, &pass, keep, out));
    *go = cx->planning || out->kept > 0;
    if (!*go)
        return PROTEA_OK;
    PROTEA_TRY(protea_adapt_backward(cx, self->base, &pass, go));
    if (*go)
        return climb(cx, self);
    protea_snapshot_restore(self->base->statistics);
    return PROTEA_OK;
}

/* The second: the gradient at w', with w put back. */
static protea_status second_half(protea_ctx *cx, sar *self, const protea_tensor *x, bool *keep, protea_adapt_out *out, bool *go)
{
    protea_adapt_pass pass;
    PROTEA_TRY(protea_adapt_forward(cx, self->base, x, true, false, &pass, go));
    if (*go)
        PROTEA_TRY(sure_loss(cx, self, &pass, keep, out));
    *go = *go && (cx->planning || out->kept > 0);
    if (*go)
        PROTEA_TRY(protea_adapt_backward(cx, self->base, &pass, go));
    if (!cx->planning)
        protea_snapshot_restore(self->weights);
    return PROTEA_OK;
}

static void move_ema(sar *self, protea_adapt_out *out)
{
    float *e = protea_f32(&self->ema);
    e[0] = e[1] > 0 ? (float)(0.9 * e[0] + 0.1 * out->loss) : (float)out->loss;
    e[1] = 1;
    out->was_reset = e[0] < self->reset_constant;
}

static protea_status one_step(protea_ctx *cx, sar *self, const protea_tensor *x, bool *keep, protea_tensor *logits,
                              protea_adapt_out *out)
{
    bool go;
    size_t mark = protea_arena_mark(cx->kept);
    PROTEA_TRY(first_half(cx, self, x, keep, logits, out, &go));
    protea_arena_release(cx->kept, mark);
    if (go)
        PROTEA_TRY(second_half(cx, self, x, keep, out, &go));
    protea_arena_release(cx->kept, mark);
    if (!go) {
        out->kept = 0;
        return PROTEA_OK;
    }
    out->updated = true;
    PROTEA_TRY(protea_optim_step(cx, self->base->optim, self->base->opts.lr));
    if (!cx->planning)
        move_ema(self, out);
    return PROTEA_OK;
}

static protea_status adapt(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    sar *self = adapter;
    int64_t n = x->dim[0];
    bool *keep;
    PROTEA_TRY(protea_tensor_rows(cx, logits, PROTEA_KEPT, n, self->base->model.fc->out_dim));
    PROTEA_TRY(protea_arena_alloc(cx->kept, &keep, (size_t)n * sizeof *keep));
    for (int64_t step = 0; step < self->base->opts.steps && !out->was_reset; step++) {
        for (int64_t i = 0; i < n && !cx->planning; i++)
            keep[i] = true;
        PROTEA_TRY(one_step(cx, self, x, keep, logits, out));
    }
    return PROTEA_OK;
}

const protea_adapter_ops protea_adapter_sar_ops = {
    .name = "sar", .summary = "less entropy on sure images, at the worst weights nearby", .paper = "arXiv:2302.12400",
    .size = sizeof(sar), .opts = OPTIONS, .init = init, .adapt = adapt, .reset = reset, .visit = visit, .free = sar_free,
    .own = { .lr = 2.5e-4, .update_param = PROTEA_UPDATE_AFFINE, .optimizer = PROTEA_ADAPT_SGD },
};
