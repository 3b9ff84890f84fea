/* `protea bench METHOD-step`: a method through its seam, fed with crops from memory. */
#include <stdio.h>

#include "api/bench.h"
#include "method/method.h"
#include "nn/layers.h"

typedef struct method_bench {
    protea_ctx *cx;
    const protea_bench_method *setup;
    const protea_method_ops *ops;
    void *method;               /* owned */
    protea_module *backbone;    /* owned */
    protea_optim *optim;        /* owned */
    protea_options *options;    /* owned: fills the method's fields with its defaults */
    protea_batch batch;         /* its tensors: owned */
    int64_t *index;             /* owned: the images are the first ones of the data set */
    protea_progress now;
} method_bench;

static protea_status visit_all(void *self, const protea_visitor *v)
{
    method_bench *s = self;
    PROTEA_TRY(protea_visit(s->backbone, "backbone", v));
    return s->ops->visit(s->method, v);
}

static protea_status make_crops(method_bench *s, protea_rng *rng)
{
    s->batch = (protea_batch){ .n_images = s->setup->images, .n_groups = s->setup->n_groups };
    for (int g = 0; g < s->setup->n_groups; g++) {
        protea_view_group *group = &s->batch.group[g];
        int64_t size = s->setup->crops[g].size, dim[4] = { s->setup->crops[g].views * s->setup->images, 3, size, size };
        group->n_views = s->setup->crops[g].views;
        group->size = size;
        s->batch.n_views += group->n_views;
        PROTEA_TRY(protea_tensor_new(&group->x, 4, dim, "crops"));
        for (int64_t i = 0; i < protea_count(&group->x); i++)
            protea_f32(&group->x)[i] = protea_rng_normal(rng);
    }
    return PROTEA_OK;
}

/* The method's own defaults, but for what the setup says. */
static protea_status fill_options(method_bench *s)
{
    const char *const *option = s->setup->options;
    PROTEA_TRY(protea_method_find(&s->ops, s->setup->method));
    PROTEA_TRY(protea_new(&s->method, 1, s->ops->size, s->ops->name));
    s->options = protea_options_new();
    if (s->options == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options: no memory");
    PROTEA_TRY(protea_options_add(s->options, s->ops->name, s->ops->opts, s->method));
    for (; option != NULL && *option != NULL; option += 2)
        PROTEA_TRY(protea_options_set(s->options, option[0], option[1], PROTEA_FROM_FLAG));
    return PROTEA_OK;
}

/* Of the query's kind; self: method_bench. */
static protea_status new_backbone(void *self, protea_module **out, protea_rng *rng)
{
    const method_bench *s = self;
    protea_resnet_opts net = { .small_stem = true, .zero_init_residual = s->ops->zero_init_residual };
    snprintf(net.arch, sizeof net.arch, "%s", s->setup->arch);
    return protea_resnet_new(out, &net, rng);
}

static protea_status make_index(method_bench *s)
{
    PROTEA_TRY(protea_new(&s->index, (size_t)s->setup->images, sizeof *s->index, "index of images"));
    for (int64_t i = 0; i < s->setup->images; i++)
        s->index[i] = i;
    s->batch.index = s->index;
    return PROTEA_OK;
}

static protea_status open_method(method_bench *s)
{
    const protea_optim_opts optim = { .optimizer = s->setup->optimizer, .lr = 0.6, .momentum = 0.9, .wd = 1e-6 };
    const int64_t images = s->setup->images;
    protea_rng rng = protea_rng_make(s->cx->seed, PROTEA_RNG_INIT, 0, 0, 0);
    const protea_visitor fill = { .buffer = s->setup->fill };
    /* Far into a run: nothing is frozen or warming up any more. */
    s->now = (protea_progress){ .epoch = 50, .n_epochs = 100, .step = 50000, .steps_per_epoch = 1000,
                                .n_images = 1000 * images, .batch_size = images, .new_backbone = new_backbone,
                                .self = s };
    PROTEA_TRY(fill_options(s));
    PROTEA_TRY(new_backbone(s, &s->backbone, &rng));
    PROTEA_TRY(s->ops->init(s->cx, s->method, s->backbone, &s->now, &rng));
    PROTEA_TRY(protea_optim_new(&s->optim, &optim, visit_all, s));
    PROTEA_TRY(make_crops(s, &rng));
    PROTEA_TRY(make_index(s));
    return fill.buffer != NULL ? s->ops->visit(s->method, &fill) : PROTEA_OK;
}

static void close_method(method_bench *s)
{
    for (int g = 0; g < s->setup->n_groups; g++)
        protea_tensor_release(&s->batch.group[g].x);
    protea_optim_free(s->optim);
    if (s->method != NULL)
        s->ops->free(s->method);
    protea_free(s->method);
    protea_options_free(s->options);
    protea_module_free(s->backbone);
    protea_free(s->index);
}

static protea_status method_step(protea_ctx *cx, void *self)
{
    method_bench *s = self;
    protea_step_out out = { 0 };
    return s->ops->step(cx, s->method, &s->batch, &s->now, &out);
}

static protea_status step(void *self)
{
    method_bench *s = self;
    protea_arena_release(s->cx->kept, 0);
    protea_arena_release(s->cx->scratch, 0);
    PROTEA_TRY(protea_zero_all_gradients(visit_all, s));
    PROTEA_TRY(method_step(s->cx, s));
    PROTEA_TRY(protea_optim_step(s->cx, s->optim, 0.01));
    return s->ops->after_update != NULL ? s->ops->after_update(s->cx, s->method, &s->now) : PROTEA_OK;
}

static protea_status measure(protea_bench_result *out, const protea_bench *b, method_bench *s)
{
    PROTEA_TRY(open_method(s));
    PROTEA_TRY(protea_bench_plan(out, b, method_step, s));
    out->count = (int64_t)s->batch.n_views * s->setup->images;
    out->unit = "views";
    return protea_bench_time(&out->seconds, b, step, s);
}

protea_status protea_bench_method_step(protea_bench_result *out, const protea_bench *b, const protea_bench_method *setup)
{
    method_bench s = { .cx = &b->session->cx, .setup = setup };
    protea_status status = measure(out, b, &s);
    close_method(&s);
    return status;
}
