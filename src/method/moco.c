/* MoCo: a query is told from a queue of earlier keys as the partner of the key of another view of its image, where keys come
 * from a slowly moving copy of the query's encoder.
 * Source: He et al. 2020, arXiv:1911.05722 (v1); Chen et al. 2020, arXiv:2003.04297 (v2: head with a hidden layer, other views,
 * temperature 0.2, cosine). What PCL has too is in contrast.h. */
#include "method/contrast.h"
#include "method/moco_flags.h"

typedef struct moco {
    /* options */
    int64_t dim, queue_length, bn_splits;
    double momentum, temperature;
    int32_t mlp, symmetric;
    int32_t aug_plus, cos;     /* read by protea_moco_settle */
    /* state */
    protea_contrast contrast;
    bool settled;              /* past the first epoch, and the queue has been filled twice: health means something */
} moco;

static const protea_opt OPTIONS[] = {
    { "moco_dim", NULL, PROTEA_OPT_INT, offsetof(moco, dim), "128", 2, 65536, NULL, NULL,
      "dimension of queries and keys", "arXiv:1911.05722", 0 },
    { "moco_k", NULL, PROTEA_OPT_INT, offsetof(moco, queue_length), "65536", 2, 1 << 23, NULL, "keys",
      "keys of earlier steps that a query is told from; a multiple of the keys of a step", "arXiv:1911.05722", 0 },
    { "moco_m", NULL, PROTEA_OPT_FLOAT, offsetof(moco, momentum), "0.999", 0, 1, NULL, NULL,
      "momentum of the key encoder; 0.99 for short runs", "arXiv:1911.05722", 0 },
    { "moco_t", NULL, PROTEA_OPT_FLOAT, offsetof(moco, temperature), "0.07", 1e-4, 100, NULL, NULL,
      "temperature: divides the cosines before softmax", "arXiv:1911.05722 (v2: 0.2)", 0 },
    { "mlp", NULL, PROTEA_OPT_BOOL, offsetof(moco, mlp), "false", 0, 0, NULL, NULL,
      "head with a hidden layer as wide as the features, as in v2; else one linear layer", "arXiv:2003.04297", 0 },
    { "symmetric", NULL, PROTEA_OPT_BOOL, offsetof(moco, symmetric), "false", 0, 0, NULL, NULL,
      "each view is query once and key once; losses are added, so a step is worth two", "MoCo's CIFAR-10 notebook", 0 },
    { "bn_splits", NULL, PROTEA_OPT_INT, offsetof(moco, bn_splits), "8", 1, 4096, NULL, "groups",
      "groups of a batch with batch-norm statistics of their own, so that keys are not known by them",
      "MoCo's CIFAR-10 notebook; as many as its code has GPUs", 0 },
    { "aug_plus", NULL, PROTEA_OPT_BOOL, offsetof(moco, aug_plus), "false", 0, 0, NULL, NULL,
      "sets the views: those of v2, or if false of v1; not given: the recipe's", "MoCo's code", 0 },
    { "cos", NULL, PROTEA_OPT_BOOL, offsetof(moco, cos), "false", 0, 0, NULL, NULL,
      "sets lr_schedule: cosine-epoch, or if false steps; not given: the recipe's", "MoCo's code", 0 },
    { .key = NULL },
};

static int64_t directions(const moco *self)
{
    return self->symmetric ? 2 : 1;
}

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    moco *self = method;
    const protea_contrast_opts opts = {
        .queue_name = "moco_k", .temperature_name = "moco_t", .dim = self->dim,
        .queue_length = self->queue_length, .bn_splits = self->bn_splits,
        .directions = directions(self), .mlp = self->mlp, .momentum = self->momentum, .temperature = self->temperature,
    };
    return protea_contrast_init(cx, &self->contrast, &opts, backbone, plan, rng);
}

static void moco_free(void *method)
{
    protea_contrast_release(&((moco *)method)->contrast);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    return protea_contrast_visit(&((moco *)method)->contrast, v);
}

/* ---- a step */

/* One direction after the other, so that only one has its activations in memory. Health is of the first: enough to see a
 * collapse. */
static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    moco *self = method;
    self->settled = protea_contrast_settled(&self->contrast, now);
    out->loss = 0;
    PROTEA_TRY(protea_contrast_begin(cx, &self->contrast, batch));
    for (int64_t view = 0; view < directions(self); view++) {
        size_t kept = protea_arena_mark(cx->kept), scratch = protea_arena_mark(cx->scratch);
        protea_contrast_pass pass;
        PROTEA_TRY(protea_contrast_forward(cx, &self->contrast, batch, view, now, &pass));
        out->loss += pass.result.loss;
        if (view == 0)
            protea_contrast_measure(cx, &self->contrast, &pass, out);
        PROTEA_TRY(protea_contrast_backward(cx, &self->contrast, &pass));
        protea_arena_release(cx->kept, kept);
        protea_arena_release(cx->scratch, scratch);
    }
    return PROTEA_OK;
}

static protea_status after_update(protea_ctx *cx, void *method, const protea_progress *now)
{
    (void)now;
    return protea_contrast_update(cx, &((moco *)method)->contrast);
}

static bool sick(const void *method, const protea_step_out *mean, char *text, size_t size)
{
    const moco *self = method;
    return self->settled && protea_contrast_sick(&self->contrast, mean, text, size);
}

static protea_status head(protea_ctx *cx, void *method, const protea_pass *pass, const protea_tensor *features,
                          protea_tensor *y)
{
    return protea_embed_head(cx, ((moco *)method)->contrast.query.head, pass, features, y);
}

static int64_t head_dim(const void *method)
{
    return ((const moco *)method)->dim;
}

const protea_method_ops protea_method_moco = {
    .name = "moco",
    .summary = "queries told from a queue of keys of a slowly moving encoder",
    .paper = "He et al. 2020, Momentum Contrast for Unsupervised Visual Representation Learning",
    .size = sizeof(moco),
    .opts = OPTIONS,
    .settle = protea_moco_settle,
    .init = init,
    .step = step,
    .after_update = after_update,
    .visit = visit,
    .sick = sick,
    .head = head,
    .head_dim = head_dim,
    .free = moco_free,
};
