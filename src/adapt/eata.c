/* EATA: entropy of the rows that are sure and new, weights kept near those that mattered on the training data.
 *
 *   L = mean over kept of exp(E0 - H_n) H_n + beta sum_i F_i (w_i - w0_i)^2,   E0 = e_margin ln C
 *
 * A row is kept when H_n < E0 and |cos(m, p_n)| < d_margin, where m is a moving mean of the kept rows' p (0.9 of the old, none
 * on the first batch, whose rows are not compared). F is the mean over batches of training data of the squared gradient of
 * cross-entropy with the classifier's own labels; without such batches the second term is missing, which is called ETA.
 * Source: Niu et al. 2022, arXiv:2204.02610, eq. 2-8, and the authors' code, whose reset forgets to clear m; ours clears it. */
#include <math.h>
#include <string.h>

#include "adapt/gradient_step.h"
#include "adapt/network.h"
#include "base/alloc.h"
#include "loss/entropy.h"
#include "loss/log_softmax.h"
#include "tensor/ops.h"

/* Of one trained parameter. */
typedef struct anchor {
    char *name;
    protea_tensor start, fisher; /* w0, F; as the parameter */
} anchor;

typedef struct eata {
    double e_margin, d_margin, fisher_alpha;
    protea_adapt_base *base;
    anchor *anchors;            /* (n) in the order of the parameters */
    int64_t n;
    protea_tensor batches;      /* (1) of training data that F is the mean of; 0: there is no F */
    protea_tensor mean_p;       /* (C+1): m, and 1 once there is one */
    bool warned;
} eata;

static const protea_opt OPTIONS[] = {
    { "e_margin", NULL, PROTEA_OPT_FLOAT, offsetof(eata, e_margin), "0.4", 0, 1, NULL, NULL,
      "rows of an entropy below this share of ln(classes) are learnt from", "arXiv:2204.02610", 0 },
    { "d_margin", NULL, PROTEA_OPT_FLOAT, offsetof(eata, d_margin), "0.4", 0, 1, NULL, NULL,
      "rows more like the mean prediction than this (cosine) are left out; 0.05 for a thousand classes",
      "github.com/mariodoebler/test-time-adaptation for CIFAR; arXiv:2204.02610: 0.05", 0 },
    { "fisher_alpha", NULL, PROTEA_OPT_FLOAT, offsetof(eata, fisher_alpha), "1", 0, 1e9, NULL, NULL,
      "weight of the distance to the source's weights; needs training data; 2000 for a thousand classes",
      "github.com/mariodoebler/test-time-adaptation for CIFAR; arXiv:2204.02610: 2000", 0 },
    { .key = NULL },
};

/* ---- anchors */

static protea_status add_anchor(void *adapter, const char *name, protea_param *p)
{
    eata *self = adapter;
    PROTEA_TRY(protea_grow(&self->anchors, (size_t)self->n + 1, sizeof *self->anchors, "EATA's anchors"));
    anchor *a = &self->anchors[self->n++];
    *a = (anchor){ 0 };
    PROTEA_TRY(protea_copy_string(&a->name, name));
    PROTEA_TRY(protea_tensor_new(&a->start, p->w.n_dims, p->w.dim, "EATA's anchors"));
    PROTEA_TRY(protea_tensor_new(&a->fisher, p->w.n_dims, p->w.dim, "EATA's anchors"));
    memcpy(a->start.data, p->w.data, protea_bytes(&p->w));
    return PROTEA_OK;
}

static protea_status init(protea_ctx *cx, void *adapter, protea_adapt_base *base)
{
    eata *self = adapter;
    (void)cx;
    self->base = base;
    PROTEA_TRY(protea_tensor_new(&self->batches, 1, (const int64_t[]){ 1 }, "EATA"));
    PROTEA_TRY(protea_tensor_new(&self->mean_p, 1, (const int64_t[]){ base->model.fc->out_dim + 1 }, "EATA"));
    return protea_network_visit_trained(&base->model, &(protea_visitor){ .param = add_anchor, .self = self });
}

static void eata_free(void *adapter)
{
    eata *self = adapter;
    for (int64_t i = 0; i < self->n; i++) {
        protea_free(self->anchors[i].name);
        protea_tensor_release(&self->anchors[i].start);
        protea_tensor_release(&self->anchors[i].fisher);
    }
    protea_free(self->anchors);
    protea_tensor_release(&self->batches);
    protea_tensor_release(&self->mean_p);
}

static protea_status reset(protea_ctx *cx, void *adapter)
{
    eata *self = adapter;
    (void)cx;
    memset(self->mean_p.data, 0, protea_bytes(&self->mean_p));
    return PROTEA_OK;
}

static protea_status visit(void *adapter, const protea_visitor *v)
{
    eata *self = adapter;
    PROTEA_TRY(protea_visit_buffer(v, "adapter", "mean_probs", &self->mean_p));
    PROTEA_TRY(protea_visit_buffer(v, "adapter", "fisher_batches", &self->batches));
    for (int64_t i = 0; i < self->n; i++) {
        PROTEA_TRY(protea_visit_buffer(v, "adapter.start", self->anchors[i].name, &self->anchors[i].start));
        PROTEA_TRY(protea_visit_buffer(v, "adapter.fisher", self->anchors[i].name, &self->anchors[i].fisher));
    }
    return PROTEA_OK;
}

/* Walks over the trained parameters beside their anchors. */
typedef struct anchor_walk {
    eata *self;
    int64_t next;
    double sum;
} anchor_walk;

/* F <- (b F + g^2) / (b + 1) after b batches. */
static protea_status add_fisher(void *walk_, const char *name, protea_param *p)
{
    anchor_walk *walk = walk_;
    const anchor *a = &walk->self->anchors[walk->next++];
    double b = protea_f32(&walk->self->batches)[0];
    (void)name;
    for (int64_t i = 0; i < protea_count(&p->dw); i++) {
        double g = protea_f32(&p->dw)[i];
        protea_f32(&a->fisher)[i] = (float)((b * protea_f32(&a->fisher)[i] + g * g) / (b + 1));
    }
    return PROTEA_OK;
}

/* Adds the second term's gradient, 2 beta F (w - w0), and sums the term itself. */
static protea_status add_penalty(void *walk_, const char *name, protea_param *p)
{
    anchor_walk *walk = walk_;
    const anchor *a = &walk->self->anchors[walk->next++];
    double beta = walk->self->fisher_alpha;
    (void)name;
    for (int64_t i = 0; i < protea_count(&p->w); i++) {
        double off = (double)protea_f32(&p->w)[i] - protea_f32(&a->start)[i], pull = beta * protea_f32(&a->fisher)[i] * off;
        walk->sum += pull * off;
        protea_f32(&p->dw)[i] += (float)(2 * pull);
    }
    return PROTEA_OK;
}

/* ---- training data */

/* d_logits of mean cross-entropy with the largest logit as label: (p - onehot) / N. */
static void own_label_gradient(protea_tensor *d_logits, const protea_tensor *logits)
{
    int64_t n = logits->dim[0], c = logits->dim[1];
    for (int64_t row = 0; row < n; row++) {
        int64_t label = protea_argmax_row(protea_f32(logits) + row * c, c);
        protea_f32(d_logits)[row * c + label] -= 1;
    }
    for (int64_t i = 0; i < n * c; i++)
        protea_f32(d_logits)[i] /= (float)n;
}

static protea_status source(protea_ctx *cx, void *adapter, const protea_tensor *x)
{
    eata *self = adapter;
    protea_adapt_pass pass;
    protea_tensor h;
    bool finite;
    PROTEA_TRY(protea_adapt_forward(cx, self->base, x, true, false, &pass, &finite));
    if (!finite)
        return PROTEA_OK;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, x->dim[0], 1));
    PROTEA_TRY(protea_softmax_entropy(cx, &h, &pass.d_logits, &pass.logits));
    protea_arena_release(cx->scratch, mark);
    if (!cx->planning)
        own_label_gradient(&pass.d_logits, &pass.logits);
    PROTEA_TRY(protea_adapt_backward(cx, self->base, &pass, &finite));
    if (!finite || cx->planning)
        return PROTEA_OK;
    anchor_walk walk = { .self = self };
    PROTEA_TRY(protea_network_visit_trained(&self->base->model, &(protea_visitor){ .param = add_fisher, .self = &walk }));
    protea_f32(&self->batches)[0] += 1;
    return PROTEA_OK;
}

/* ---- the loss */

static bool has_mean(const eata *self)
{
    return protea_f32(&self->mean_p)[self->mean_p.dim[0] - 1] > 0;
}

static bool is_new(const eata *self, const float *p)
{
    int64_t c = self->mean_p.dim[0] - 1;
    const float *m = protea_f32(&self->mean_p);
    double dot = 0, mm = 0, pp = 0;
    for (int64_t i = 0; i < c; i++) {
        dot += (double)m[i] * p[i];
        mm += (double)m[i] * m[i];
        pp += (double)p[i] * p[i];
    }
    return fabs(dot) < self->d_margin * fmax(sqrt(mm) * sqrt(pp), 1e-8);
}

/* weight (N): exp(E0 - H) / kept of a kept row, else 0. Returns how many are kept. */
static int64_t weigh(const eata *self, double *weight, const protea_tensor *h, const protea_tensor *p)
{
    int64_t n = p->dim[0], c = p->dim[1], kept = 0;
    double bound = self->e_margin * log((double)c);
    for (int64_t row = 0; row < n; row++) {
        double entropy = protea_f32(h)[row];
        bool keep = entropy < bound && (!has_mean(self) || is_new(self, protea_f32(p) + row * c));
        weight[row] = keep ? exp(bound - entropy) : 0;
        kept += keep;
    }
    for (int64_t row = 0; row < n && kept > 0; row++)
        weight[row] /= (double)kept;
    return kept;
}

static void move_mean(eata *self, const double *weight, const protea_tensor *p, int64_t kept)
{
    int64_t n = p->dim[0], c = p->dim[1];
    float *m = protea_f32(&self->mean_p);
    bool had = has_mean(self);
    for (int64_t i = 0; i < c; i++) {
        double sum = 0;
        for (int64_t row = 0; row < n; row++)
            sum += weight[row] > 0 ? protea_f32(p)[row * c + i] : 0;
        m[i] = (float)(had ? 0.9 * m[i] + 0.1 * sum / (double)kept : sum / (double)kept);
    }
    m[c] = 1;
}

static protea_status loss(protea_ctx *cx, void *adapter, protea_adapt_pass *pass, protea_adapt_out *out)
{
    eata *self = adapter;
    int64_t n = pass->logits.dim[0];
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor h, p;
    double *weight;
    PROTEA_TRY(protea_tensor_rows(cx, &h, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_tensor_like(cx, &p, PROTEA_SCRATCH, &pass->logits));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &weight, (size_t)n * sizeof *weight));
    PROTEA_TRY(protea_softmax_entropy(cx, &h, &p, &pass->logits));
    if (!cx->planning) {
        out->kept = weigh(self, weight, &h, &p);
        if (out->kept > 0)
            move_mean(self, weight, &p, out->kept);
    }
    PROTEA_TRY(protea_entropy_loss(cx, &out->loss, &pass->d_logits, &pass->logits, weight));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* After the first term's backward. */
static protea_status penalty(void *adapter, protea_adapt_out *out)
{
    anchor_walk walk = { .self = adapter };
    if (!(protea_f32(&walk.self->batches)[0] > 0))
        return PROTEA_OK;
    PROTEA_TRY(protea_network_visit_trained(&walk.self->base->model, &(protea_visitor){ .param = add_penalty, .self = &walk }));
    out->loss += walk.sum;
    return PROTEA_OK;
}

static void warn_without_source(const protea_ctx *cx, eata *self)
{
    if (cx->planning || self->warned || !(self->fisher_alpha > 0) || protea_f32(&self->batches)[0] > 0)
        return;
    self->warned = true;
    protea_log(cx, PROTEA_LOG_WARN, "eata: no training data was given, so nothing holds the weights near the source's");
}

static protea_status adapt(protea_ctx *cx, void *adapter, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out)
{
    eata *self = adapter;
    warn_without_source(cx, self);
    return protea_gradient_steps(cx, self->base, x, &(protea_adapt_loss){ loss, penalty, self }, logits, out);
}

const protea_adapter_ops protea_adapter_eata_ops = {
    .name = "eata", .summary = "less entropy on sure and new images, near the source's weights", .paper = "arXiv:2204.02610",
    .size = sizeof(eata), .opts = OPTIONS, .init = init, .source = source, .adapt = adapt, .reset = reset, .visit = visit,
    .free = eata_free,
    .own = { .lr = 2.5e-4, .update_param = PROTEA_UPDATE_AFFINE, .optimizer = PROTEA_ADAPT_SGD },
};
