/* SwAV: swapped prediction of codes that Sinkhorn-Knopp assigns online.
 * Source: Caron et al. 2020, arXiv:2006.09882; the order of a step and what its options mean are those of the authors'
 * implementation. Letters: N images on this rank, V views, A assigned views, D = feat_dim, K prototypes. */
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "cluster/codes.h"
#include "cluster/queue.h"
#include "cluster/sinkhorn.h"
#include "comm/comm.h"
#include "loss/swapped_prediction.h"
#include "method/embedding.h"
#include "method/method.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "tensor/ops.h"

typedef struct swav {
    /* options */
    int64_t nmb_prototypes, feat_dim, hidden_mlp;
    double temperature, epsilon;
    int64_t sinkhorn_iterations;
    protea_list crops_for_assign;
    int64_t queue_length, epoch_queue_starts;
    int64_t freeze_prototypes_niters, hard_assignment_niters;
    /* state */
    protea_module *backbone;   /* borrowed */
    protea_module *head;       /* (*,features) -> (*,D), before L2 normalisation */
    protea_param prototypes;   /* (K,D), rows of length 1 during a step */
    protea_queue queue;
    protea_tape *tape;
    bool settled;              /* past the first epoch, the prototype freeze and hard assignment: health means something */
} swav;

static const protea_opt OPTIONS[] = {
    { "nmb_prototypes", NULL, PROTEA_OPT_INT, offsetof(swav, nmb_prototypes), "3000", 2, 1e6, NULL, NULL,
      "prototypes; about ten times the classes one expects", "arXiv:2006.09882", 0 },
    { "feat_dim", NULL, PROTEA_OPT_INT, offsetof(swav, feat_dim), "128", 2, 65536, NULL, NULL,
      "dimension of the embedding", "arXiv:2006.09882", 0 },
    { "hidden_mlp", NULL, PROTEA_OPT_INT, offsetof(swav, hidden_mlp), "2048", 0, 1e6, NULL, NULL,
      "hidden width of the projection head; 0: one linear layer", "arXiv:2006.09882", 0 },
    { "temperature", NULL, PROTEA_OPT_FLOAT, offsetof(swav, temperature), "0.1", 1e-4, 100, NULL, NULL,
      "divides the scores before softmax", "arXiv:2006.09882", 0 },
    { "epsilon", NULL, PROTEA_OPT_FLOAT, offsetof(swav, epsilon), "0.05", 1e-3, 100, NULL, NULL,
      "entropy of the codes: smaller is harder", "arXiv:2006.09882", 0 },
    { "sinkhorn_iterations", NULL, PROTEA_OPT_INT, offsetof(swav, sinkhorn_iterations), "3", 1, 1000, NULL, NULL,
      "sweeps of Sinkhorn-Knopp", "arXiv:2006.09882", 0 },
    { "crops_for_assign", NULL, PROTEA_OPT_LIST, offsetof(swav, crops_for_assign), "0,1", 0, 63, NULL, NULL,
      "views whose codes are predicted, numbered from 0", "arXiv:2006.09882", 0 },
    { "queue_length", NULL, PROTEA_OPT_INT, offsetof(swav, queue_length), "0", 0, 1 << 24, NULL, "images",
      "embeddings of earlier steps that join the assignment, in whole batches; 0: none", "arXiv:2006.09882 (3840 for batches of 256)", 0 },
    { "epoch_queue_starts", NULL, PROTEA_OPT_INT, offsetof(swav, epoch_queue_starts), "15", 0, 1e6, NULL, "epochs",
      "epoch from which the queue is filled; it is used when full", "arXiv:2006.09882", PROTEA_OPT_SCALES },
    { "freeze_prototypes_niters", NULL, PROTEA_OPT_INT, offsetof(swav, freeze_prototypes_niters), "313", 0, 1e12, NULL,
      "steps", "first steps without a gradient for the prototypes", "arXiv:2006.09882 (one epoch)", PROTEA_OPT_SCALES },
    { "hard_assignment_niters", "temp_hard_assignment_iters", PROTEA_OPT_INT, offsetof(swav, hard_assignment_niters), "0", 0,
      1e12, NULL, "steps", "first steps whose codes are rounded to one prototype", "VISSL", PROTEA_OPT_SCALES },
    { .key = NULL },
};

/* ---- making it */

/* The reference rounds the queue down to whole batches in silence, a short one to none. Here rounding is said, and a queue
 * that would be none is refused: whoever asks for one wants it. */
static protea_status check_queue(const protea_ctx *cx, const swav *self, const protea_progress *plan)
{
    int64_t rows = protea_queue_rows(self->queue_length, plan->batch_size, 1);
    if (self->queue_length > 0 && rows == 0)
        return protea_fail(PROTEA_ERR_USAGE, "queue_length: %lld found, 0 or at least one batch (%lld) wanted",
                           (long long)self->queue_length, (long long)plan->batch_size);
    if (rows != self->queue_length)
        protea_log(cx, PROTEA_LOG_WARN, "swav: queue_length %lld is rounded down to whole batches: %lld",
                   (long long)self->queue_length, (long long)rows);
    return PROTEA_OK;
}

/* Codes of fewer samples than prototypes are legal but blurred: each sample is spread over K/B prototypes. */
static void warn_of_few_samples(const protea_ctx *cx, const swav *self, const protea_progress *plan)
{
    int64_t samples = plan->batch_size + self->queue_length;
    if (samples < self->nmb_prototypes)
        protea_log(cx, PROTEA_LOG_WARN, "swav: batch and queue hold %lld samples for %lld prototypes, so codes are blurred; "
                   "try fewer nmb_prototypes or a longer queue_length", (long long)samples, (long long)self->nmb_prototypes);
}

/* As a linear layer's default: U(-1/sqrt(D), 1/sqrt(D)). */
static protea_status new_prototypes(protea_param *prototypes, int64_t k, int64_t d, protea_rng *rng)
{
    int64_t dim[2] = { k, d };
    PROTEA_TRY(protea_param_new(prototypes, 2, dim));
    protea_init_uniform(&prototypes->w, 1 / sqrt((double)d), rng);
    return PROTEA_OK;
}

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    swav *self = method;
    self->backbone = backbone;
    PROTEA_TRY(protea_assigned_check(&self->crops_for_assign));
    PROTEA_TRY(check_queue(cx, self, plan));
    warn_of_few_samples(cx, self, plan);
    PROTEA_TRY(protea_mlp_head_new(&self->head, backbone->out_dim, self->hidden_mlp, self->feat_dim, rng));
    PROTEA_TRY(new_prototypes(&self->prototypes, self->nmb_prototypes, self->feat_dim, rng));
    int64_t rows = protea_queue_rows(self->queue_length, plan->batch_size, cx->comm->size);
    if (rows > 0)
        PROTEA_TRY(protea_queue_new(&self->queue, self->crops_for_assign.n, rows, self->feat_dim));
    return protea_tape_new(&self->tape);
}

static void swav_free(void *method)
{
    swav *self = method;
    protea_module_free(self->head);
    protea_param_release(&self->prototypes);
    protea_queue_release(&self->queue);
    protea_tape_free(self->tape);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    swav *self = method;
    PROTEA_TRY(protea_visit(self->head, "projection_head", v));
    if (v->param != NULL)
        PROTEA_TRY(v->param(v->self, "prototypes.weight", &self->prototypes));
    return protea_queue_visit(&self->queue, v);
}

/* ---- forward */

/* What a step makes on its way forward and needs on its way back. */
typedef struct forward {
    protea_embedding embedding; /* (V*N,D) */
    protea_tensor scores;       /* (V*N,K); becomes its own gradient */
    protea_tensor codes;        /* (|A|*N,K) */
    protea_swapped_opts swap;
} forward;

static protea_status find_assigned(const swav *self, const protea_batch *batch, protea_swapped_opts *swap)
{
    *swap = (protea_swapped_opts){ .n_views = batch->n_views, .n_assigned = self->crops_for_assign.n,
                                   .temperature = self->temperature };
    PROTEA_TRY(protea_assigned_fit(&self->crops_for_assign, batch));
    for (int64_t a = 0; a < swap->n_assigned; a++)
        swap->assigned[a] = (int64_t)self->crops_for_assign.v[a];
    return PROTEA_OK;
}

static protea_embedder embedder_of(const swav *self)
{
    return (protea_embedder){ .backbone = self->backbone, .head = self->head, .tape = self->tape };
}

/* A projection back to length 1 that no gradient goes through. */
static protea_status normalise_prototypes(protea_ctx *cx, swav *self)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor norm;
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, self->nmb_prototypes, 1));
    PROTEA_TRY(protea_l2norm(cx, &self->prototypes.w, &norm, &self->prototypes.w));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* ---- codes */

/* Scores of the queue's rows with today's prototypes, then the batch's. */
static protea_status scores_with_queue(protea_ctx *cx, const swav *self, int64_t crop, const protea_tensor *batch_scores,
                                       protea_tensor *scores)
{
    protea_tensor queued = protea_queue_crop(&self->queue, crop);
    int64_t length = queued.dim[0], n = batch_scores->dim[0];
    PROTEA_TRY(protea_tensor_rows(cx, scores, PROTEA_SCRATCH, length + n, self->nmb_prototypes));
    protea_tensor from_queue = protea_row_range(scores, 0, length), from_batch = protea_row_range(scores, length, n);
    PROTEA_TRY(protea_gemm(cx, &from_queue, &queued, &self->prototypes.w, false, true, 1, 0));
    return protea_copy(cx, &from_batch, batch_scores);
}

static bool is_hard(const swav *self, const protea_progress *now)
{
    return (double)now->step < protea_in_steps(now, self->hard_assignment_niters);
}

/* Codes of the assigned view number `crop` in the list; its embeddings then join the queue. */
static protea_status assign(protea_ctx *cx, swav *self, int64_t crop, const forward *f, const protea_progress *now,
                            protea_tensor *codes)
{
    int64_t n = codes->dim[0], first = f->swap.assigned[crop] * n;
    protea_tensor scores = protea_row_range(&f->scores, first, n), z = protea_row_range(&f->embedding.z, first, n);
    bool fills = cx->planning || (double)now->epoch >= protea_in_epochs(now, self->epoch_queue_starts);
    size_t mark = protea_arena_mark(cx->scratch);
    if (protea_queue_is_full(cx, &self->queue, crop)) {
        protea_tensor batch_scores = scores;
        PROTEA_TRY(scores_with_queue(cx, self, crop, &batch_scores, &scores));
    }
    PROTEA_TRY(protea_sinkhorn(cx, codes, &scores, self->epsilon, self->sinkhorn_iterations));
    protea_arena_release(cx->scratch, mark);
    if (is_hard(self, now))
        PROTEA_TRY(protea_codes_harden(cx, codes));
    if (protea_queue_exists(&self->queue) && fills)
        PROTEA_TRY(protea_queue_push(cx, &self->queue, crop, &z));
    return PROTEA_OK;
}

static protea_status assign_all(protea_ctx *cx, swav *self, const protea_batch *batch, const protea_progress *now, forward *f)
{
    int64_t n = batch->n_images;
    PROTEA_TRY(protea_tensor_rows(cx, &f->codes, PROTEA_KEPT, f->swap.n_assigned * n, self->nmb_prototypes));
    for (int64_t crop = 0; crop < f->swap.n_assigned; crop++) {
        protea_tensor codes = protea_row_range(&f->codes, crop * n, n);
        PROTEA_TRY(assign(cx, self, crop, f, now, &codes));
    }
    return PROTEA_OK;
}

/* ---- backward */

/* From the scores; the prototypes' gradient on the way, unless they are frozen. */
static protea_status backward(protea_ctx *cx, swav *self, const protea_batch *batch, const forward *f)
{
    size_t mark = protea_arena_mark(cx->scratch);
    const protea_embedder e = embedder_of(self);
    protea_tensor dz;
    PROTEA_TRY(protea_tensor_like(cx, &dz, PROTEA_SCRATCH, &f->embedding.z));
    if (!self->prototypes.frozen)
        PROTEA_TRY(protea_gemm(cx, &self->prototypes.dw, &f->scores, &f->embedding.z, true, false, 1, 1));
    PROTEA_TRY(protea_gemm(cx, &dz, &f->scores, &self->prototypes.w, false, false, 1, 0));
    PROTEA_TRY(protea_embed_backward(cx, &e, batch, &f->embedding, &dz));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* ---- a step */

enum { LOSS_OVER_LN_K, CODE_ENTROPY, CODE_MAX, USAGE_ENTROPY, PROTOTYPES_USED, EMBEDDING_STD, N_METRICS };

/* Of the first assigned view: enough to see a collapse, and cheap. */
static protea_status measure(protea_ctx *cx, const swav *self, const forward *f, int64_t n, protea_step_out *out)
{
    protea_tensor codes = protea_row_range(&f->codes, 0, n), z = protea_row_range(&f->embedding.z, f->swap.assigned[0] * n, n);
    protea_code_stats stats;
    PROTEA_TRY(protea_codes_stats(cx, &stats, &codes));
    out->n_metrics = N_METRICS;
    out->metric[LOSS_OVER_LN_K] = (protea_metric){ "loss_over_ln_k", out->loss / log((double)self->nmb_prototypes) };
    out->metric[CODE_ENTROPY] = (protea_metric){ "code_entropy", stats.entropy };
    out->metric[CODE_MAX] = (protea_metric){ "code_max", stats.max_prob };
    out->metric[USAGE_ENTROPY] = (protea_metric){ "usage_entropy", stats.usage_entropy };
    out->metric[PROTOTYPES_USED] = (protea_metric){ "prototypes_used", stats.used };
    out->metric[EMBEDDING_STD] = (protea_metric){ "embedding_std", protea_embedding_std(cx, &z) };
    return PROTEA_OK;
}

static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    swav *self = method;
    const protea_pass pass = { .tape = self->tape, .batch_stats = true, .update_stats = true };
    const protea_embedder e = embedder_of(self);
    forward f;
    out->loss = 0;
    protea_tape_clear(self->tape);
    self->prototypes.frozen = (double)now->step < protea_in_steps(now, self->freeze_prototypes_niters);
    self->settled = now->epoch > 0 && !self->prototypes.frozen && !is_hard(self, now);
    PROTEA_TRY(find_assigned(self, batch, &f.swap));
    PROTEA_TRY(normalise_prototypes(cx, self));
    PROTEA_TRY(protea_embed_batch(cx, &e, &pass, batch, &f.embedding));
    PROTEA_TRY(protea_tensor_rows(cx, &f.scores, PROTEA_KEPT, f.embedding.z.dim[0], self->nmb_prototypes));
    PROTEA_TRY(protea_gemm(cx, &f.scores, &f.embedding.z, &self->prototypes.w, false, true, 1, 0));
    PROTEA_TRY(assign_all(cx, self, batch, now, &f));
    PROTEA_TRY(protea_swapped_prediction(cx, &out->loss, &f.scores, &f.scores, &f.codes, &f.swap));
    PROTEA_TRY(measure(cx, self, &f, batch->n_images, out));
    return backward(cx, self, batch, &f);
}

/* ---- health */

/* Collapsed embeddings: the mean cosine of two images is 1 - std^2, so 0.05 is 0.9975; an untrained network with batch-norm
 * in its head is far above. Uniform codes: with every code and prediction uniform the loss is ln K exactly; a network that
 * learns has left 0.99 of both by the end of its first epoch. */
static bool sick(const void *method, const protea_step_out *mean, char *text, size_t size)
{
    const swav *self = method;
    if (!self->settled || mean->n_metrics < N_METRICS)
        return false;
    double std = mean->metric[EMBEDDING_STD].value, entropy = mean->metric[CODE_ENTROPY].value;
    double loss = mean->metric[LOSS_OVER_LN_K].value;
    if (std < 0.05) {
        snprintf(text, size, "embeddings have collapsed: all images look alike (embedding std %.3f, 1 is healthy); try a "
                 "lower lr, a longer warmup_epochs, or softer crops", std);
        return true;
    }
    if (entropy > 0.99 && loss > 0.99) {
        snprintf(text, size, "loss is stuck at ln K with uniform codes (%.3f of ln K); try a lower epsilon (0.03), a longer "
                 "freeze_prototypes_niters, hard_assignment_niters, softer crops or another lr", loss);
        return true;
    }
    if (mean->metric[PROTOTYPES_USED].value < 2) {
        snprintf(text, size, "all samples go to one prototype; try more sinkhorn_iterations, a longer queue_length or a "
                 "larger epsilon");
        return true;
    }
    return false;
}

/* ---- the head alone */

static protea_status head(protea_ctx *cx, void *method, const protea_pass *pass, const protea_tensor *features,
                          protea_tensor *y)
{
    return protea_embed_head(cx, ((swav *)method)->head, pass, features, y);
}

static int64_t head_dim(const void *method)
{
    return ((const swav *)method)->feat_dim;
}

const protea_method_ops protea_method_swav = {
    .name = "swav",
    .summary = "swapped prediction of online cluster codes",
    .paper = "Caron et al. 2020, Unsupervised Learning of Visual Features by Contrasting Cluster Assignments",
    .size = sizeof(swav),
    .opts = OPTIONS,
    .init = init,
    .step = step,
    .visit = visit,
    .sick = sick,
    .head = head,
    .head_dim = head_dim,
    .free = swav_free,
};
