/* MoCo: a query is told from a queue of earlier keys as the partner of the key of another view of its image, where keys come
 * from a slowly moving copy of the query's encoder.
 * Source: He et al. 2020, arXiv:1911.05722 (v1); Chen et al. 2020, arXiv:2003.04297 (v2: head with a hidden layer, other views,
 * temperature 0.2, cosine). In the authors' code the key encoder moves between the forward passes of a step, here after the
 * update before it: the same numbers, but that its last move is also made, and that a bad step leaves it and the queue alone.
 * Letters: N images on this rank, D = moco_dim, L = moco_k keys in the queue. */
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "cluster/codes.h"
#include "cluster/key_ring.h"
#include "comm/comm.h"
#include "loss/info_nce.h"
#include "method/embedding.h"
#include "method/method.h"
#include "method/moco_flags.h"
#include "method/momentum_encoder.h"
#include "nn/layers.h"
#include "tensor/ops.h"

typedef struct moco {
    /* options */
    int64_t dim, queue_length, bn_splits;
    double momentum, temperature;
    int32_t mlp, symmetric;
    int32_t aug_plus, cos;     /* read by protea_moco_settle */
    /* state */
    protea_embedder query;     /* its head: owned; backbone: borrowed; tape: owned */
    protea_momentum_encoder key;
    protea_key_ring queue;
    protea_tensor keys;        /* this step's (directions*N,D), in the kept arena until the update has joined them to the queue */
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

/* ---- making it */

static int64_t directions(const moco *self)
{
    return self->symmetric ? 2 : 1;
}

static protea_status check_splits(const protea_ctx *cx, const moco *self, const protea_progress *plan)
{
    int64_t images = plan->batch_size / cx->comm->size;
    if (images % self->bn_splits != 0 || images < 2 * self->bn_splits)
        return protea_fail(PROTEA_ERR_USAGE, "bn_splits: %lld found, a number wanted that divides the %lld images of a step into "
                           "groups of at least 2", (long long)self->bn_splits, (long long)images);
    if (self->bn_splits == 1)
        protea_log(cx, PROTEA_LOG_WARN, "moco: with one group of batch-norm statistics a key can be told by them (some 4%% of "
                   "kNN accuracy in MoCo's CIFAR-10 notebook); try bn_splits 8");
    return PROTEA_OK;
}

/* Query's and key's alike. */
static protea_status new_head(protea_module **out, const moco *self, int64_t features, protea_rng *rng)
{
    const protea_mlp_opts o = { .n_layers = self->mlp ? 2 : 1, .in = features, .hidden = features, .out = self->dim,
                                .hidden_bias = true, .out_bias = true };
    return protea_mlp_new(out, &o, rng);
}

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    moco *self = method;
    protea_module *key_head;
    self->query.backbone = backbone;
    PROTEA_TRY(check_splits(cx, self, plan));
    PROTEA_TRY(new_head(&self->query.head, self, backbone->out_dim, rng));
    PROTEA_TRY(new_head(&key_head, self, backbone->out_dim, rng));
    PROTEA_TRY(protea_momentum_encoder_init(&self->key, plan, backbone, self->query.head, key_head, rng));
    PROTEA_TRY(protea_key_ring_new(&self->queue, "moco_k", self->queue_length, self->dim, directions(self) * plan->batch_size,
                                   rng));
    return protea_tape_new(&self->query.tape);
}

static void moco_free(void *method)
{
    moco *self = method;
    protea_module_free(self->query.head);
    protea_momentum_encoder_release(&self->key);
    protea_key_ring_release(&self->queue);
    protea_tape_free(self->query.tape);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    moco *self = method;
    PROTEA_TRY(protea_visit(self->query.head, "fc", v));
    PROTEA_TRY(protea_momentum_encoder_visit(&self->key, v));
    return protea_key_ring_visit(&self->queue, v);
}

/* ---- a step */

/* Queries of one view against keys (N,D) of the other: loss, and gradients left in the query's parameters. z: queries. */
static protea_status contrast(protea_ctx *cx, moco *self, const protea_batch *batch, int64_t view, const protea_progress *now,
                              protea_tensor *keys, protea_info_nce_result *result, protea_tensor *z)
{
    const protea_pass pass = { .tape = self->query.tape, .batch_stats = true, .update_stats = true,
                               .bn_groups = self->bn_splits, .bn_run = 1 };
    const protea_batch queries = protea_view_alone(batch, view);
    const protea_tensor others = protea_view_images(batch, 1 - view);
    protea_embedding q;
    protea_tensor dz;
    PROTEA_TRY(protea_embed_batch(cx, &self->query, &pass, &queries, &q));
    PROTEA_TRY(protea_momentum_encoder_keys(cx, &self->key, keys, &others, self->bn_splits, now->step, (uint32_t)view));
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_tensor_like(cx, &dz, PROTEA_SCRATCH, &q.z));
    PROTEA_TRY(protea_info_nce(cx, result, &dz, &q.z, keys, &self->queue.keys, self->temperature));
    PROTEA_TRY(protea_embed_backward(cx, &self->query, &queries, &q, &dz));
    protea_arena_release(cx->scratch, mark);
    *z = q.z;
    return PROTEA_OK;
}

enum { LOSS_OVER_LN, ACCURACY, POSITIVE, NEGATIVE, EMBEDDING_STD, N_METRICS };

/* Of the first direction: enough to see a collapse. */
static void measure(const protea_ctx *cx, const moco *self, const protea_info_nce_result *r, const protea_tensor *z,
                    protea_step_out *out)
{
    out->n_metrics = N_METRICS;
    out->metric[LOSS_OVER_LN] = (protea_metric){ "loss_over_ln_k", r->loss / log(1 + (double)self->queue_length) };
    out->metric[ACCURACY] = (protea_metric){ "accuracy", r->accuracy };
    out->metric[POSITIVE] = (protea_metric){ "positive", r->positive };
    out->metric[NEGATIVE] = (protea_metric){ "negative", r->negative };
    out->metric[EMBEDDING_STD] = (protea_metric){ "embedding_std", protea_embedding_std(cx, z) };
}

/* One direction after the other, so that only one has its activations in memory. */
static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    moco *self = method;
    int64_t n = batch->n_images;
    PROTEA_TRY(protea_two_views_check(batch));
    protea_tape_clear(self->query.tape);
    self->settled = now->epoch > 0 && now->step * directions(self) * now->batch_size >= 2 * self->queue_length;
    PROTEA_TRY(protea_tensor_rows(cx, &self->keys, PROTEA_KEPT, directions(self) * n, self->dim));
    out->loss = 0;
    for (int64_t view = 0; view < directions(self); view++) {
        size_t mark = protea_arena_mark(cx->kept);
        protea_tensor keys = protea_row_range(&self->keys, view * n, n), z;
        protea_info_nce_result result = { 0 };
        PROTEA_TRY(contrast(cx, self, batch, view, now, &keys, &result, &z));
        out->loss += result.loss;
        if (view == 0)
            measure(cx, self, &result, &z, out);
        protea_arena_release(cx->kept, mark);
    }
    return PROTEA_OK;
}

/* With several ranks the keys of all would join here, in rank order. */
static protea_status after_update(protea_ctx *cx, void *method, const protea_progress *now)
{
    moco *self = method;
    (void)now;
    protea_momentum_encoder_update(&self->key, self->momentum);
    return protea_key_ring_push(cx, &self->queue, &self->keys);
}

/* ---- health */

/* Both are far from what a network that learns shows: its loss leaves ln(1 + L) when the queue holds real keys. */
static bool sick(const void *method, const protea_step_out *mean, char *text, size_t size)
{
    const moco *self = method;
    if (!self->settled || mean->n_metrics < N_METRICS)
        return false;
    double std = mean->metric[EMBEDDING_STD].value, loss = mean->metric[LOSS_OVER_LN].value;
    if (std < 0.05) {
        snprintf(text, size, "queries have collapsed: all images look alike (embedding std %.3f, 1 is healthy); try a lower "
                 "lr, a longer warmup_epochs, or softer crops", std);
        return true;
    }
    if (loss > 0.995) {
        snprintf(text, size, "loss is stuck at ln(1 + moco_k) (%.3f of it): queries do not know their keys; try a higher "
                 "moco_m, a lower moco_t, softer crops or another lr", loss);
        return true;
    }
    return false;
}

/* ---- the head alone */

static protea_status head(protea_ctx *cx, void *method, const protea_pass *pass, const protea_tensor *features,
                          protea_tensor *y)
{
    protea_embedding embedding;
    PROTEA_TRY(protea_embed_features(cx, ((moco *)method)->query.head, pass, features, &embedding));
    *y = embedding.z;
    return PROTEA_OK;
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
