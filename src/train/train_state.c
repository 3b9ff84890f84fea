#include "train/train_state.h"

#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "comm/comm.h"

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

void protea_train_state_set_total(protea_train_state *s, int64_t steps)
{
    const protea_train_opts *o = s->t->opts;
    s->total_steps = steps;
    s->now.n_epochs = ceil_div(steps, s->now.steps_per_epoch);
    double warmup = protea_length(o->warmup_epochs, (double)steps / (double)s->now.steps_per_epoch);
    s->schedule = (protea_schedule){ .start = o->start_warmup, .base = s->base_lr, .final = o->final_lr,
                                     .warmup_steps = (int64_t)(warmup * (double)s->now.steps_per_epoch),
                                     .total_steps = steps, .shape = (protea_lr_shape)o->lr_schedule,
                                     .steps_per_epoch = s->now.steps_per_epoch, .milestones = o->schedule };
    if (s->schedule.warmup_steps > steps)
        s->schedule.warmup_steps = steps;
}

void protea_train_state_move(protea_train_state *s, int64_t step)
{
    s->now.step = step;
    s->now.epoch = step / s->now.steps_per_epoch;
}

/* Hooks that a method reaches through its progress. */
static protea_status run_features(void *self, protea_module *encoder, float *z, int64_t dim)
{
    const protea_trainer *t = ((protea_train_state *)self)->t;
    if (t->train_hooks == NULL || t->train_hooks->features == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s wants features of the data set, and nobody offers them", t->ops->name);
    return t->train_hooks->features(t->train_hooks->self, t->cx, encoder, t->source, z, dim);
}

static protea_status next_batch(void *self, const protea_batch **out)
{
    return protea_loader_next(((protea_train_state *)self)->loader, out);
}

/* The options name the arch; PROTEA_ERR_USAGE where there is no such one. */
static protea_status new_backbone(void *self, protea_module **out, protea_rng *rng)
{
    const protea_trainer *t = ((protea_train_state *)self)->t;
    protea_resnet_opts net = { .small_stem = t->small_stem, .zero_init_residual = t->ops->zero_init_residual };
    if (strlen(t->opts->arch) >= sizeof net.arch)
        return protea_fail(PROTEA_ERR_USAGE, "--arch %.40s...: no such backbone", t->opts->arch);
    snprintf(net.arch, sizeof net.arch, "%.31s", t->opts->arch);
    return protea_resnet_new(out, &net, rng);
}

static int worker_count(const protea_trainer *t)
{
    if (t->opts->workers >= 0)
        return (int)t->opts->workers;
    int spare = protea_cpu_count() - t->cx->threads;
    return spare > 0 ? spare : 0;
}

static protea_status open_loader(protea_train_state *s)
{
    const protea_trainer *t = s->t;
    const protea_comm *comm = t->cx->comm;
    protea_loader_opts o = { .batch_size = t->opts->batch_size / comm->size, .workers = worker_count(t), .seed = t->cx->seed,
                             .max_bad = t->opts->max_bad, .rank = comm->rank, .n_ranks = comm->size,
                             .sampling = t->sampling };
    memcpy(o.mean, t->mean, sizeof o.mean);
    memcpy(o.std, t->std, sizeof o.std);
    return protea_loader_new(&s->loader, t->source, t->augment, &o);
}

/* Krizhevsky's linear rule (Goyal et al. 2017, arXiv:1706.02677), where the options say what batch lr is for. */
static double base_lr(const protea_trainer *t)
{
    double share = t->opts->lr_batch > 0 ? (double)t->opts->batch_size / (double)t->opts->lr_batch : 1;
    return t->optim_opts->lr * share;
}

/* Position 0 of a run of so many steps. */
static void start_progress(protea_train_state *s, int64_t steps)
{
    const protea_trainer *t = s->t;
    int64_t n = protea_source_count(t->source);
    int64_t per_epoch = s->loader != NULL ? protea_loader_steps(s->loader) : n / t->opts->batch_size;
    s->now = (protea_progress){ .steps_per_epoch = per_epoch > 0 ? per_epoch : 1, .n_images = n,
                                .batch_size = t->opts->batch_size, .n_classes = t->classes != NULL ? t->classes->n : 0,
                                .features = run_features, .next_batch = next_batch, .new_backbone = new_backbone, .self = s };
    protea_train_state_set_total(s, steps > 0 ? steps : t->opts->epochs * s->now.steps_per_epoch);
}

/* The method's struct is copied so that a run can be opened again from its options. */
static protea_status open_method(protea_train_state *s, protea_rng *rng)
{
    const protea_trainer *t = s->t;
    PROTEA_TRY(protea_new(&s->method, 1, t->ops->size, t->ops->name));
    memcpy(s->method, t->method, t->ops->size);
    return t->ops->init(t->cx, s->method, s->backbone, &s->now, rng);
}

static protea_status first_backbone(protea_train_state *s, protea_rng *rng)
{
    const protea_train_hooks *hooks = s->t->train_hooks;
    if (hooks != NULL && hooks->encoder != NULL)
        return hooks->encoder(hooks->self, s->t->cx, &s->backbone);
    return new_backbone(s, &s->backbone, rng);
}

protea_status protea_train_state_open(protea_train_state *s, const protea_trainer *t, int64_t steps)
{
    *s = (protea_train_state){ .t = t, .best_accuracy = -1 };
    protea_rng rng = protea_rng_make(t->cx->seed, PROTEA_RNG_INIT, 0, 0, 0);
    protea_optim_opts optim = *t->optim_opts;
    s->base_lr = optim.lr = base_lr(t);
    if (t->opts->epochs > 0)
        PROTEA_TRY(open_loader(s));
    start_progress(s, steps);
    PROTEA_TRY(first_backbone(s, &rng));
    PROTEA_TRY(open_method(s, &rng));
    return protea_optim_new(&s->optim, &optim, protea_train_state_visit, s);
}

void protea_train_state_close(protea_train_state *s)
{
    protea_loader_free(s->loader);
    protea_optim_free(s->optim);
    if (s->method != NULL)
        s->t->ops->free(s->method);
    protea_free(s->method);
    protea_module_free(s->backbone);
    *s = (protea_train_state){ 0 };
}

protea_status protea_train_state_visit(void *self, const protea_visitor *v)
{
    protea_train_state *s = self;
    PROTEA_TRY(protea_visit(s->backbone, "backbone", v));
    return s->t->ops->visit(s->method, v);
}

protea_status protea_train_state_visit_saved(void *self, const protea_visitor *v)
{
    protea_train_state *s = self;
    PROTEA_TRY(protea_train_state_visit(s, v));
    return protea_optim_visit(s->optim, v);
}

protea_status protea_train_state_visit_encoder(void *self, const protea_visitor *v)
{
    return protea_visit(((protea_train_state *)self)->backbone, "", v);
}

protea_module *protea_train_state_classifier(const protea_train_state *s)
{
    return s->t->ops->classifier != NULL ? s->t->ops->classifier(s->method) : NULL;
}

protea_status protea_train_state_visit_model(void *self, const protea_visitor *v)
{
    protea_train_state *s = self;
    PROTEA_TRY(protea_train_state_visit_encoder(s, v));
    return protea_visit(protea_train_state_classifier(s), "fc", v);
}

/* ---- memory */

static protea_status step_on_paper(protea_ctx *cx, void *self)
{
    protea_train_state *s = self;
    protea_batch batch = protea_augment_batch(s->t->augment, s->now.batch_size / s->t->cx->comm->size);
    protea_step_out out = { 0 };
    protea_progress last = s->now;
    last.epoch = s->now.n_epochs - 1; /* when queues are full and nothing is frozen */
    last.step = s->total_steps - 1;
    return s->t->ops->step(cx, s->method, &batch, &last, &out);
}

typedef struct byte_count { size_t bytes; } byte_count;

static protea_status count_param(void *self, const char *name, protea_param *p)
{
    (void)name;
    ((byte_count *)self)->bytes += protea_bytes(&p->w) + protea_bytes(&p->dw);
    return PROTEA_OK;
}

static protea_status count_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)name;
    ((byte_count *)self)->bytes += protea_bytes(t);
    return PROTEA_OK;
}

protea_status protea_train_state_plan(protea_train_state *s)
{
    const double gib = 1024.0 * 1024 * 1024;
    byte_count params = { 0 }, state = { 0 };
    protea_visitor v = { .param = count_param, .buffer = count_buffer, .self = &params };
    size_t kept, scratch;
    PROTEA_TRY(protea_plan_arenas(s->t->cx, step_on_paper, s, &kept, &scratch));
    PROTEA_TRY(protea_train_state_visit(s, &v));
    v.self = &state;
    PROTEA_TRY(protea_optim_visit(s->optim, &v));
    protea_log(s->t->cx, PROTEA_LOG_INFO, "step memory: %.2f GiB (activations %.2f, scratch %.2f, parameters %.2f, optimiser %.2f)",
               (double)(kept + scratch + params.bytes + state.bytes) / gib, (double)kept / gib, (double)scratch / gib,
               (double)params.bytes / gib, (double)state.bytes / gib);
    return PROTEA_OK;
}
