/* `protea bench swav-step`: the method through its seam, fed with crops from memory. */
#include "api/bench.h"
#include "method/method.h"
#include "nn/layers.h"
#include "optim/optim.h"

enum { IMAGES = 256, N_GROUPS = 2 };
static const struct { int views; int64_t size; } CROPS[N_GROUPS] = { { 2, 32 }, { 4, 20 } };

typedef struct swav_bench {
    protea_ctx *cx;
    const protea_method_ops *ops;
    void *method;               /* owned */
    protea_module *backbone;    /* owned */
    protea_optim *optim;        /* owned */
    protea_options *options;    /* owned: fills the method's fields with its defaults */
    protea_batch batch;         /* its tensors: owned */
    protea_progress now;
} swav_bench;

static protea_status visit_all(void *self, const protea_visitor *v)
{
    swav_bench *s = self;
    PROTEA_TRY(protea_visit(s->backbone, "backbone", v));
    return s->ops->visit(s->method, v);
}

static protea_status make_crops(swav_bench *s, protea_rng *rng)
{
    s->batch = (protea_batch){ .n_images = IMAGES, .n_groups = N_GROUPS };
    for (int g = 0; g < N_GROUPS; g++) {
        protea_view_group *group = &s->batch.group[g];
        int64_t dim[4] = { CROPS[g].views * IMAGES, 3, CROPS[g].size, CROPS[g].size };
        group->n_views = CROPS[g].views;
        group->size = CROPS[g].size;
        s->batch.n_views += group->n_views;
        PROTEA_TRY(protea_tensor_new(&group->x, 4, dim, "crops"));
        for (int64_t i = 0; i < protea_count(&group->x); i++)
            protea_f32(&group->x)[i] = protea_rng_normal(rng);
    }
    return PROTEA_OK;
}

static protea_status open_swav(swav_bench *s)
{
    const protea_resnet_opts net = { .arch = "resnet18", .small_stem = true };
    const protea_optim_opts optim = { .optimizer = PROTEA_OPTIM_LARC, .lr = 0.6, .momentum = 0.9, .wd = 1e-6 };
    protea_rng rng = protea_rng_make(s->cx->seed, PROTEA_RNG_INIT, 0, 0, 0);
    /* Far into a run: prototypes are no longer frozen. */
    s->now = (protea_progress){ .epoch = 50, .n_epochs = 100, .step = 50000, .steps_per_epoch = 1000,
                                .n_images = 1000 * IMAGES, .batch_size = IMAGES };
    PROTEA_TRY(protea_method_find(&s->ops, "swav"));
    PROTEA_TRY(protea_new(&s->method, 1, s->ops->size, "SwAV"));
    s->options = protea_options_new();
    if (s->options == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options: no memory");
    PROTEA_TRY(protea_options_add(s->options, "SwAV", s->ops->opts, s->method));
    PROTEA_TRY(protea_resnet_new(&s->backbone, &net, &rng));
    PROTEA_TRY(s->ops->init(s->cx, s->method, s->backbone, &s->now, &rng));
    PROTEA_TRY(protea_optim_new(&s->optim, &optim, visit_all, s));
    return make_crops(s, &rng);
}

static void close_swav(swav_bench *s)
{
    for (int g = 0; g < N_GROUPS; g++)
        protea_tensor_release(&s->batch.group[g].x);
    protea_optim_free(s->optim);
    if (s->method != NULL)
        s->ops->free(s->method);
    protea_free(s->method);
    protea_options_free(s->options);
    protea_module_free(s->backbone);
}

static protea_status method_step(protea_ctx *cx, void *self)
{
    swav_bench *s = self;
    protea_step_out out = { 0 };
    return s->ops->step(cx, s->method, &s->batch, &s->now, &out);
}

static protea_status step(void *self)
{
    swav_bench *s = self;
    protea_arena_release(s->cx->kept, 0);
    protea_arena_release(s->cx->scratch, 0);
    PROTEA_TRY(protea_zero_all_gradients(visit_all, s));
    PROTEA_TRY(method_step(s->cx, s));
    PROTEA_TRY(protea_optim_step(s->cx, s->optim, 0.01));
    return s->ops->after_update != NULL ? s->ops->after_update(s->cx, s->method, &s->now) : PROTEA_OK;
}

static protea_status measure(protea_bench_result *out, const protea_bench *b, swav_bench *s)
{
    PROTEA_TRY(open_swav(s));
    PROTEA_TRY(protea_plan_arenas(s->cx, method_step, s, &out->kept, &out->scratch));
    out->views = (int64_t)s->batch.n_views * IMAGES;
    return protea_bench_time(&out->seconds, b, step, s);
}

protea_status protea_bench_swav(protea_bench_result *out, const protea_bench *b)
{
    swav_bench s = { .cx = &b->session->cx };
    protea_status status = measure(out, b, &s);
    close_swav(&s);
    return status;
}
