/* Two optimisers, one for the trunk and one for the classifier, are what gives them rates of their own. */
#include "eval/finetune.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "eval/classify.h"

struct protea_finetune {
    protea_ctx cx;                 /* the caller's, with arenas of our own */
    protea_model model;            /* the caller's network with our classifier: nothing here is owned */
    protea_finetune_opts opts;
    protea_source *train;          /* borrowed */
    protea_augment_opts augment;
    protea_loader *loader;
    const protea_method_ops *ops;
    void *method;                  /* owns the classifier */
    protea_optim *trunk, *head;
    protea_progress now;
};

/* ---- making it */

static protea_status visit_trunk(void *self, const protea_visitor *v)
{
    return protea_visit(((protea_finetune *)self)->model.backbone, "backbone", v);
}

static protea_status visit_head(void *self, const protea_visitor *v)
{
    protea_finetune *f = self;
    return f->ops->visit(f->method, v);
}

static protea_status open_loader(protea_finetune *f)
{
    int64_t n = protea_source_count(f->train), batch = f->opts.batch_size < n ? f->opts.batch_size : n;
    protea_loader_opts o = { .batch_size = batch, .seed = f->cx.seed, .max_bad = n, .n_ranks = 1,
                             .sampling = { .steps = (n + batch - 1) / batch } };
    memcpy(o.mean, f->model.mean, sizeof o.mean);
    memcpy(o.std, f->model.std, sizeof o.std);
    f->augment = protea_augment_single(f->opts.view, f->model.image_size);
    f->now = (protea_progress){ .n_epochs = f->opts.epochs, .steps_per_epoch = o.sampling.steps, .n_images = n,
                                .batch_size = batch, .n_classes = protea_source_n_classes(f->train) };
    return protea_loader_new(&f->loader, f->train, &f->augment, &o);
}

static protea_status open_head(protea_finetune *f)
{
    protea_rng rng = protea_rng_make(f->cx.seed, PROTEA_RNG_INIT, 0, 0, 0);
    PROTEA_TRY(protea_method_find(&f->ops, "supervised"));
    PROTEA_TRY(protea_new(&f->method, 1, f->ops->size, "the classifier")); /* zeros: no smoothing, no Mixup */
    PROTEA_TRY(f->ops->init(&f->cx, f->method, f->model.backbone, &f->now, &rng));
    f->model.fc = f->ops->classifier(f->method);
    f->model.classes = (protea_class_names){ .n = f->now.n_classes };
    return PROTEA_OK;
}

static protea_status open_optimisers(protea_finetune *f)
{
    protea_optim_opts opts = { .optimizer = PROTEA_OPTIM_SGD, .momentum = f->opts.momentum, .wd = f->opts.wd };
    PROTEA_TRY(protea_optim_new(&f->trunk, &opts, visit_trunk, f));
    return protea_optim_new(&f->head, &opts, visit_head, f);
}

static protea_status step_on_paper(protea_ctx *cx, void *self)
{
    protea_finetune *f = self;
    protea_batch batch = protea_augment_batch(&f->augment, f->now.batch_size);
    protea_step_out out = { 0 };
    return f->ops->step(cx, f->method, &batch, &f->now, &out);
}

static protea_status init(protea_finetune *f)
{
    PROTEA_TRY(open_loader(f));
    PROTEA_TRY(open_head(f));
    PROTEA_TRY(open_optimisers(f));
    return protea_plan_arenas(&f->cx, step_on_paper, f, NULL, NULL);
}

protea_status protea_finetune_new(protea_finetune **out, const protea_ctx *cx, const protea_model *model, protea_source *train,
                                  const protea_finetune_opts *opts)
{
    protea_finetune *f;
    *out = NULL;
    PROTEA_TRY(protea_new(&f, 1, sizeof *f, "fine-tuning"));
    f->cx = *cx;
    f->cx.kept = f->cx.scratch = NULL;
    f->model = *model;
    f->opts = *opts;
    f->train = train;
    protea_status status = init(f);
    if (status == PROTEA_OK)
        *out = f;
    else
        protea_finetune_free(f);
    return status;
}

void protea_finetune_free(protea_finetune *f)
{
    if (f == NULL)
        return;
    protea_loader_free(f->loader);
    protea_optim_free(f->trunk);
    protea_optim_free(f->head);
    if (f->method != NULL)
        f->ops->free(f->method);
    protea_free(f->method);
    protea_arena_free(f->cx.kept);
    protea_arena_free(f->cx.scratch);
    protea_free(f);
}

int64_t protea_finetune_steps(const protea_finetune *f)
{
    return f->now.steps_per_epoch;
}

const protea_model *protea_finetune_model(const protea_finetune *f)
{
    return &f->model;
}

/* ---- training */

static double rate(const protea_finetune *f, double base)
{
    const protea_schedule s = { .base = base, .total_steps = f->now.n_epochs * f->now.steps_per_epoch, .shape = f->opts.schedule,
                                .steps_per_epoch = f->now.steps_per_epoch, .milestones = f->opts.milestones,
                                .gamma = f->opts.gamma };
    return protea_schedule_lr(&s, f->now.step);
}

static protea_status diverged(const protea_finetune *f, const char *what)
{
    return protea_fail(PROTEA_ERR_DIVERGED, "fine-tuning: %s not finite after step %lld, with rates of %g and, for the "
                       "classifier, %g; try lower ones", what, (long long)f->now.step, f->opts.lr, f->opts.lr_head);
}

static protea_status train_step(protea_finetune *f, double *loss)
{
    const protea_batch *batch;
    protea_step_out out = { 0 };
    PROTEA_TRY(protea_loader_next(f->loader, &batch));
    if (batch == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "the loader ended an epoch at step %lld", (long long)f->now.step);
    protea_arena_release(f->cx.kept, 0);
    protea_arena_release(f->cx.scratch, 0);
    PROTEA_TRY(protea_zero_all_gradients(visit_trunk, f));
    PROTEA_TRY(protea_zero_all_gradients(visit_head, f));
    PROTEA_TRY(f->ops->step(&f->cx, f->method, batch, &f->now, &out));
    if (!isfinite(out.loss))
        return diverged(f, "the loss is");
    PROTEA_TRY(protea_optim_step(&f->cx, f->trunk, rate(f, f->opts.lr)));
    PROTEA_TRY(protea_optim_step(&f->cx, f->head, rate(f, f->opts.lr_head)));
    f->now.step++;
    *loss = out.loss;
    return PROTEA_OK;
}

static protea_status train_epoch(protea_finetune *f, protea_finetune_score *score, const protea_finetune_watch *watch)
{
    int64_t steps = f->now.steps_per_epoch;
    double sum = 0, loss;
    PROTEA_TRY(protea_loader_start(f->loader, f->now.epoch, 0));
    for (int64_t i = 0; i < steps; i++) {
        PROTEA_TRY(train_step(f, &loss));
        sum += loss;
        if (watch->step != NULL)
            PROTEA_TRY(watch->step(watch->self, f->now.step, f->now.n_epochs * steps, loss));
    }
    score->loss = sum / (double)steps;
    f->now.epoch++;
    return PROTEA_OK;
}

/* ---- testing */

static void take_score(protea_finetune_score *score, const protea_classified *c, int64_t epoch)
{
    score->n_test = c->n_labelled;
    score->last_top1 = (double)c->n_correct / (double)c->n_labelled;
    score->last_top5 = (double)c->n_among_5 / (double)c->n_labelled;
    if (score->best_epoch > 0 && score->last_top1 <= score->best_top1)
        return;
    score->best_top1 = score->last_top1;
    score->best_top5 = score->last_top5;
    score->best_epoch = epoch;
}

static protea_status test(protea_finetune *f, protea_finetune_score *score, protea_source *set, const int32_t *class,
                          const protea_finetune_watch *watch)
{
    protea_classified c;
    protea_status status = protea_classify(&f->cx, &c, &f->model, set, class, watch->testing, watch->self);
    if (status == PROTEA_ERR_INPUT) /* its images were read before or are left out: only the network can be at fault */
        status = diverged(f, "what the network makes of the test images is");
    if (status == PROTEA_OK && c.n_labelled == 0)
        status = protea_fail(PROTEA_ERR_INPUT, "fine-tuning: no labelled test images");
    if (status == PROTEA_OK)
        take_score(score, &c, f->now.epoch);
    protea_classified_release(&c);
    if (status == PROTEA_OK && watch->tested != NULL)
        status = watch->tested(watch->self, f->now.epoch, score);
    return status;
}

protea_status protea_finetune_run(protea_finetune *f, protea_finetune_score *score, protea_source *set, const int32_t *class,
                                  const protea_finetune_watch *watch)
{
    *score = (protea_finetune_score){ 0 };
    while (f->now.epoch < f->now.n_epochs) {
        PROTEA_TRY(train_epoch(f, score, watch));
        if (f->now.epoch == f->now.n_epochs || f->now.epoch % f->opts.test_freq == 0)
            PROTEA_TRY(test(f, score, set, class, watch));
    }
    return PROTEA_OK;
}
