#include "method/contrast.h"

#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "cluster/codes.h"
#include "comm/comm.h"
#include "nn/layers.h"
#include "tensor/ops.h"

/* ---- making it */

static protea_status check_splits(const protea_ctx *cx, const protea_contrast_opts *o, const protea_progress *plan)
{
    int64_t images = plan->batch_size / cx->comm->size;
    if (images % o->bn_splits != 0 || images < 2 * o->bn_splits)
        return protea_fail(PROTEA_ERR_USAGE, "bn_splits: %lld found, a number wanted that divides the %lld images of a step into "
                           "groups of at least 2", (long long)o->bn_splits, (long long)images);
    if (o->bn_splits == 1)
        protea_log(cx, PROTEA_LOG_WARN, "with one group of batch-norm statistics a key can be told by them (some 4%% of "
                   "kNN accuracy in MoCo's CIFAR-10 notebook); try bn_splits 8");
    return PROTEA_OK;
}

/* Query's and key's alike. */
static protea_status new_head(protea_module **out, const protea_contrast_opts *opts, int64_t features, protea_rng *rng)
{
    const protea_mlp_opts o = { .n_layers = opts->mlp ? 2 : 1, .in = features, .hidden = features, .out = opts->dim,
                                .hidden_bias = true, .out_bias = true };
    return protea_mlp_new(out, &o, rng);
}

protea_status protea_contrast_init(protea_ctx *cx, protea_contrast *c, const protea_contrast_opts *opts, protea_module *backbone,
                                   const protea_progress *plan, protea_rng *rng)
{
    protea_module *key_head;
    c->opts = *opts;
    c->query.backbone = backbone;
    PROTEA_TRY(check_splits(cx, opts, plan));
    PROTEA_TRY(new_head(&c->query.head, opts, backbone->out_dim, rng));
    PROTEA_TRY(new_head(&key_head, opts, backbone->out_dim, rng));
    PROTEA_TRY(protea_momentum_encoder_init(&c->key, plan, backbone, c->query.head, key_head, rng));
    PROTEA_TRY(protea_key_ring_new(&c->queue, opts->queue_name, opts->queue_length, opts->dim,
                                   opts->directions * plan->batch_size, rng));
    return protea_tape_new(&c->query.tape);
}

void protea_contrast_release(protea_contrast *c)
{
    protea_module_free(c->query.head);
    protea_momentum_encoder_release(&c->key);
    protea_key_ring_release(&c->queue);
    protea_tape_free(c->query.tape);
}

protea_status protea_contrast_visit(protea_contrast *c, const protea_visitor *v)
{
    PROTEA_TRY(protea_visit(c->query.head, "fc", v));
    PROTEA_TRY(protea_momentum_encoder_visit(&c->key, v));
    return protea_key_ring_visit(&c->queue, v);
}

/* ---- a step */

protea_status protea_contrast_begin(protea_ctx *cx, protea_contrast *c, const protea_batch *batch)
{
    PROTEA_TRY(protea_two_views_check(batch));
    protea_tape_clear(c->query.tape);
    return protea_tensor_rows(cx, &c->keys, PROTEA_KEPT, c->opts.directions * batch->n_images, c->opts.dim);
}

protea_status protea_contrast_forward(protea_ctx *cx, protea_contrast *c, const protea_batch *batch, int64_t view,
                                      const protea_progress *now, protea_contrast_pass *pass)
{
    const protea_pass train = { .tape = c->query.tape, .batch_stats = true, .update_stats = true,
                                .bn_groups = c->opts.bn_splits, .bn_run = 1 };
    const protea_tensor others = protea_view_images(batch, 1 - view);
    protea_tensor keys = protea_row_range(&c->keys, view * batch->n_images, batch->n_images);
    pass->queries = protea_view_alone(batch, view);
    pass->result = (protea_info_nce_result){ 0 };
    PROTEA_TRY(protea_embed_batch(cx, &c->query, &train, &pass->queries, &pass->q));
    PROTEA_TRY(protea_momentum_encoder_keys(cx, &c->key, &keys, &others, c->opts.bn_splits, now->step, (uint32_t)view));
    PROTEA_TRY(protea_tensor_like(cx, &pass->dq, PROTEA_SCRATCH, &pass->q.z));
    return protea_info_nce(cx, &pass->result, &pass->dq, &pass->q.z, &keys, &c->queue.keys, c->opts.temperature);
}

protea_status protea_contrast_backward(protea_ctx *cx, protea_contrast *c, protea_contrast_pass *pass)
{
    return protea_embed_backward(cx, &c->query, &pass->queries, &pass->q, &pass->dq);
}

protea_status protea_contrast_update(protea_ctx *cx, protea_contrast *c)
{
    protea_momentum_encoder_update(&c->key, c->opts.momentum);
    return protea_key_ring_push(cx, &c->queue, &c->keys);
}

/* ---- health */

enum { LOSS_OVER_LN, ACCURACY, POSITIVE, NEGATIVE, EMBEDDING_STD };

void protea_contrast_measure(const protea_ctx *cx, const protea_contrast *c, const protea_contrast_pass *pass,
                             protea_step_out *out)
{
    const protea_info_nce_result *r = &pass->result;
    out->n_metrics = PROTEA_CONTRAST_METRICS;
    out->metric[LOSS_OVER_LN] = (protea_metric){ "loss_over_ln_k", r->loss / log(1 + (double)c->opts.queue_length) };
    out->metric[ACCURACY] = (protea_metric){ "accuracy", r->accuracy };
    out->metric[POSITIVE] = (protea_metric){ "positive", r->positive };
    out->metric[NEGATIVE] = (protea_metric){ "negative", r->negative };
    out->metric[EMBEDDING_STD] = (protea_metric){ "embedding_std", protea_embedding_std(cx, &pass->q.z) };
}

bool protea_contrast_settled(const protea_contrast *c, const protea_progress *now)
{
    return now->epoch > 0 && now->step * c->opts.directions * now->batch_size >= 2 * c->opts.queue_length;
}

/* Both are far from what a network that learns shows: its loss leaves ln(1 + L) when the queue holds real keys. */
bool protea_contrast_sick(const protea_contrast *c, const protea_step_out *mean, char *text, size_t size)
{
    if (mean->n_metrics < PROTEA_CONTRAST_METRICS)
        return false;
    double std = mean->metric[EMBEDDING_STD].value, loss = mean->metric[LOSS_OVER_LN].value;
    if (std < 0.05) {
        snprintf(text, size, "queries have collapsed: all images look alike (embedding std %.3f, 1 is healthy); try a lower "
                 "lr, a longer warmup_epochs, or softer crops", std);
        return true;
    }
    if (loss > 0.995) {
        snprintf(text, size, "loss is stuck at ln(1 + %s) (%.3f of it): queries do not know their keys; try a higher "
                 "moco_m, a lower %s, softer crops or another lr", c->opts.queue_name, loss, c->opts.temperature_name);
        return true;
    }
    return false;
}
