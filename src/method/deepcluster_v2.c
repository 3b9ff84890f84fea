/* DeepCluster-v2: every epoch k-means clusters what the network made of the images in the epoch before, and the network then
 * learns to tell from any view of an image which cluster it is in.
 *
 *   L = 1/H sum_h 1/|R| sum_{r in R} - log softmax(s^h_r / tau)[y^h_r],     s^h_r = z_r . c^h
 *
 * over H sets of prototypes (heads) and the rows R of all views of images that have a cluster. The centroids c are constants.
 * Source: Caron et al. 2020, arXiv:2006.09882, sec. 4 and app.; the order of an epoch is that of the authors' code: a bank of
 * the embeddings of the assigned crops, overwritten as training goes, one bank per crop; head h clusters bank h mod A. Letters:
 * N images on this rank, V views, A assigned views, D = feat_dim, K prototypes of a head. kmeans_warm_start is ours. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cluster/agreement.h"
#include "cluster/bank_clusters.h"
#include "cluster/cluster_sizes.h"
#include "cluster/codes.h"
#include "comm/comm.h"
#include "loss/cross_entropy.h"
#include "method/embedding.h"
#include "method/first_bank.h"
#include "method/method.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "tensor/ops.h"

/* What is known of the last clustering of the first head; saved, so that a resumed run goes on telling it. */
enum { USED, SINGLES, LARGEST, AGREEMENT, N_KNOWN };

typedef struct deepcluster {
    /* options */
    protea_list nmb_prototypes, crops_for_assign;
    int64_t feat_dim, hidden_mlp;
    double temperature;
    int64_t freeze_prototypes_niters, nmb_kmeans_iters;
    int32_t kmeans_warm_start;
    /* state */
    protea_module *backbone;                    /* borrowed */
    protea_module *head;                        /* (*,features) -> (*,D), before L2 normalisation */
    protea_param prototypes[PROTEA_LIST_MAX];   /* (K,D) of each head, rows of length 1 */
    protea_memory_bank bank;
    protea_tensor labels;                       /* (H,n_images) i32: this epoch's cluster of each image */
    protea_tensor known;                        /* (N_KNOWN) */
    protea_tape *tape;
    bool settled;                               /* past the first epoch: health means something */
} deepcluster;

static const protea_opt OPTIONS[] = {
    { "nmb_prototypes", NULL, PROTEA_OPT_LIST, offsetof(deepcluster, nmb_prototypes), "3000,3000,3000", 2, 1e6, NULL, NULL,
      "prototypes of each head; as many heads as numbers", "arXiv:2006.09882", 0 },
    { "feat_dim", NULL, PROTEA_OPT_INT, offsetof(deepcluster, feat_dim), "128", 2, 65536, NULL, NULL,
      "dimension of the embedding", "arXiv:2006.09882", 0 },
    { "hidden_mlp", NULL, PROTEA_OPT_INT, offsetof(deepcluster, hidden_mlp), "2048", 0, 1e6, NULL, NULL,
      "hidden width of the projection head; 0: one linear layer", "arXiv:2006.09882", 0 },
    { "temperature", NULL, PROTEA_OPT_FLOAT, offsetof(deepcluster, temperature), "0.1", 1e-4, 100, NULL, NULL,
      "divides the scores before softmax", "arXiv:2006.09882", 0 },
    { "crops_for_assign", NULL, PROTEA_OPT_LIST, offsetof(deepcluster, crops_for_assign), "0,1", 0, 63, NULL, NULL,
      "views that are clustered, numbered from 0", "arXiv:2006.09882", 0 },
    { "freeze_prototypes_niters", NULL, PROTEA_OPT_INT, offsetof(deepcluster, freeze_prototypes_niters), "1000000000000", 0,
      1e12, NULL, "steps", "first steps whose prototypes stay as k-means left them; by default all", "DeepCluster-v2's code",
      PROTEA_OPT_SCALES },
    { "nmb_kmeans_iters", NULL, PROTEA_OPT_INT, offsetof(deepcluster, nmb_kmeans_iters), "10", 1, 10000, NULL, NULL,
      "iterations of k-means", "DeepCluster-v2's code", 0 },
    { "kmeans_warm_start", NULL, PROTEA_OPT_BOOL, offsetof(deepcluster, kmeans_warm_start), "0", 0, 0, NULL, NULL,
      "k-means goes on from the last epoch's prototypes, not from images drawn anew", "ours", 0 },
    { .key = NULL },
};

static int64_t count_of(const deepcluster *self, int head)
{
    return (int64_t)self->nmb_prototypes.v[head];
}

/* ---- making it */

static protea_status check_prototypes(const deepcluster *self, int64_t images)
{
    const protea_list *k = &self->nmb_prototypes;
    if (k->n < 1)
        return protea_fail(PROTEA_ERR_USAGE, "nmb_prototypes: empty, at least one number wanted");
    for (int h = 0; h < k->n; h++) {
        if (k->v[h] != floor(k->v[h]))
            return protea_fail(PROTEA_ERR_USAGE, "nmb_prototypes: %g found, whole numbers wanted", k->v[h]);
        if (images > 0 && k->v[h] > (double)images)
            return protea_fail(PROTEA_ERR_USAGE, "nmb_prototypes: %g found, at most %lld wanted: k-means has the images of one "
                               "epoch", k->v[h], (long long)images);
    }
    return PROTEA_OK;
}

/* As a linear layer's default, until the first clustering. */
static protea_status new_prototypes(deepcluster *self, protea_rng *rng)
{
    for (int h = 0; h < self->nmb_prototypes.n; h++) {
        const int64_t dim[2] = { count_of(self, h), self->feat_dim };
        PROTEA_TRY(protea_param_new(&self->prototypes[h], 2, dim));
        protea_init_uniform(&self->prototypes[h].w, 1 / sqrt((double)self->feat_dim), rng);
    }
    return PROTEA_OK;
}

/* The bank has the images of an epoch on this rank; the others have theirs. */
static protea_status new_memory(deepcluster *self, const protea_progress *plan, int n_ranks)
{
    const int64_t labels[2] = { self->nmb_prototypes.n, plan->n_images }, known = N_KNOWN;
    int64_t rows = plan->steps_per_epoch * (plan->batch_size / n_ranks);
    PROTEA_TRY(protea_memory_bank_new(&self->bank, self->crops_for_assign.n, rows, self->feat_dim));
    PROTEA_TRY(protea_tensor_new(&self->known, 1, &known, "clustering"));
    PROTEA_TRY(protea_tensor_new_i32(&self->labels, 2, labels, "clusters of images"));
    for (int64_t i = 0; i < protea_count(&self->labels); i++)
        protea_i32(&self->labels)[i] = PROTEA_NO_CLUSTER;
    return PROTEA_OK;
}

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    deepcluster *self = method;
    self->backbone = backbone;
    PROTEA_TRY(protea_assigned_check(&self->crops_for_assign));
    PROTEA_TRY(check_prototypes(self, plan->n_images > 0 ? plan->steps_per_epoch * plan->batch_size : 0));
    PROTEA_TRY(protea_mlp_head_new(&self->head, backbone->out_dim, self->hidden_mlp, self->feat_dim, rng));
    PROTEA_TRY(new_prototypes(self, rng));
    if (plan->n_images > 0)
        PROTEA_TRY(new_memory(self, plan, cx->comm->size));
    return protea_tape_new(&self->tape);
}

static void deepcluster_free(void *method)
{
    deepcluster *self = method;
    protea_module_free(self->head);
    for (int h = 0; h < PROTEA_LIST_MAX; h++)
        protea_param_release(&self->prototypes[h]);
    protea_memory_bank_release(&self->bank);
    protea_tensor_release(&self->labels);
    protea_tensor_release(&self->known);
    protea_tape_free(self->tape);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    deepcluster *self = method;
    PROTEA_TRY(protea_visit(self->head, "projection_head", v));
    for (int h = 0; h < self->nmb_prototypes.n; h++) {
        char name[64];
        snprintf(name, sizeof name, "prototypes%d.weight", h);
        PROTEA_TRY(protea_visit_param(v, "prototypes", name, &self->prototypes[h]));
    }
    if (v->buffer == NULL || self->labels.data == NULL)
        return PROTEA_OK;
    PROTEA_TRY(v->buffer(v->self, "clusters", &self->labels));
    PROTEA_TRY(v->buffer(v->self, "clustering", &self->known));
    return protea_memory_bank_visit(&self->bank, v);
}

static protea_embedder embedder_of(const deepcluster *self)
{
    return (protea_embedder){ .backbone = self->backbone, .head = self->head, .tape = self->tape };
}

/* ---- an epoch's beginning */

/* before (n_images): the first head's clusters of the last epoch. */
static protea_status know_clustering(deepcluster *self, const protea_progress *now, const int32_t *before)
{
    const int32_t *labels = protea_i32(&self->labels);
    float *known = protea_f32(&self->known);
    protea_cluster_sizes sizes;
    double agreement;
    PROTEA_TRY(protea_cluster_sizes_of(&sizes, labels, now->n_images, count_of(self, 0)));
    PROTEA_TRY(protea_agreement(&agreement, labels, before, now->n_images));
    known[USED] = (float)sizes.used;
    known[SINGLES] = (float)sizes.singles;
    known[LARGEST] = (float)sizes.largest;
    known[AGREEMENT] = (float)agreement;
    return PROTEA_OK;
}

static protea_status cluster_heads(protea_ctx *cx, deepcluster *self, const protea_progress *now)
{
    for (int h = 0; h < self->nmb_prototypes.n; h++) {
        protea_rng rng = protea_rng_make(cx->seed, PROTEA_RNG_KMEANS, (uint32_t)h, (uint64_t)now->epoch, 0);
        uint64_t seed = (uint64_t)protea_rng_u32(&rng) << 32 | protea_rng_u32(&rng);
        PROTEA_TRY(protea_bank_cluster(cx, &self->prototypes[h].w, protea_i32(&self->labels) + h * now->n_images, now->n_images,
                                       &self->bank, h % self->crops_for_assign.n, self->nmb_kmeans_iters, seed,
                                       self->kmeans_warm_start && now->epoch > 0));
    }
    return PROTEA_OK;
}

static protea_status epoch_begin(protea_ctx *cx, void *method, const protea_progress *now)
{
    deepcluster *self = method;
    const protea_embedder e = embedder_of(self);
    int32_t *before; /* (n_images) */
    if (now->epoch == 0)
        PROTEA_TRY(protea_first_bank(cx, &self->bank, &e, &self->crops_for_assign, now));
    PROTEA_TRY(protea_new(&before, (size_t)now->n_images, sizeof *before, "clusters of images"));
    memcpy(before, self->labels.data, (size_t)now->n_images * sizeof *before);
    protea_status status = cluster_heads(cx, self, now);
    if (status == PROTEA_OK)
        status = know_clustering(self, now, before);
    protea_free(before);
    return status;
}

/* ---- a step */

/* What a step makes on its way forward and needs on its way back. */
typedef struct forward {
    protea_embedding embedding; /* (V*N,D) */
    protea_tensor label;        /* (V*N) i32 of one head */
    protea_tensor dz;           /* (V*N,D), the sum over heads */
    double loss;                /* mean over heads */
    double accuracy;            /* of the first head: rows whose cluster has the largest score */
    int64_t labelled;           /* rows whose image has a cluster */
} forward;

/* Every view of an image has its label. */
static void find_labels(const protea_ctx *cx, const deepcluster *self, const protea_batch *batch, int head, protea_tensor *label)
{
    const int32_t *of_image = protea_i32(&self->labels) + head * self->labels.dim[1];
    for (int64_t row = 0; !cx->planning && row < label->dim[0]; row++)
        protea_i32(label)[row] = of_image[batch->index[row % batch->n_images]];
}

static void count_right(const protea_ctx *cx, forward *f, const protea_tensor *scores)
{
    int64_t correct = protea_count_correct(cx, scores, protea_i32(&f->label), &f->labelled);
    f->accuracy = f->labelled > 0 ? (double)correct / (double)f->labelled : 0;
}

/* Scores, loss and gradient of one head; the prototypes' gradient too once they are not frozen. */
static protea_status head_loss(protea_ctx *cx, deepcluster *self, const protea_batch *batch, int head, forward *f)
{
    size_t mark = protea_arena_mark(cx->scratch);
    const protea_cross_entropy_opts opts = { .temperature = self->temperature };
    const float share = 1 / (float)self->nmb_prototypes.n;
    protea_param *c = &self->prototypes[head];
    protea_tensor scores;
    double loss = 0;
    find_labels(cx, self, batch, head, &f->label);
    PROTEA_TRY(protea_tensor_rows(cx, &scores, PROTEA_SCRATCH, f->embedding.z.dim[0], count_of(self, head)));
    PROTEA_TRY(protea_gemm(cx, &scores, &f->embedding.z, &c->w, false, true, 1, 0));
    if (head == 0)
        count_right(cx, f, &scores);
    PROTEA_TRY(protea_cross_entropy(cx, &loss, &scores, &scores, protea_i32(&f->label), &opts));
    f->loss += loss * share;
    if (!c->frozen)
        PROTEA_TRY(protea_gemm(cx, &c->dw, &scores, &f->embedding.z, true, false, share, 1));
    PROTEA_TRY(protea_gemm(cx, &f->dz, &scores, &c->w, false, false, share, head > 0));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* Embeddings of the assigned crops take the place of the last epoch's, in the order of training. */
static protea_status remember(protea_ctx *cx, deepcluster *self, const protea_batch *batch, const protea_progress *now,
                              const forward *f)
{
    int64_t n = batch->n_images, row = now->step % now->steps_per_epoch * n;
    for (int a = 0; a < self->crops_for_assign.n; a++) {
        protea_tensor z = protea_row_range(&f->embedding.z, (int64_t)self->crops_for_assign.v[a] * n, n);
        PROTEA_TRY(protea_memory_bank_put(cx, &self->bank, a, row, &z));
    }
    protea_memory_bank_put_index(cx, &self->bank, row, batch->index, n);
    return PROTEA_OK;
}

enum { LOSS_OVER_LN_K, ACC_PROTO, CLUSTERED, CLUSTERS_USED, LARGEST_CLUSTER, EMBEDDING_STD, SINGLE_CLUSTERS, NMI_LAST, N_METRICS };

static double mean_ln_k(const deepcluster *self)
{
    double sum = 0;
    for (int h = 0; h < self->nmb_prototypes.n; h++)
        sum += log(self->nmb_prototypes.v[h]);
    return sum / self->nmb_prototypes.n;
}

static void measure(const protea_ctx *cx, const deepcluster *self, const forward *f, int64_t n, protea_step_out *out)
{
    protea_tensor z = protea_row_range(&f->embedding.z, 0, n);
    const float *known = protea_f32(&self->known);
    out->n_metrics = N_METRICS;
    out->metric[LOSS_OVER_LN_K] = (protea_metric){ "loss_over_ln_k", out->loss / mean_ln_k(self) };
    out->metric[ACC_PROTO] = (protea_metric){ "acc_proto", f->accuracy };
    out->metric[CLUSTERED] = (protea_metric){ "clustered", (double)f->labelled / (double)f->label.dim[0] };
    out->metric[CLUSTERS_USED] = (protea_metric){ "clusters_used", known[USED] };
    out->metric[LARGEST_CLUSTER] = (protea_metric){ "largest_cluster", known[LARGEST] };
    out->metric[SINGLE_CLUSTERS] = (protea_metric){ "single_clusters", known[SINGLES] };
    out->metric[NMI_LAST] = (protea_metric){ "nmi_last_epoch", known[AGREEMENT] };
    out->metric[EMBEDDING_STD] = (protea_metric){ "embedding_std", protea_embedding_std(cx, &z) };
}

static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    deepcluster *self = method;
    const protea_pass pass = { .tape = self->tape, .batch_stats = true, .update_stats = true };
    const protea_embedder e = embedder_of(self);
    const int64_t rows = (int64_t)batch->n_views * batch->n_images;
    forward f = { .loss = 0 };
    protea_tape_clear(self->tape);
    self->settled = now->epoch > 0;
    PROTEA_TRY(protea_assigned_fit(&self->crops_for_assign, batch));
    PROTEA_TRY(protea_embed_batch(cx, &e, &pass, batch, &f.embedding));
    PROTEA_TRY(remember(cx, self, batch, now, &f));
    PROTEA_TRY(protea_tensor_plain(cx, &f.label, PROTEA_KEPT, PROTEA_I32, 1, &rows));
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_tensor_like(cx, &f.dz, PROTEA_SCRATCH, &f.embedding.z));
    for (int h = 0; h < self->nmb_prototypes.n; h++) {
        self->prototypes[h].frozen = (double)now->step < protea_in_steps(now, self->freeze_prototypes_niters);
        PROTEA_TRY(head_loss(cx, self, batch, h, &f));
    }
    out->loss = f.loss;
    measure(cx, self, &f, batch->n_images, out);
    PROTEA_TRY(protea_embed_backward(cx, &e, batch, &f.embedding, &f.dz));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* ---- health */

/* Collapsed embeddings: as SwAV's. One cluster that has nearly all images: k-means of nearly equal embeddings keeps the rest
 * of its clusters empty. */
static bool sick(const void *method, const protea_step_out *mean, char *text, size_t size)
{
    const deepcluster *self = method;
    if (!self->settled || mean->n_metrics < N_METRICS)
        return false;
    double std = mean->metric[EMBEDDING_STD].value, used = mean->metric[CLUSTERS_USED].value;
    if (std < 0.05) {
        snprintf(text, size, "embeddings have collapsed: all images look alike (embedding std %.3f, 1 is healthy); try a "
                 "lower lr, a longer warmup_epochs, or softer crops", std);
        return true;
    }
    if (used < 2 || mean->metric[LARGEST_CLUSTER].value > 0.9) {
        snprintf(text, size, "nearly all images are in one cluster (%.0f of %lld clusters are used); try a lower lr, a longer "
                 "warmup_epochs, or fewer nmb_prototypes", used, (long long)count_of(self, 0));
        return true;
    }
    return false;
}

/* ---- the head alone */

static protea_status head(protea_ctx *cx, void *method, const protea_pass *pass, const protea_tensor *features,
                          protea_tensor *y)
{
    return protea_embed_head(cx, ((deepcluster *)method)->head, pass, features, y);
}

static int64_t head_dim(const void *method)
{
    return ((const deepcluster *)method)->feat_dim;
}

const protea_method_ops protea_method_deepcluster_v2 = {
    .name = "deepcluster-v2",
    .summary = "cross-entropy with the clusters of the epoch before",
    .paper = "Caron et al. 2020, Unsupervised Learning of Visual Features by Contrasting Cluster Assignments (DeepCluster-v2)",
    .size = sizeof(deepcluster),
    .opts = OPTIONS,
    .init = init,
    .epoch_begin = epoch_begin,
    .step = step,
    .visit = visit,
    .sick = sick,
    .head = head,
    .head_dim = head_dim,
    .free = deepcluster_free,
};
