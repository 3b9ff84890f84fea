/* TSD: the features are moved until the linear layer and the prototypes of the support bank agree on them.
 *
 *   L = L_prototype + lam L_local
 *
 * In two modes that are never mixed: "official" computes number for number what the authors' code does, "corrected" what it
 * says it does. docs/math/tsd.md has the losses, gradients and every difference.
 * Source: Wang et al. 2023, arXiv:2303.10902; code at github.com/SakurajimaMaiii/TSD, a79a34e. */
#include "adapt/gradient_step.h"
#include "adapt/support_bank.h"
#include "adapt/topk_cluster.h"
#include "base/alloc.h"
#include "base/status.h"
#include "loss/entropy.h"
#include "loss/prototype_loss.h"
#include "tensor/ops.h"

enum { CORRECTED, OFFICIAL };
enum { LABELS_LINEAR, LABELS_PROTOTYPES };

typedef struct tsd {
    /* options */
    int32_t mode, use_hard, labels;
    double lam, tau;
    int64_t topk;
    protea_bank_opts bank_opts;
    /* state */
    protea_adapt_base *base;
    protea_bank bank;
    bool batch_is_new;      /* not yet in the bank */
} tsd;

/* docs/results.md has the table. The learning rate of .own is the code's, and the best of the same table. */
#define TUNED "tuned on speckle_noise, gaussian_blur, spatter and saturate"

static const protea_opt OPTIONS[] = {
    { "mode", NULL, PROTEA_OPT_CHOICE, offsetof(tsd, mode), "corrected", 0, 0, "corrected|official", NULL,
      "corrected: as the paper means it; official: number for number what the authors' code computes", NULL, 0 },
    { "filter_K", "filter_k", PROTEA_OPT_INT, offsetof(tsd, bank_opts.filter_k), "100", -1, 1 << 20, NULL, "rows",
      "supports kept for each class, those of least entropy; -1: all that bank_mib allows", "TSD: 1 5 20 50 100 or -1", 0 },
    { "lam", NULL, PROTEA_OPT_FLOAT, offsetof(tsd, lam), "-1", -1, 1e3, NULL, NULL,
      "weight of the local loss; -1: the mode's own (official 0, corrected 0.1)", TUNED "; official: the code", 0 },
    { "tau", NULL, PROTEA_OPT_FLOAT, offsetof(tsd, tau), "0", 0, 100, NULL, NULL,
      "divides the similarities to prototypes; 0: the mode's own (official 1, corrected 0.3)", TUNED "; official: the code",
      0 },
    { "topk", NULL, PROTEA_OPT_INT, offsetof(tsd, topk), "3", 1, 1000, NULL, "rows",
      "nearest supports in the local loss", "TSD: 3", 0 },
    { "use_hard", NULL, PROTEA_OPT_BOOL, offsetof(tsd, use_hard), "false", 0, 0, NULL, NULL,
      "cross-entropy with one label instead of the divergence of both predictions", "TSD", 0 },
    { "labels", NULL, PROTEA_OPT_CHOICE, offsetof(tsd, labels), "linear", 0, 0, "linear|prototypes", NULL,
      "use_hard: whose prediction is the label", "TSD", 0 },
    { "bank_mib", NULL, PROTEA_OPT_INT, offsetof(tsd, bank_opts.cap_mib), "256", 1, 1 << 20, NULL, "MiB",
      "the most that the support bank may take", NULL, 0 },
    { .key = NULL },
};

static protea_status check_official(const protea_adapt_opts *o)
{
    if (o->steps != 1)
        return protea_fail(PROTEA_ERR_USAGE, "steps: %lld found; the official code of tsd makes one step whatever it says, so "
                           "--mode official wants 1", (long long)o->steps);
    if (o->episodic)
        return protea_fail(PROTEA_ERR_USAGE, "episodic: the official code of tsd never resets; --mode corrected does");
    return PROTEA_OK;
}

static protea_status init(protea_ctx *cx, void *adapter, protea_adapt_base *base)
{
    tsd *self = adapter;
    bool official = self->mode == OFFICIAL;
    (void)cx;
    self->base = base;
    if (official)
        PROTEA_TRY(check_official(&base->opts));
    if (self->labels == LABELS_PROTOTYPES && !self->use_hard)
        return protea_fail(PROTEA_ERR_USAGE, "labels: prototypes give one label each, which --use-hard learns from");
    if (self->lam < 0)
        self->lam = official ? 0 : 0.1;
    if (self->tau <= 0)
        self->tau = official ? 1 : 0.3;
    self->bank_opts.with_scores = self->lam > 0;
    self->bank_opts.drop_worst = official && self->bank_opts.filter_k == -1;
    return protea_bank_new(&self->bank, base->model.fc->out_dim, base->model.featurizer->out_dim, &self->bank_opts);
}

static void tsd_free(void *adapter)
{
    protea_bank_release(&((tsd *)adapter)->bank);
}

static protea_status reset(protea_ctx *cx, void *adapter)
{
    tsd *self = adapter;
    protea_bank_clear(&self->bank);
    return protea_bank_warm_up(cx, &self->bank, self->base->model.fc);
}

/* ---- the losses */

static protea_row_norm_kind norm_of(const tsd *self)
{
    return self->mode == OFFICIAL ? PROTEA_NORM_L1 : PROTEA_NORM_L2;
}

/* The nearest supports of each feature, and their predictions (scores). */
typedef struct surroundings {
    protea_neighbours nb;
    protea_tensor scores;
} surroundings;

static protea_status find_neighbours(protea_ctx *cx, const tsd *self, const protea_tensor *z, surroundings *near)
{
    protea_neighbours *nb = &near->nb;
    protea_tensor unit, norm;
    PROTEA_TRY(protea_neighbours_start(cx, nb, z->dim[0], self->topk));
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_tensor_like(cx, &unit, PROTEA_SCRATCH, z));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, z->dim[0], 1));
    PROTEA_TRY(protea_row_norm(cx, norm_of(self), &unit, &norm, z));
    PROTEA_TRY(protea_neighbours_search_bank(cx, nb, &unit, &self->bank, norm_of(self)));
    protea_arena_release(cx->scratch, mark);
    return protea_neighbours_gather(cx, nb, &self->bank.scores, &near->scores);
}

/* What the linear layer says, as the prototypes' target: the official code hands softmax to a function that takes logits. */
static protea_status make_target(protea_ctx *cx, const tsd *self, const protea_tensor *logits, protea_tensor *target)
{
    protea_tensor h;
    PROTEA_TRY(protea_tensor_like(cx, target, PROTEA_SCRATCH, logits));
    if (self->mode != OFFICIAL)
        return protea_copy(cx, target, logits);
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, logits->dim[0], 1));
    return protea_softmax_entropy(cx, &h, target, logits);
}

static protea_status prototype_loss(protea_ctx *cx, const tsd *self, protea_adapt_pass *pass, double *loss,
                                    protea_kept_rows *kept)
{
    protea_distillation soft = self->mode == OFFICIAL ? PROTEA_DISTIL_REVERSE : PROTEA_DISTIL_FORWARD;
    const protea_prototype_opts opts = { .norm = norm_of(self), .tau = self->tau,
                                         .kind = self->use_hard ? PROTEA_DISTIL_HARD : soft,
                                         .own_labels = self->labels == LABELS_PROTOTYPES,
                                         .consistent_only = self->mode == CORRECTED };
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor p, target;
    PROTEA_TRY(protea_tensor_rows(cx, &p, PROTEA_SCRATCH, self->bank.n_classes, self->bank.dim));
    PROTEA_TRY(protea_bank_prototypes(cx, &self->bank, &p));
    PROTEA_TRY(make_target(cx, self, &pass->logits, &target));
    PROTEA_TRY(protea_prototype_loss(cx, loss, kept, &pass->d_z, NULL, &pass->z, &p, &target, &opts));
    protea_arena_release(cx->scratch, mark);
    pass->to_z = true;
    return PROTEA_OK;
}

static void scale(const protea_ctx *cx, protea_tensor *t, double factor)
{
    for (int64_t i = 0; i < protea_count(t) && !cx->planning; i++)
        protea_f32(t)[i] *= (float)factor;
}

/* The official code looks for neighbours in the bank that holds the batch already, the corrected mode in what was there
 * before: an image is its own nearest neighbour, and says nothing. */
static protea_status add_batch(protea_ctx *cx, tsd *self, const protea_adapt_pass *pass, surroundings *near)
{
    bool before = self->mode == CORRECTED;
    if (self->lam > 0 && before)
        PROTEA_TRY(find_neighbours(cx, self, &pass->z, near));
    if (self->batch_is_new || cx->planning)
        PROTEA_TRY(protea_bank_add(cx, &self->bank, &pass->z, &pass->logits));
    self->batch_is_new = false;
    return self->lam > 0 && !before ? find_neighbours(cx, self, &pass->z, near) : PROTEA_OK;
}

static protea_status loss(protea_ctx *cx, void *adapter, protea_adapt_pass *pass, protea_adapt_out *out)
{
    tsd *self = adapter;
    bool official = self->mode == OFFICIAL;
    surroundings near = { 0 };
    protea_kept_rows kept = { 0 };
    double local = 0;
    PROTEA_TRY(protea_arena_alloc(cx->kept, &kept.keep, (size_t)pass->z.dim[0] * sizeof *kept.keep));
    PROTEA_TRY(add_batch(cx, self, pass, &near));
    PROTEA_TRY(prototype_loss(cx, self, pass, &out->loss, &kept));
    PROTEA_TRY(protea_fill(cx, &pass->d_logits, 0));
    if (self->lam > 0) {
        PROTEA_TRY(protea_topk_cluster(cx, &local, &pass->d_logits, &pass->logits, &near.nb, &near.scores,
                                       official ? NULL : &kept, official));
        scale(cx, &pass->d_logits, self->lam);
        out->loss += self->lam * local;
    }
    out->kept = kept.n;
    return PROTEA_OK;
}

static protea_status adapt(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    tsd *self = adapter;
    self->batch_is_new = true;
    PROTEA_TRY(protea_gradient_steps(cx, self->base, x, &(protea_adapt_loss){ loss, NULL, self }, logits, out));
    out->bank_rows = protea_bank_rows(&self->bank);
    out->bank_bytes = protea_bank_bytes(&self->bank);
    return PROTEA_OK;
}

static protea_status visit(void *adapter, const protea_visitor *v)
{
    return protea_bank_visit(&((tsd *)adapter)->bank, v);
}

static protea_status loaded(void *adapter)
{
    return protea_bank_loaded(&((tsd *)adapter)->bank);
}

const protea_adapter_ops protea_adapter_tsd_ops = {
    .name = "tsd", .summary = "the linear layer and the prototypes of the surest features brought to agree",
    .paper = "arXiv:2303.10902", .size = sizeof(tsd), .opts = OPTIONS, .init = init, .adapt = adapt, .reset = reset,
    .visit = visit, .loaded = loaded, .free = tsd_free,
    .own = { .lr = 1e-4, .update_param = PROTEA_UPDATE_ALL, .optimizer = PROTEA_ADAPT_ADAM },
};
