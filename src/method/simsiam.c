/* SimSiam: from each of two views the projection of the other is predicted, which gets no gradient.
 *
 *   L = -1/2 [ mean_n cos(p_0, z_1) + mean_n cos(p_1, z_0) ],   z = projector(backbone(x)), p = predictor(z)
 *
 * Source: Chen & He 2021, arXiv:2011.10566, eq. 2; widths, biases and what is frozen as in the authors' code. Views pass
 * batch-norm apart. Letters: N images on this rank, D = dim. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cluster/codes.h"
#include "loss/negative_cosine.h"
#include "method/embedding.h"
#include "method/method.h"
#include "nn/layers.h"
#include "tensor/ops.h"

typedef struct simsiam {
    /* options */
    int64_t dim, pred_dim, proj_layers, proj_hidden;
    int32_t fix_pred_lr;
    /* state */
    protea_module *backbone;              /* borrowed */
    protea_module *projector, *predictor; /* owned: rows (n,F) -> (n,D) -> (n,D) */
    protea_tape *tape;
    bool settled;                         /* past the first epoch: health means something */
} simsiam;

static const protea_opt OPTIONS[] = {
    { "dim", NULL, PROTEA_OPT_INT, offsetof(simsiam, dim), "2048", 2, 65536, NULL, NULL,
      "dimension of projection and prediction", "arXiv:2011.10566", 0 },
    { "pred_dim", NULL, PROTEA_OPT_INT, offsetof(simsiam, pred_dim), "512", 2, 65536, NULL, NULL,
      "hidden width of the predictor", "arXiv:2011.10566", 0 },
    { "proj_layers", NULL, PROTEA_OPT_INT, offsetof(simsiam, proj_layers), "3", 2, 3, NULL, "layers",
      "linear layers of the projector; 2 for images of CIFAR's kind", "arXiv:2011.10566 (app. D: 2)", 0 },
    { "proj_hidden", NULL, PROTEA_OPT_INT, offsetof(simsiam, proj_hidden), "0", 0, 65536, NULL, NULL,
      "hidden width of the projector; 0: that of the features", "SimSiam's code", 0 },
    { "fix_pred_lr", NULL, PROTEA_OPT_BOOL, offsetof(simsiam, fix_pred_lr), "false", 0, 0, NULL, NULL,
      "the predictor keeps the first learning rate", "arXiv:2011.10566, sec. 4.2", 0 },
    { .key = NULL },
};

/* ---- making it */

/* The last bias has no effect, as batch-norm follows: the reference keeps and freezes it. */
static protea_status freeze_last_bias(void *self, const char *name, protea_param *p)
{
    if (strcmp(name, self) == 0)
        p->frozen = true;
    return PROTEA_OK;
}

static protea_status fix_lr(void *self, const char *name, protea_param *p)
{
    (void)self, (void)name;
    p->fixed_lr = true;
    return PROTEA_OK;
}

static protea_status new_projector(simsiam *self, protea_rng *rng)
{
    int64_t features = self->backbone->out_dim;
    const protea_mlp_opts o = { .n_layers = (int)self->proj_layers, .in = features, .out = self->dim,
                                .hidden = self->proj_hidden > 0 ? self->proj_hidden : features, .hidden_norm = true,
                                .out_bias = true, .out_norm = true };
    char last_bias[16];
    snprintf(last_bias, sizeof last_bias, "%d.bias", 3 * (o.n_layers - 1));
    PROTEA_TRY(protea_mlp_new(&self->projector, &o, rng));
    return protea_visit(self->projector, "", &(protea_visitor){ .param = freeze_last_bias, .self = last_bias });
}

static protea_status new_predictor(simsiam *self, protea_rng *rng)
{
    const protea_mlp_opts o = { .n_layers = 2, .in = self->dim, .hidden = self->pred_dim, .out = self->dim, .hidden_norm = true,
                                .out_bias = true };
    PROTEA_TRY(protea_mlp_new(&self->predictor, &o, rng));
    return self->fix_pred_lr ? protea_visit(self->predictor, "", &(protea_visitor){ .param = fix_lr }) : PROTEA_OK;
}

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    simsiam *self = method;
    (void)cx;
    (void)plan;
    self->backbone = backbone;
    PROTEA_TRY(new_projector(self, rng));
    PROTEA_TRY(new_predictor(self, rng));
    return protea_tape_new(&self->tape);
}

static void simsiam_free(void *method)
{
    simsiam *self = method;
    protea_module_free(self->projector);
    protea_module_free(self->predictor);
    protea_tape_free(self->tape);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    simsiam *self = method;
    PROTEA_TRY(protea_visit(self->projector, "projector", v));
    return protea_visit(self->predictor, "predictor", v);
}

/* ---- a step */

typedef struct view {
    protea_tensor z; /* (N,D) projection, of length 1 */
    protea_tensor p; /* (N,D) prediction, of any length; becomes its own gradient */
} view;

static protea_status forward(protea_ctx *cx, simsiam *self, const protea_tensor *x, view *v)
{
    const protea_pass pass = { .tape = self->tape, .batch_stats = true, .update_stats = true };
    protea_tensor features, projection, norm;
    PROTEA_TRY(protea_forward(cx, self->backbone, &pass, x, &features));
    PROTEA_TRY(protea_forward(cx, self->projector, &pass, &features, &projection));
    PROTEA_TRY(protea_forward(cx, self->predictor, &pass, &projection, &v->p));
    PROTEA_TRY(protea_tensor_like(cx, &v->z, PROTEA_KEPT, &projection));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_KEPT, projection.dim[0], 1));
    return protea_l2norm(cx, &v->z, &norm, &projection);
}

static protea_status backward(protea_ctx *cx, simsiam *self, view *v)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor dz, d_features;
    PROTEA_TRY(protea_backward(cx, self->predictor, self->tape, &v->p, &dz));
    PROTEA_TRY(protea_backward(cx, self->projector, self->tape, &dz, &d_features));
    PROTEA_TRY(protea_backward(cx, self->backbone, self->tape, &d_features, NULL));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    simsiam *self = method;
    view v[2];
    double loss[2] = { 0 };
    PROTEA_TRY(protea_two_views_check(batch));
    protea_tape_clear(self->tape);
    self->settled = now->epoch > 0;
    for (int i = 0; i < 2; i++) {
        const protea_tensor x = protea_view_images(batch, i);
        PROTEA_TRY(forward(cx, self, &x, &v[i]));
    }
    for (int i = 0; i < 2; i++)
        PROTEA_TRY(protea_negative_cosine(cx, &loss[i], &v[i].p, &v[i].p, &v[1 - i].z, 0.5));
    out->loss = loss[0] + loss[1];
    out->n_metrics = 1;
    out->metric[0] = (protea_metric){ "embedding_std", protea_embedding_std(cx, &v[0].z) };
    for (int i = 1; i >= 0; i--) /* the last forward is the first backward */
        PROTEA_TRY(backward(cx, self, &v[i]));
    return PROTEA_OK;
}

/* ---- health */

/* All projections alike are the other optimum of the loss (sec. 4.1): std * sqrt(D) is then 0, where 1 is healthy. */
static bool sick(const void *method, const protea_step_out *mean, char *text, size_t size)
{
    const simsiam *self = method;
    if (!self->settled || mean->n_metrics < 1 || !(mean->metric[0].value < 0.1))
        return false;
    snprintf(text, size, "projections have collapsed: all images look alike (embedding std %.3f, 1 is healthy; loss %.3f); try "
             "fix_pred_lr, proj_layers 2, a lower lr or softer crops", mean->metric[0].value, mean->loss);
    return true;
}

/* ---- the head alone */

static protea_status head(protea_ctx *cx, void *method, const protea_pass *pass, const protea_tensor *features,
                          protea_tensor *y)
{
    return protea_embed_head(cx, ((simsiam *)method)->projector, pass, features, y);
}

static int64_t head_dim(const void *method)
{
    return ((const simsiam *)method)->dim;
}

const protea_method_ops protea_method_simsiam = {
    .name = "simsiam",
    .summary = "two views predict one another, without negatives",
    .paper = "Chen and He 2021, Exploring Simple Siamese Representation Learning",
    .size = sizeof(simsiam),
    .opts = OPTIONS,
    .zero_init_residual = true,
    .init = init,
    .step = step,
    .visit = visit,
    .sick = sick,
    .head = head,
    .head_dim = head_dim,
    .free = simsiam_free,
};
