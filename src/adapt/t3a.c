/* T3A: the last layer gives way to prototypes of the features that were predicted with least entropy; nothing is trained.
 *
 *   score_c = z . P_c / |P_c|,   P_c = sum of the class's supports, each divided by its length
 *
 * The supports start as the rows of the last layer's weights, and hold the current batch before it is scored.
 * Source: Iwasawa & Matsuo 2021, "Test-Time Classifier Adjustment Module", NeurIPS, eq. 4-6. In their code K = -1 ("all")
 * drops every class's worst row at each batch; here it keeps all that bank_mib allows. */
#include "adapt/network.h"
#include "adapt/support_bank.h"
#include "tensor/ops.h"

typedef struct t3a {
    protea_bank_opts bank_opts;
    protea_adapt_base *base;
    protea_bank bank;
} t3a;

static const protea_opt OPTIONS[] = {
    { "filter_K", "filter_k", PROTEA_OPT_INT, offsetof(t3a, bank_opts.filter_k), "100", -1, 1 << 20, NULL, "rows",
      "supports kept for each class, those of least entropy; -1: all that bank_mib allows", "T3A: 1 5 20 50 100 or all", 0 },
    { "bank_mib", NULL, PROTEA_OPT_INT, offsetof(t3a, bank_opts.cap_mib), "256", 1, 1 << 20, NULL, "MiB",
      "the most that the support bank may take", NULL, 0 },
    { .key = NULL },
};

static protea_status init(protea_ctx *cx, void *adapter, protea_adapt_base *base)
{
    t3a *self = adapter;
    (void)cx;
    self->base = base;
    return protea_bank_new(&self->bank, base->model.fc->out_dim, base->model.featurizer->out_dim, &self->bank_opts);
}

static void t3a_free(void *adapter)
{
    protea_bank_release(&((t3a *)adapter)->bank);
}

static protea_status reset(protea_ctx *cx, void *adapter)
{
    t3a *self = adapter;
    protea_bank_clear(&self->bank);
    return protea_bank_warm_up(cx, &self->bank, self->base->model.fc);
}

/* z (N,D) against the prototypes. */
static protea_status score(protea_ctx *cx, const t3a *self, const protea_tensor *z, protea_tensor *scores)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor p, norm;
    PROTEA_TRY(protea_tensor_rows(cx, scores, PROTEA_KEPT, z->dim[0], self->bank.n_classes));
    PROTEA_TRY(protea_tensor_rows(cx, &p, PROTEA_SCRATCH, self->bank.n_classes, self->bank.dim));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, self->bank.n_classes, 1));
    PROTEA_TRY(protea_bank_prototypes(cx, &self->bank, &p));
    PROTEA_TRY(protea_l2norm(cx, &p, &norm, &p));
    PROTEA_TRY(protea_gemm(cx, scores, z, &p, false, true, 1, 0));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

static protea_status predict(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits)
{
    const t3a *self = adapter;
    protea_tensor z, linear;
    PROTEA_TRY(protea_network_forward(cx, self->base, &(protea_pass){ 0 }, x, &z, &linear));
    return score(cx, self, &z, logits);
}

static protea_status adapt(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    t3a *self = adapter;
    protea_tensor z, linear;
    PROTEA_TRY(protea_network_forward(cx, self->base, &(protea_pass){ 0 }, x, &z, &linear));
    if (cx->planning || (protea_all_finite(&z) && protea_all_finite(&linear)))
        PROTEA_TRY(protea_bank_add(cx, &self->bank, &z, &linear));
    out->kept = x->dim[0];
    out->bank_rows = protea_bank_rows(&self->bank);
    out->bank_bytes = protea_bank_bytes(&self->bank);
    return score(cx, self, &z, logits);
}

static protea_status visit(void *adapter, const protea_visitor *v)
{
    return protea_bank_visit(&((t3a *)adapter)->bank, v);
}

static protea_status loaded(void *adapter)
{
    return protea_bank_loaded(&((t3a *)adapter)->bank);
}

const protea_adapter_ops protea_adapter_t3a_ops = {
    .name = "t3a", .summary = "prototypes of the surest features instead of the last layer", .paper = "Iwasawa & Matsuo 2021",
    .size = sizeof(t3a), .opts = OPTIONS, .init = init, .predict = predict, .adapt = adapt, .reset = reset, .visit = visit,
    .loaded = loaded, .free = t3a_free,
};
