/* Supervised training: cross-entropy of a linear classifier on the pooled features, with label smoothing and Mixup.
 *
 *   L = 1/N sum_n - sum_c t_nc log softmax_c(W f(x_n) + b)
 *   Mixup: x_n <- lambda x_n + (1 - lambda) x_pi(n), and so its target; lambda ~ Beta(alpha, alpha) and pi a permutation,
 *   both drawn anew each step.
 *
 * Sources: Szegedy et al. 2016, arXiv:1512.00567, sec. 7 (label smoothing); Zhang et al. 2018, arXiv:1710.09412 (Mixup; one
 * lambda for the batch, as in its authors' code). With several domains pi knows none of them, so pairs are of any two.
 * Letters: N images on this rank, D features, C classes. */
#include <math.h>

#include "base/status.h"
#include "comm/comm.h"
#include "loss/cross_entropy.h"
#include "method/method.h"
#include "nn/layers.h"
#include "tensor/ops.h"

typedef struct supervised {
    double label_smoothing, mixup; /* options */
    protea_module *backbone;       /* borrowed */
    protea_module *fc;             /* (N,D) -> (N,C) */
    protea_tape *tape;
} supervised;

static const protea_opt OPTIONS[] = {
    { "label_smoothing", NULL, PROTEA_OPT_FLOAT, offsetof(supervised, label_smoothing), "0", 0, 0.999, NULL, NULL,
      "share of the target that is spread over all classes alike", "arXiv:1512.00567 (0.1)", 0 },
    { "mixup", "mixup_alpha", PROTEA_OPT_FLOAT, offsetof(supervised, mixup), "0", 0, 100, NULL, NULL,
      "mixes pairs of images in shares from Beta(mixup, mixup); 0: none are mixed", "arXiv:1710.09412 (0.2)", 0 },
    { .key = NULL },
};

static protea_status init(protea_ctx *cx, void *method, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    supervised *self = method;
    (void)cx;
    self->backbone = backbone;
    if (plan->n_classes < 2)
        return protea_fail(PROTEA_ERR_INPUT, "DATA: %d classes found, 2 wanted at least", plan->n_classes);
    PROTEA_TRY(protea_linear_new(&self->fc, backbone->out_dim, plan->n_classes, true, rng));
    return protea_tape_new(&self->tape);
}

static void supervised_free(void *method)
{
    supervised *self = method;
    protea_module_free(self->fc);
    protea_tape_free(self->tape);
}

static protea_status visit(void *method, const protea_visitor *v)
{
    return protea_visit(((supervised *)method)->fc, "fc", v);
}

static protea_module *classifier(void *method)
{
    return ((supervised *)method)->fc;
}

/* ---- Mixup */

/* What the network is given, and what it is to say. */
typedef struct example {
    protea_tensor x; /* (N,3,S,S) */
    protea_cross_entropy_opts target;
} example;

static protea_rng rng_of(const protea_ctx *cx, const protea_progress *now)
{
    return protea_rng_make(cx->seed, PROTEA_RNG_METHOD, 0, (uint64_t)now->step, (uint32_t)cx->comm->rank);
}

static double draw_share(protea_rng *rng, double alpha)
{
    double a = protea_rng_log_gamma(rng, alpha), b = protea_rng_log_gamma(rng, alpha);
    return 1 / (1 + exp(b - a));
}

/* mixed = share x + (1 - share) x of its partner. */
static void blend(float *mixed, const float *x, const int64_t *partner, double share, int64_t n, int64_t values)
{
    float of_own = (float)share, of_other = (float)(1 - share);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const float *own = x + i * values, *other = x + partner[i] * values;
        for (int64_t j = 0; j < values; j++)
            mixed[i * values + j] = of_own * own[j] + of_other * other[j];
    }
}

static protea_status mix(protea_ctx *cx, const supervised *self, const protea_batch *batch, const protea_progress *now,
                         example *e)
{
    const protea_tensor *x = &batch->group[0].x;
    int64_t n = batch->n_images, *partner;
    int32_t *second;
    PROTEA_TRY(protea_tensor_plain(cx, &e->x, PROTEA_KEPT, PROTEA_F32, x->n_dims, x->dim));
    PROTEA_TRY(protea_arena_alloc(cx->kept, &partner, (size_t)n * sizeof *partner));
    PROTEA_TRY(protea_arena_alloc(cx->kept, &second, (size_t)n * sizeof *second));
    if (cx->planning)
        return PROTEA_OK;
    protea_rng rng = rng_of(cx, now);
    e->target.share = draw_share(&rng, self->mixup);
    e->target.second = second;
    for (int64_t i = 0; i < n; i++)
        partner[i] = i;
    protea_rng_shuffle(&rng, partner, n);
    for (int64_t i = 0; i < n; i++)
        second[i] = batch->label[partner[i]];
    blend(protea_f32(&e->x), protea_f32(x), partner, e->target.share, n, protea_count(x) / n);
    return PROTEA_OK;
}

/* ---- a step */

static protea_status backward(protea_ctx *cx, supervised *self, protea_tensor *d_logits)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor d_features;
    PROTEA_TRY(protea_backward(cx, self->fc, self->tape, d_logits, &d_features));
    PROTEA_TRY(protea_backward(cx, self->backbone, self->tape, &d_features, NULL));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

static protea_status step(protea_ctx *cx, void *method, const protea_batch *batch, const protea_progress *now,
                          protea_step_out *out)
{
    supervised *self = method;
    protea_pass pass = { .tape = self->tape, .batch_stats = true, .update_stats = true };
    example e = { .x = batch->group[0].x, .target = { .temperature = 1, .smoothing = self->label_smoothing } };
    protea_tensor features, logits;
    if (batch->n_views != 1)
        return protea_fail(PROTEA_ERR_USAGE, "nmb_crops: %d views of an image found, 1 wanted", batch->n_views);
    out->loss = 0;
    protea_tape_clear(self->tape);
    if (self->mixup > 0)
        PROTEA_TRY(mix(cx, self, batch, now, &e));
    PROTEA_TRY(protea_forward(cx, self->backbone, &pass, &e.x, &features));
    PROTEA_TRY(protea_forward(cx, self->fc, &pass, &features, &logits));
    double correct = (double)protea_count_correct(cx, &logits, batch->label, NULL);
    out->metric[out->n_metrics++] = (protea_metric){ "train_accuracy", correct / (double)batch->n_images };
    PROTEA_TRY(protea_cross_entropy(cx, &out->loss, &logits, &logits, batch->label, &e.target));
    return backward(cx, self, &logits);
}

const protea_method_ops protea_method_supervised = {
    .name = "supervised",
    .summary = "cross-entropy with labels: a source model to adapt, from scratch or from a pre-trained encoder",
    .paper = "cross-entropy; label smoothing, Szegedy et al. 2016; Mixup, Zhang et al. 2018",
    .size = sizeof(supervised),
    .opts = OPTIONS,
    .init = init,
    .step = step,
    .visit = visit,
    .classifier = classifier,
    .free = supervised_free,
};
