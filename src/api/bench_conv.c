/* `protea bench conv` and `conv-resnet50`: every convolution of a step, pass by pass. */
#include <stdio.h>

#include "api/bench.h"
#include "backend/cpu/cpu.h"

typedef struct layer {
    int64_t in, out, size, kernel, stride;
    int times;
} layer;

/* The convolutions of a network; the first is of images. */
typedef struct conv_net {
    const char *name;           /* of the bench */
    int64_t views;
    int n;
    const layer *layers;        /* (n) */
} conv_net;

static const layer layers_of_resnet18[] = {
    { 3, 64, 32, 3, 1, 1 },    { 64, 64, 32, 3, 1, 4 },   { 64, 128, 32, 3, 2, 1 },  { 64, 128, 32, 1, 2, 1 },
    { 128, 128, 16, 3, 1, 3 }, { 128, 256, 16, 3, 2, 1 }, { 128, 256, 16, 1, 2, 1 }, { 256, 256, 8, 3, 1, 3 },
    { 256, 512, 8, 3, 2, 1 },  { 256, 512, 8, 1, 2, 1 },  { 512, 512, 4, 3, 1, 3 },
};
static const layer layers_of_resnet50[] = {
    { 3, 64, 224, 7, 2, 1 },    { 64, 64, 56, 1, 1, 1 },    { 64, 64, 56, 3, 1, 3 },    { 64, 256, 56, 1, 1, 4 },
    { 256, 64, 56, 1, 1, 2 },   { 256, 128, 56, 1, 1, 1 },  { 128, 128, 56, 3, 2, 1 },  { 128, 512, 28, 1, 1, 4 },
    { 256, 512, 56, 1, 2, 1 },  { 512, 128, 28, 1, 1, 3 },  { 128, 128, 28, 3, 1, 3 },  { 512, 256, 28, 1, 1, 1 },
    { 256, 256, 28, 3, 2, 1 },  { 256, 1024, 14, 1, 1, 6 }, { 512, 1024, 28, 1, 2, 1 }, { 1024, 256, 14, 1, 1, 5 },
    { 256, 256, 14, 3, 1, 5 },  { 1024, 512, 14, 1, 1, 1 }, { 512, 512, 14, 3, 2, 1 },  { 512, 2048, 7, 1, 1, 3 },
    { 1024, 2048, 14, 1, 2, 1 }, { 2048, 512, 7, 1, 1, 2 }, { 512, 512, 7, 3, 1, 2 },
};
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
static const conv_net resnet18 = { "conv", 512, COUNT(layers_of_resnet18), layers_of_resnet18 };
static const conv_net resnet50 = { "conv-resnet50", 16, COUNT(layers_of_resnet50), layers_of_resnet50 };
static const char *const PASSES[] = { "forward", "backward-data", "backward-weights" };

/* One pass with its memory. */
typedef struct conv_bench {
    protea_backend *be;
    protea_conv_dims d;
    protea_conv_pass pass;
    protea_arena *memory;       /* owned */
    void *x, *y, *scratch;
    float *w;
} conv_bench;

static protea_map map_of(const protea_ctx *cx, int64_t n, int64_t c, int64_t size)
{
    return (protea_map){ n, c, size, size, cx->be->k.block(cx->be, cx->compute, c), cx->compute };
}

static protea_conv_dims dims_of(const protea_ctx *cx, int64_t n, const layer *l)
{
    int64_t pad = l->kernel / 2, out = (l->size + 2 * pad - l->kernel) / l->stride + 1;
    return (protea_conv_dims){ map_of(cx, n, l->in, l->size), map_of(cx, n, l->out, out), l->kernel, l->kernel, l->stride, pad };
}

static size_t map_bytes(const protea_map *m)
{
    return (size_t)(m->n * m->c * m->h * m->w) * protea_dtype_bytes(m->dtype);
}

/* Ordinary numbers: zeros would be too easy for the clock. */
static protea_status random_map(conv_bench *c, void *out, const protea_map *m)
{
    float *plain;
    void *native;
    int64_t n = m->n * m->c * m->h * m->w;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    PROTEA_TRY(protea_arena_alloc(c->memory, &native, map_bytes(m)));
    PROTEA_TRY(protea_new(&plain, (size_t)n, sizeof *plain, "an activation"));
    for (int64_t i = 0; i < n; i++)
        plain[i] = protea_rng_uniform(&rng) - 0.5f;
    c->be->k.to_native(c->be, native, m, plain);
    protea_free(plain);
    *(void **)out = native;
    return PROTEA_OK;
}

static protea_status open_conv(conv_bench *c)
{
    size_t scratch, weights = (size_t)(c->d.x.c * c->d.y.c * c->d.kh * c->d.kw) * sizeof(float);
    PROTEA_TRY(c->be->k.conv_scratch(c->be, &scratch, &c->d, c->pass));
    size_t all = map_bytes(&c->d.x) + map_bytes(&c->d.y) + weights + scratch + 4 * 64;
    PROTEA_TRY(protea_arena_new(&c->memory, all, "a convolution to time"));
    PROTEA_TRY(random_map(c, &c->x, &c->d.x));
    PROTEA_TRY(random_map(c, &c->y, &c->d.y));
    PROTEA_TRY(protea_arena_alloc(c->memory, &c->w, weights));
    return protea_arena_alloc(c->memory, &c->scratch, scratch);
}

static protea_status run_conv(void *self)
{
    conv_bench *c = self;
    switch (c->pass) {
    case PROTEA_CONV_FORWARD:
        return c->be->k.conv_forward(c->be, c->y, c->x, c->w, &c->d, c->scratch);
    case PROTEA_CONV_BACKWARD_DATA:
        return c->be->k.conv_backward_data(c->be, c->x, c->y, c->w, &c->d, c->scratch);
    case PROTEA_CONV_BACKWARD_WEIGHTS:
        return c->be->k.conv_backward_weights(c->be, c->w, c->y, c->x, &c->d, c->scratch);
    }
    return protea_fail(PROTEA_ERR_INTERNAL, "convolution pass %d: no such pass", (int)c->pass);
}

static protea_status time_pass(double *seconds, const protea_bench *b, const protea_conv_dims *d, protea_conv_pass pass)
{
    conv_bench c = { .be = b->session->cx.be, .d = *d, .pass = pass };
    protea_status status = open_conv(&c);
    if (status == PROTEA_OK)
        status = protea_bench_time(seconds, b, run_conv, &c);
    protea_arena_free(c.memory);
    return status;
}

/* Row by row: the passes of the layers, in order, but that images want no gradient. */
static const layer *layer_of(const conv_net *net, int row, protea_conv_pass *pass)
{
    int place = row == 0 ? 0 : row + 1;
    *pass = row == 1 ? PROTEA_CONV_BACKWARD_WEIGHTS : (protea_conv_pass)(place % 3);
    return &net->layers[place / 3];
}

static protea_status time_row(double *seconds, const protea_bench *b, int row, void *self)
{
    const conv_net *net = self;
    protea_conv_pass pass;
    const layer *l = layer_of(net, row, &pass);
    protea_conv_dims d = dims_of(&b->session->cx, net->views, l);
    return time_pass(seconds, b, &d, pass);
}

typedef struct totals {
    double flops;
    protea_bench_row took;      /* times are of the sums, without a range */
} totals;

static void add_beside(protea_bench_beside *sum, const protea_bench_beside *one, int times, double own)
{
    sum->seconds += times * one->seconds;
    sum->times = sum->seconds / own;
}

/* One row of the table, as text and in the list. */
static protea_status report_row(json_t *list, totals *sum, const protea_bench *b, const conv_net *net, int row,
                                const protea_bench_row *took)
{
    const protea_ctx *cx = &b->session->cx;
    protea_conv_pass pass;
    const layer *l = layer_of(net, row, &pass);
    protea_conv_dims d = dims_of(cx, net->views, l);
    const char *name;
    char peer[32] = "";
    PROTEA_TRY(protea_cpu_conv_name(&name, cx->be, &d, pass));
    double flops = protea_bench_conv_flops(&d), gflops = flops / took->seconds / 1e9;
    sum->flops += l->times * flops;
    sum->took.seconds += l->times * took->seconds;
    add_beside(&sum->took.best, &took->best, l->times, sum->took.seconds);
    add_beside(&sum->took.plain, &took->plain, l->times, sum->took.seconds);
    if (b->peer)
        snprintf(peer, sizeof peer, ", %.2f x peer", took->best.times);
    protea_log(cx, PROTEA_LOG_INFO, "%4lld -> %-4lld @%-3lld %lldx%lld stride %lld x%d  %-16s "
               "%8.2f ms %6.0f GFLOP/s %4.0f %%  %s%s",
               (long long)l->in, (long long)l->out, (long long)l->size, (long long)l->kernel, (long long)l->kernel,
               (long long)l->stride, l->times, PASSES[pass], took->seconds * 1e3, gflops, 100 * gflops / b->peak, name, peer);
    json_t *entry = json_pack("{s:I s:I s:I s:I s:I s:i s:s s:s s:f s:f s:f}", "in", (json_int_t)l->in, "out",
                              (json_int_t)l->out, "size", (json_int_t)l->size, "kernel", (json_int_t)l->kernel, "stride",
                              (json_int_t)l->stride, "times", l->times, "pass", PASSES[pass], "implementation", name, "seconds",
                              took->seconds, "gflops", gflops, "share_of_peak", gflops / b->peak);
    if (b->peer)
        json_object_set_new(entry, "peer_seconds", json_real(took->best.seconds));
    if (json_array_append_new(list, entry) != 0)
        return protea_fail(PROTEA_ERR_MEMORY, "the list of layers: no memory");
    return PROTEA_OK;
}

static protea_status report_rows(json_t *result, const protea_bench *b, const conv_net *net, int n, protea_bench_row *rows)
{
    totals sum = { 0 };
    json_t *list = json_array();
    json_object_set_new(result, "layers", list);
    PROTEA_TRY(protea_bench_turns(rows, n, b, net->name, NULL, time_row, (void *)(uintptr_t)net));
    for (int row = 0; row < n; row++)
        PROTEA_TRY(report_row(list, &sum, b, net, row, &rows[row]));
    double gflops = sum.flops / sum.took.seconds / 1e9;
    json_object_set_new(result, "seconds_per_step", json_real(sum.took.seconds));
    json_object_set_new(result, "gflops", json_real(gflops));
    json_object_set_new(result, "share_of_peak", json_real(gflops / b->peak));
    protea_bench_report_peer(result, b, &sum.took);
    return PROTEA_OK;
}

static protea_status report(json_t *result, const protea_bench *b, const conv_net *net)
{
    int n = 3 * net->n - 1;
    protea_bench_row *rows;
    PROTEA_TRY(protea_new(&rows, (size_t)n, sizeof *rows, "times of convolutions"));
    protea_status status = report_rows(result, b, net, n, rows);
    protea_free(rows);
    return status;
}

static protea_status report_resnet18(json_t *result, const protea_bench *b)
{
    return report(result, b, &resnet18);
}

static protea_status report_resnet50(json_t *result, const protea_bench *b)
{
    return report(result, b, &resnet50);
}

const protea_bench_ops protea_bench_conv = {
    .name = "conv",
    .summary = "every convolution of a ResNet-18 step, pass by pass",
    .has_peer = true,
    .report = report_resnet18,
};

const protea_bench_ops protea_bench_conv_resnet50 = {
    .name = "conv-resnet50",
    .summary = "every convolution of a ResNet-50 step, pass by pass",
    .has_peer = true,
    .report = report_resnet50,
};
