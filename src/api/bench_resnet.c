/* `protea bench resnet18-step` and `resnet50-step`: the network alone, from a given gradient of its features. */
#include <stdio.h>

#include "api/bench.h"
#include "nn/layers.h"

typedef struct net_setup {
    const char *arch;
    bool small_stem;
    int64_t views, size;
} net_setup;

typedef struct resnet_bench {
    protea_ctx *cx;
    protea_module *net;         /* owned */
    protea_optim *optim;        /* owned */
    protea_tape *tape;          /* owned */
    protea_tensor x;            /* (views,3,size,size), owned */
    protea_tensor gradient;     /* (views,D), owned */
} resnet_bench;

static protea_status visit_all(void *self, const protea_visitor *v)
{
    return protea_visit(((resnet_bench *)self)->net, "", v);
}

static protea_status random_tensor(protea_tensor *t, int n_dims, const int64_t *dim, float scale, protea_rng *rng)
{
    PROTEA_TRY(protea_tensor_new(t, n_dims, dim, "views"));
    for (int64_t i = 0; i < protea_count(t); i++)
        protea_f32(t)[i] = scale * protea_rng_normal(rng);
    return PROTEA_OK;
}

static protea_status open_resnet(resnet_bench *s, const net_setup *net)
{
    protea_resnet_opts opts = { .small_stem = net->small_stem };
    const protea_optim_opts optim = { .optimizer = PROTEA_OPTIM_SGD, .lr = 0.01, .momentum = 0.9 };
    protea_rng rng = protea_rng_make(s->cx->seed, PROTEA_RNG_INIT, 0, 0, 0);
    snprintf(opts.arch, sizeof opts.arch, "%s", net->arch);
    PROTEA_TRY(protea_resnet_new(&s->net, &opts, &rng));
    PROTEA_TRY(protea_optim_new(&s->optim, &optim, visit_all, s));
    PROTEA_TRY(protea_tape_new(&s->tape));
    PROTEA_TRY(random_tensor(&s->x, 4, (int64_t[]){ net->views, 3, net->size, net->size }, 1, &rng));
    return random_tensor(&s->gradient, 2, (int64_t[]){ net->views, s->net->out_dim }, 1 / (float)net->views, &rng);
}

static void close_resnet(resnet_bench *s)
{
    protea_tensor_release(&s->x);
    protea_tensor_release(&s->gradient);
    protea_tape_free(s->tape);
    protea_optim_free(s->optim);
    protea_module_free(s->net);
}

static protea_status forward_and_backward(protea_ctx *cx, void *self)
{
    resnet_bench *s = self;
    protea_pass pass = { .tape = s->tape, .batch_stats = true, .update_stats = true };
    protea_tensor y, dy;
    PROTEA_TRY(protea_forward(cx, s->net, &pass, &s->x, &y));
    PROTEA_TRY(protea_tensor_like(cx, &dy, PROTEA_SCRATCH, &y));
    PROTEA_TRY(protea_copy(cx, &dy, &s->gradient)); /* backward may overwrite it */
    return protea_backward(cx, s->net, s->tape, &dy, NULL);
}

static protea_status step(void *self)
{
    resnet_bench *s = self;
    protea_arena_release(s->cx->kept, 0);
    protea_arena_release(s->cx->scratch, 0);
    PROTEA_TRY(protea_zero_all_gradients(visit_all, s));
    PROTEA_TRY(forward_and_backward(s->cx, s));
    return protea_optim_step(s->cx, s->optim, 0.01);
}

static protea_status measure(protea_bench_result *out, const protea_bench *b, const net_setup *net)
{
    resnet_bench s = { .cx = &b->session->cx };
    protea_status status = open_resnet(&s, net);
    if (status == PROTEA_OK)
        status = protea_bench_plan(out, b, forward_and_backward, &s);
    out->count = net->views;
    out->unit = "views";
    if (status == PROTEA_OK)
        status = protea_bench_time(&out->seconds, b, step, &s);
    close_resnet(&s);
    return status;
}

static protea_status step_resnet18(protea_bench_result *out, const protea_bench *b)
{
    static const net_setup net = { "resnet18", true, 512, 32 };
    return measure(out, b, &net);
}

static protea_status step_resnet50(protea_bench_result *out, const protea_bench *b)
{
    static const net_setup net = { "resnet50", false, 16, 224 };
    return measure(out, b, &net);
}

const protea_bench_ops protea_bench_resnet18_step = {
    .name = "resnet18-step",
    .summary = "ResNet-18, 512 views of 32 pixels: forward, backward, SGD",
    .has_peer = true,
    .step = step_resnet18,
};

const protea_bench_ops protea_bench_resnet50_step = {
    .name = "resnet50-step",
    .summary = "ResNet-50, 16 views of 224 pixels: forward, backward, SGD",
    .has_peer = true,
    .step = step_resnet50,
};
