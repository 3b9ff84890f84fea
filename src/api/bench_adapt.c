/* `protea bench tent`, `tsd` and `tsd-bank`: adaptation on batches of 128 images of 32 pixels, ResNet-18 with the small stem
 * and ten classes, as CIFAR's corruptions are adapted to. TSD in official mode, because that is what the peer computes. */
#include "adapt/adapter.h"
#include "adapt/neighbours.h"
#include "adapt/support_bank.h"
#include "api/bench.h"
#include "nn/layers.h"
#include "tensor/ops.h"

enum { IMAGES = 128, SIDE = 32, CLASSES = 10, FEATURES = 512, PER_CLASS = 100, NEIGHBOURS = 3 };

static protea_status random_tensor(protea_tensor *t, int n_dims, const int64_t *dim, protea_rng *rng)
{
    PROTEA_TRY(protea_tensor_new(t, n_dims, dim, "images"));
    for (int64_t i = 0; i < protea_count(t); i++)
        protea_f32(t)[i] = protea_rng_normal(rng);
    return PROTEA_OK;
}

/* ---- a whole step */

typedef struct adapt_bench {
    protea_ctx *cx;
    protea_classifier model;    /* owned */
    protea_options *options;    /* owned */
    void *filled;               /* owned */
    protea_adapter *adapter;    /* owned */
    protea_tensor x;            /* owned */
} adapt_bench;

static protea_status open_adapt(adapt_bench *s, const char *name)
{
    const protea_resnet_opts net = { .arch = "resnet18", .small_stem = true };
    const protea_adapter_ops *ops;
    protea_adapt_opts opts;
    protea_rng rng = protea_rng_make(s->cx->seed, PROTEA_RNG_INIT, 0, 0, 0);
    PROTEA_TRY(protea_adapter_find(&ops, name));
    PROTEA_TRY(protea_resnet_new(&s->model.featurizer, &net, &rng));
    PROTEA_TRY(protea_linear_new(&s->model.fc, FEATURES, CLASSES, true, &rng));
    PROTEA_TRY(protea_new(&s->filled, 1, ops->size, "an adapter"));
    s->options = protea_options_new();
    if (s->options == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options: no memory");
    PROTEA_TRY(protea_options_add(s->options, name, ops->opts, s->filled));
    PROTEA_TRY(protea_options_add(s->options, "adaptation", protea_adapt_table, &opts));
    if (protea_options_find(s->options, "mode") != NULL)
        PROTEA_TRY(protea_options_set(s->options, "mode", "official", PROTEA_FROM_FLAG));
    PROTEA_TRY(random_tensor(&s->x, 4, (int64_t[]){ IMAGES, 3, SIDE, SIDE }, &rng));
    return protea_adapter_new(&s->adapter, s->cx, ops, s->filled, &s->model, &opts);
}

static void close_adapt(adapt_bench *s)
{
    protea_adapter_free(s->adapter);
    protea_module_free(s->model.featurizer);
    protea_module_free(s->model.fc);
    protea_options_free(s->options);
    protea_free(s->filled);
    protea_tensor_release(&s->x);
}

static protea_status adapt_once(void *self)
{
    adapt_bench *s = self;
    protea_tensor logits;
    protea_adapt_out out;
    return protea_adapter_adapt(s->adapter, s->cx, &s->x, &logits, &out);
}

static protea_status time_adapter(protea_bench_result *out, const protea_bench *b, const char *name)
{
    adapt_bench s = { .cx = &b->session->cx };
    protea_status status = open_adapt(&s, name);
    out->count = IMAGES;
    out->unit = "images";
    if (status == PROTEA_OK)
        status = protea_bench_time(&out->seconds, b, adapt_once, &s);
    if (status == PROTEA_OK) {
        out->kept = protea_arena_peak(s.cx->kept);
        out->scratch = protea_arena_peak(s.cx->scratch);
    }
    close_adapt(&s);
    return status;
}

static protea_status tent(protea_bench_result *out, const protea_bench *b)
{
    return time_adapter(out, b, "tent");
}

static protea_status tsd(protea_bench_result *out, const protea_bench *b)
{
    return time_adapter(out, b, "tsd");
}

/* ---- the bank alone: full, a batch offered, prototypes, the nearest supports of the batch */

typedef struct bank_bench {
    protea_ctx *cx;
    protea_bank bank;           /* owned */
    protea_tensor z, logits;    /* (128,512), (128,10), owned */
    protea_tensor prototypes;   /* (10,512), owned */
    protea_rng rng;
} bank_bench;

static protea_status use_bank(protea_ctx *cx, void *self)
{
    bank_bench *s = self;
    protea_neighbours nb;
    PROTEA_TRY(protea_bank_add(cx, &s->bank, &s->z, &s->logits));
    PROTEA_TRY(protea_bank_prototypes(cx, &s->bank, &s->prototypes));
    PROTEA_TRY(protea_neighbours_start(cx, &nb, IMAGES, NEIGHBOURS));
    return protea_neighbours_search_bank(cx, &nb, &s->z, &s->bank, PROTEA_NORM_L2);
}

static protea_status bank_once(void *self)
{
    bank_bench *s = self;
    protea_arena_release(s->cx->kept, 0);
    protea_arena_release(s->cx->scratch, 0);
    for (int64_t i = 0; i < protea_count(&s->logits); i++) /* so that rows come and go */
        protea_f32(&s->logits)[i] = 3 * protea_rng_normal(&s->rng);
    return use_bank(s->cx, s);
}

static protea_status open_bank(bank_bench *s, protea_bench_result *out)
{
    const protea_bank_opts opts = { .filter_k = PER_CLASS, .cap_mib = 64, .with_scores = true };
    s->rng = protea_rng_make(s->cx->seed, PROTEA_RNG_TEST, 0, 0, 0);
    PROTEA_TRY(protea_bank_new(&s->bank, CLASSES, FEATURES, &opts));
    PROTEA_TRY(random_tensor(&s->z, 2, (int64_t[]){ IMAGES, FEATURES }, &s->rng));
    PROTEA_TRY(random_tensor(&s->logits, 2, (int64_t[]){ IMAGES, CLASSES }, &s->rng));
    PROTEA_TRY(random_tensor(&s->prototypes, 2, (int64_t[]){ CLASSES, FEATURES }, &s->rng));
    PROTEA_TRY(protea_plan_arenas(s->cx, use_bank, s, &out->kept, &out->scratch));
    while (protea_bank_rows(&s->bank) < CLASSES * PER_CLASS)
        PROTEA_TRY(bank_once(s));
    return PROTEA_OK;
}

static protea_status tsd_bank(protea_bench_result *out, const protea_bench *b)
{
    bank_bench s = { .cx = &b->session->cx };
    protea_status status = open_bank(&s, out);
    out->count = IMAGES;
    out->unit = "images";
    if (status == PROTEA_OK)
        status = protea_bench_time(&out->seconds, b, bank_once, &s);
    protea_bank_release(&s.bank);
    protea_tensor_release(&s.z);
    protea_tensor_release(&s.logits);
    protea_tensor_release(&s.prototypes);
    return status;
}

const protea_bench_ops protea_bench_tent = {
    .name = "tent", .summary = "Tent on 128 images of 32 pixels, ResNet-18: forward, backward, Adam", .has_peer = true,
    .step = tent,
};

const protea_bench_ops protea_bench_tsd = {
    .name = "tsd", .summary = "TSD (official mode) on 128 images of 32 pixels, ResNet-18: forward, bank, backward, Adam",
    .has_peer = true, .step = tsd,
};

const protea_bench_ops protea_bench_tsd_bank = {
    .name = "tsd-bank", .summary = "TSD's support bank alone: 10 classes of 100 rows, 128 offered, prototypes, neighbours",
    .has_peer = true, .step = tsd_bank,
};
