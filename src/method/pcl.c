/* PCL: MoCo's contrast, and beside it each query is told as a member of its own cluster from the prototypes of others, at several
 * granularities. Every epoch clusters what the key encoder makes of the images (E-step); training with these clusters is the
 * M-step.
 *
 *   L = InfoNCE + weight * 1/M sum_m ProtoNCE_m
 *
 * Source: Li et al. 2021, arXiv:2005.04966, eq. 11 and alg. 1, and its authors' code, whose choices are kept: Euclidean k-means on
 * unit vectors whose centroids are set to length 1 afterwards, other members of the batch's clusters as negatives, negatives drawn
 * without replacement. Different here: plain views are the whole image (the reference crops 7/8 of it), and the options that are
 * marked as ours. Letters: N images on this rank, D = low_dim, M granularities of K clusters, R negative prototypes. */
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "cluster/granularity.h"
#include "cluster/negatives.h"
#include "comm/comm.h"
#include "loss/proto_nce.h"
#include "method/contrast.h"
#include "method/moco_flags.h"

/* What is known of the last clustering (phi of the first granularity, sizes too); saved, so that a resumed run goes on telling
 * it. CLUSTERED: whether there has been one. */
enum { CLUSTERED, USED, SINGLES, LARGEST, PHI_MIN, PHI_MAX, AGREEMENT, N_KNOWN };

typedef struct pcl {
    /* options */
    int64_t low_dim, pcl_r, proto_r, bn_splits;
    double moco_m, temperature;
    int32_t mlp, aug_plus, cos; /* the last two: read by protea_moco_settle */
    protea_list num_cluster;
    int64_t warmup_epoch, kmeans_niter, kmeans_nredo;
    int32_t symmetric, mask_same_cluster, draw_with_replacement;
    double proto_weight;
    /* state */
    protea_contrast contrast;
    protea_granularity granularity[PROTEA_LIST_MAX];
    protea_tensor known;        /* (N_KNOWN) */
    bool settled;               /* past the first epoch, and the queue has been filled twice: health means something */
} pcl;

static const protea_opt OPTIONS[] = {
    { "low_dim", NULL, PROTEA_OPT_INT, offsetof(pcl, low_dim), "128", 2, 65536, NULL, NULL,
      "dimension of queries, keys and prototypes", "arXiv:2005.04966", 0 },
    { "pcl_r", NULL, PROTEA_OPT_INT, offsetof(pcl, pcl_r), "16384", 2, 1 << 23, NULL, "keys",
      "keys of earlier steps that a query is told from, and negative prototypes", "PCL's code (paper: 16000)", 0 },
    { "moco_m", NULL, PROTEA_OPT_FLOAT, offsetof(pcl, moco_m), "0.999", 0, 1, NULL, NULL,
      "momentum of the key encoder; 0.99 for short runs", "arXiv:2005.04966", 0 },
    { "temperature", NULL, PROTEA_OPT_FLOAT, offsetof(pcl, temperature), "0.2", 1e-4, 100, NULL, NULL,
      "divides the cosines before softmax; mean of the concentrations", "PCL's code (paper: 0.1)", 0 },
    { "mlp", NULL, PROTEA_OPT_BOOL, offsetof(pcl, mlp), "false", 0, 0, NULL, NULL,
      "head with a hidden layer as wide as the features, as in v2; else one linear layer", "PCL's code", 0 },
    { "num_cluster", NULL, PROTEA_OPT_LIST, offsetof(pcl, num_cluster), "25000,50000,100000", 2, 1e7, NULL, "clusters",
      "clusters of each granularity", "arXiv:2005.04966", 0 },
    { "warmup_epoch", NULL, PROTEA_OPT_INT, offsetof(pcl, warmup_epoch), "20", 0, 1e6, NULL, "epochs",
      "first epochs with InfoNCE alone (the learning rate's warm-up is --lr-warmup-epochs)", "arXiv:2005.04966", PROTEA_OPT_SCALES },
    { "bn_splits", NULL, PROTEA_OPT_INT, offsetof(pcl, bn_splits), "8", 1, 4096, NULL, "groups",
      "groups of a batch with batch-norm statistics of their own, so that keys are not known by them",
      "as MoCo's; PCL's code: one a GPU", 0 },
    { "kmeans_niter", NULL, PROTEA_OPT_INT, offsetof(pcl, kmeans_niter), "20", 1, 10000, NULL, NULL,
      "iterations of k-means", "PCL's code", 0 },
    { "kmeans_nredo", NULL, PROTEA_OPT_INT, offsetof(pcl, kmeans_nredo), "5", 1, 1000, NULL, NULL,
      "starts of k-means, of which the best is kept", "PCL's code", 0 },
    { "proto_r", NULL, PROTEA_OPT_INT, offsetof(pcl, proto_r), "-1", -1, 1e7, NULL, "prototypes",
      "negative prototypes beside those of the batch; -1: pcl_r", "ours", 0 },
    { "symmetric", NULL, PROTEA_OPT_BOOL, offsetof(pcl, symmetric), "false", 0, 0, NULL, NULL,
      "each view is query once and key once; losses are added, so a step is worth two", "ours; as MoCo's, ProPos", 0 },
    { "mask_same_cluster", NULL, PROTEA_OPT_BOOL, offsetof(pcl, mask_same_cluster), "false", 0, 0, NULL, NULL,
      "images of one cluster in a batch are no negatives of one another", "ours", 0 },
    { "draw_with_replacement", NULL, PROTEA_OPT_BOOL, offsetof(pcl, draw_with_replacement), "false", 0, 0, NULL, NULL,
      "negative prototypes may be drawn more than once", "ours; as ProPos", 0 },
    { "proto_weight", NULL, PROTEA_OPT_FLOAT, offsetof(pcl, proto_weight), "1", 0, 1000, NULL, NULL,
      "weight of ProtoNCE beside InfoNCE", "ours; ProPos: 0.01", 0 },
    { "aug_plus", NULL, PROTEA_OPT_BOOL, offsetof(pcl, aug_plus), "false", 0, 0, NULL, NULL,
      "sets the views: those of v2, or if false of v1; not given: the recipe's", "PCL's code", 0 },
    { "cos", NULL, PROTEA_OPT_BOOL, offsetof(pcl, cos), "false", 0, 0, NULL, NULL,
      "sets lr_schedule: cosine-epoch, or if false steps; not given: the recipe's", "PCL's code", 0 },
    { .key = NULL },
};

/* ---- making it */

static int64_t directions(const pcl *self)
{
    return self->symmetric ? 2 : 1;
}

static int64_t negatives_of(const pcl *self)
{
    return self->proto_r >= 0 ? self->proto_r : self->pcl_r;
}

static protea_status check_clusters(const pcl *self, int64_t images)
{
    const protea_list *k = &self->num_cluster;
    if (k->n < 1)
        return protea_fail(PROTEA_ERR_USAGE, "num_cluster: empty, at least one number wanted");
    for (int m = 0; m < k->n; m++) {
        if (k->v[m] != floor(k->v[m]))
            return protea_fail(PROTEA_ERR_USAGE, "num_cluster: %g found, whole numbers wanted", k->v[m]);
        if (k->v[m] > (double)images)
            return protea_fail(PROTEA_ERR_USAGE, "num_cluster: %g found, at most as many clusters as images wanted: %lld",
                               k->v[m], (long long)images);
    }
    return PROTEA_OK;
}

/* A batch may be in as many clusters as it has images; negatives come from the others. */
static protea_status check_negatives(const pcl *self, int64_t batch)
{
    double fewest = self->num_cluster.v[0];
    for (int m = 1; m < self->num_cluster.n; m++)
        fewest = fmin(fewest, self->num_cluster.v[m]);
    int64_t most = (int64_t)fewest > batch ? (int64_t)fewest - batch : 0, wanted = negatives_of(self);
    if (wanted <= most || (self->draw_with_replacement && most > 0))
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_USAGE,
                       "%s: %lld negative prototypes found, at most %lld wanted: a batch of %lld images may be in as many of the %.0f clusters; try --proto-r %lld, which leaves the queue as it is",
                       self->proto_r >= 0 ? "proto_r" : "pcl_r", (long long)wanted, (long long)most, (long long)batch, fewest,
                       (long long)most);
}

static protea_status new_granularities(pcl *self, int64_t images)
{
    const int64_t known = N_KNOWN;
    for (int m = 0; m < self->num_cluster.n; m++)
        PROTEA_TRY(protea_granularity_new(&self->granularity[m], (int64_t)self->num_cluster.v[m], self->low_dim, images));
    return protea_tensor_new(&self->known, 1, &known, "clustering");
}

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    pcl *self = method;
    const protea_contrast_opts opts = {
        .queue_name = "pcl_r", .temperature_name = "temperature", .dim = self->low_dim, .queue_length = self->pcl_r,
        .bn_splits = self->bn_splits, .directions = directions(self), .mlp = self->mlp, .momentum = self->moco_m,
        .temperature = self->temperature,
    };
    if (plan->n_images > 0) {
        PROTEA_TRY(check_clusters(self, plan->n_images));
        PROTEA_TRY(check_negatives(self, plan->batch_size / cx->comm->size));
        PROTEA_TRY(new_granularities(self, plan->n_images));
    }
    return protea_contrast_init(cx, &self->contrast, &opts, backbone, plan, rng);
}

static void pcl_free(void *method)
{
    pcl *self = method;
    protea_contrast_release(&self->contrast);
    for (int m = 0; m < PROTEA_LIST_MAX; m++)
        protea_granularity_release(&self->granularity[m]);
    protea_tensor_release(&self->known);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    pcl *self = method;
    PROTEA_TRY(protea_contrast_visit(&self->contrast, v));
    if (v->buffer == NULL || self->known.data == NULL)
        return PROTEA_OK;
    for (int m = 0; m < self->num_cluster.n; m++)
        PROTEA_TRY(protea_granularity_visit(&self->granularity[m], m, v));
    return v->buffer(v->self, "clustering", &self->known);
}

/* ---- the E-step */

static void know_clustering(pcl *self, const protea_granularity_stats *stats)
{
    float *known = protea_f32(&self->known);
    known[CLUSTERED] = 1;
    known[USED] = (float)stats->sizes.used;
    known[SINGLES] = (float)stats->sizes.singles;
    known[AGREEMENT] = (float)stats->agreement;
    known[LARGEST] = (float)stats->sizes.largest;
    known[PHI_MIN] = (float)stats->phi_min;
    known[PHI_MAX] = (float)stats->phi_max;
}

/* Each granularity has its own seed, the same in every epoch. */
static protea_status cluster_all(protea_ctx *cx, pcl *self, const float *z)
{
    enum { POINTS_PER_CENTROID = 1000 }; /* PCL's code */
    for (int m = 0; m < self->num_cluster.n; m++) {
        const protea_granularity_opts opts = { .niter = self->kmeans_niter, .nredo = self->kmeans_nredo,
                                               .max_points = POINTS_PER_CENTROID, .seed = cx->seed + (uint64_t)m,
                                               .temperature = self->temperature };
        protea_granularity_stats stats;
        PROTEA_TRY(protea_granularity_fit(cx, &self->granularity[m], z, &opts, &stats));
        if (m == 0)
            know_clustering(self, &stats);
    }
    return PROTEA_OK;
}

static protea_status epoch_begin(protea_ctx *cx, void *method, const protea_progress *now)
{
    pcl *self = method;
    float *z; /* (n_images,D) */
    bool clustered = protea_f32(&self->known)[CLUSTERED] > 0;
    if (!clustered && (double)now->epoch < protea_in_epochs(now, self->warmup_epoch))
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&z, (size_t)(now->n_images * self->low_dim), sizeof *z, "features of the data set"));
    protea_status status = now->features(now->self, self->contrast.key.encoder, z, self->low_dim);
    if (status == PROTEA_OK)
        status = cluster_all(cx, self, z);
    protea_free(z);
    return status;
}

/* ---- a step */

/* What ProtoNCE of a step came to, means over granularities. */
typedef struct proto_result {
    double loss, accuracy;
} proto_result;

/* Clusters of the batch and negatives drawn for them, in the scratch arena. On paper as many as there may be. */
static protea_status draw(protea_ctx *cx, pcl *self, int m, int64_t view, const protea_batch *batch, const protea_progress *now,
                          protea_proto_nce *g)
{
    protea_granularity *clusters = &self->granularity[m];
    int64_t n = batch->n_images, most = negatives_of(self), k = clusters->prototypes.dim[0];
    int32_t *positive, *negative, *room;
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &positive, (size_t)n * sizeof *positive));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &negative, (size_t)most * sizeof *negative));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &room, (size_t)k * sizeof *room));
    g->positive = positive;
    g->negative = negative;
    g->n_negatives = most;
    if (cx->planning)
        return PROTEA_OK;
    for (int64_t i = 0; i < n; i++)
        positive[i] = protea_i32(&clusters->labels)[batch->index[i]];
    uint32_t stream = 1 + (uint32_t)(view * PROTEA_LIST_MAX + m); /* 0 is the key encoder's */
    protea_rng rng = protea_rng_make(cx->seed, PROTEA_RNG_METHOD, stream, (uint64_t)now->step, (uint32_t)cx->comm->rank);
    g->n_negatives = protea_draw_negatives(negative, most, positive, n, protea_granularity_candidates(clusters),
                                           self->draw_with_replacement, room, &rng);
    return PROTEA_OK;
}

/* Adds ProtoNCE's gradient to dq. */
static protea_status proto_nce(protea_ctx *cx, pcl *self, const protea_batch *batch, int64_t view, const protea_progress *now,
                               protea_contrast_pass *pass, proto_result *result)
{
    double share = 1.0 / self->num_cluster.n;
    for (int m = 0; m < self->num_cluster.n; m++) {
        size_t mark = protea_arena_mark(cx->scratch);
        protea_proto_nce g = { .prototypes = &self->granularity[m].prototypes,
                               .concentration = protea_f32(&self->granularity[m].concentration),
                               .mask_same = self->mask_same_cluster, .weight = share * self->proto_weight };
        double loss = 0, accuracy = 0;
        PROTEA_TRY(draw(cx, self, m, view, batch, now, &g));
        PROTEA_TRY(protea_proto_nce_loss(cx, &loss, &accuracy, &pass->dq, &pass->q.z, &g));
        result->loss += loss;
        result->accuracy += share * accuracy;
        protea_arena_release(cx->scratch, mark);
    }
    return PROTEA_OK;
}

enum {
    PROTO_LOSS = PROTEA_CONTRAST_METRICS, ACC_PROTO, CLUSTERS_USED, LARGEST_CLUSTER, LEAST_PHI, LARGEST_PHI, SINGLE_CLUSTERS,
    NMI_LAST, N_METRICS
};

/* Zeros until there are clusters. */
static void measure(const pcl *self, const proto_result *r, protea_step_out *out)
{
    const float *known = protea_f32(&self->known);
    out->n_metrics = N_METRICS;
    out->metric[PROTO_LOSS] = (protea_metric){ "proto_loss", r->loss };
    out->metric[ACC_PROTO] = (protea_metric){ "acc_proto", r->accuracy };
    out->metric[CLUSTERS_USED] = (protea_metric){ "clusters_used", known[USED] };
    out->metric[LARGEST_CLUSTER] = (protea_metric){ "largest_cluster", known[LARGEST] };
    out->metric[SINGLE_CLUSTERS] = (protea_metric){ "single_clusters", known[SINGLES] };
    out->metric[NMI_LAST] = (protea_metric){ "nmi_last_epoch", known[AGREEMENT] };
    out->metric[LEAST_PHI] = (protea_metric){ "phi_min", known[PHI_MIN] };
    out->metric[LARGEST_PHI] = (protea_metric){ "phi_max", known[PHI_MAX] };
}

/* Queries of one view: adds to out->loss, tells health of the first, leaves gradients. */
static protea_status direction(protea_ctx *cx, pcl *self, const protea_batch *batch, int64_t view, const protea_progress *now,
                               protea_step_out *out)
{
    bool clustered = cx->planning || protea_f32(&self->known)[CLUSTERED] > 0;
    size_t kept = protea_arena_mark(cx->kept), scratch = protea_arena_mark(cx->scratch);
    protea_contrast_pass pass;
    proto_result result = { 0 };
    PROTEA_TRY(protea_contrast_forward(cx, &self->contrast, batch, view, now, &pass));
    if (clustered)
        PROTEA_TRY(proto_nce(cx, self, batch, view, now, &pass, &result));
    out->loss += pass.result.loss + result.loss;
    if (view == 0) {
        protea_contrast_measure(cx, &self->contrast, &pass, out);
        measure(self, &result, out);
    }
    PROTEA_TRY(protea_contrast_backward(cx, &self->contrast, &pass));
    protea_arena_release(cx->kept, kept);
    protea_arena_release(cx->scratch, scratch);
    return PROTEA_OK;
}

static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    pcl *self = method;
    self->settled = protea_contrast_settled(&self->contrast, now);
    out->loss = 0;
    PROTEA_TRY(protea_contrast_begin(cx, &self->contrast, batch));
    for (int64_t view = 0; view < directions(self); view++)
        PROTEA_TRY(direction(cx, self, batch, view, now, out));
    return PROTEA_OK;
}

static protea_status after_update(protea_ctx *cx, void *method, const protea_progress *now)
{
    (void)now;
    return protea_contrast_update(cx, &((pcl *)method)->contrast);
}

/* ---- health and the head alone */

/* One cluster with nearly all images: the others are what k-means made of single ones. */
static bool sick(const void *method, const protea_step_out *mean, char *text, size_t size)
{
    const pcl *self = method;
    if (!self->settled)
        return false;
    if (protea_contrast_sick(&self->contrast, mean, text, size))
        return true;
    if (mean->n_metrics < N_METRICS || mean->metric[LARGEST_CLUSTER].value <= 0.9)
        return false;
    snprintf(text, size, "nearly all images are in one cluster (%.2f of them); try a longer warmup_epoch, a lower proto_weight, "
             "or a lower lr", mean->metric[LARGEST_CLUSTER].value);
    return true;
}

static protea_status head(protea_ctx *cx, void *method, const protea_pass *pass, const protea_tensor *features,
                          protea_tensor *y)
{
    return protea_embed_head(cx, ((pcl *)method)->contrast.query.head, pass, features, y);
}

static int64_t head_dim(const void *method)
{
    return ((const pcl *)method)->low_dim;
}

const protea_method_ops protea_method_pcl = {
    .name = "pcl",
    .summary = "MoCo's contrast, and contrast with prototypes of clusters",
    .paper = "Li et al. 2021, Prototypical Contrastive Learning of Unsupervised Representations",
    .size = sizeof(pcl),
    .opts = OPTIONS,
    .settle = protea_moco_settle,
    .init = init,
    .epoch_begin = epoch_begin,
    .step = step,
    .after_update = after_update,
    .visit = visit,
    .sick = sick,
    .head = head,
    .head_dim = head_dim,
    .free = pcl_free,
};
