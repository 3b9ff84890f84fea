/* A training run small enough for hundreds of them in a test: a method whose loss pulls 32 weights towards the mean of the
 * views, with a buffer that remembers every step, and the narrowest network beside it. */
#ifndef PROTEA_TESTS_SUPPORT_TOY_RUN_H
#define PROTEA_TESTS_SUPPORT_TOY_RUN_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/test_context.h"
#include "train/trainer.h"

enum { TOY_WEIGHTS = 32, TOY_IMAGES = 48, TOY_BATCH = 8, TOY_STEPS_PER_EPOCH = TOY_IMAGES / TOY_BATCH };

typedef struct toy {
    /* options */
    int64_t nan_from, nan_to;  /* steps whose loss is not finite */
    int32_t fails;             /* such a step fails instead, as where the codes cannot be computed */
    int64_t stop_at;           /* sets *stop in this step, if not 0 */
    int64_t sleep_us;          /* in each step, so that a kill can hit any part */
    int32_t reads;             /* an epoch begins by reading all its batches, and by fifty such pauses */
    double pull;
    /* not an option */
    volatile sig_atomic_t *stop;
    /* state */
    protea_param w;
    protea_tensor memory;      /* (3): steps, epochs begun, a sum over all batches */
} toy;

static const protea_opt toy_options[] = {
    { .key = "nan_from", .type = PROTEA_OPT_INT, .offset = offsetof(toy, nan_from), .def = "-1", .min = -1, .max = 1e9,
      .help = "first bad step", .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "nan_to", .type = PROTEA_OPT_INT, .offset = offsetof(toy, nan_to), .def = "-1", .min = -1, .max = 1e9,
      .help = "last bad step", .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "fails", .type = PROTEA_OPT_BOOL, .offset = offsetof(toy, fails), .def = "false", .help = "bad steps fail",
      .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "stop_at", .type = PROTEA_OPT_INT, .offset = offsetof(toy, stop_at), .def = "0", .min = 0, .max = 1e9,
      .help = "step that asks to stop", .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "sleep_us", .type = PROTEA_OPT_INT, .offset = offsetof(toy, sleep_us), .def = "0", .min = 0, .max = 1e9,
      .help = "pause in a step", .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "reads", .type = PROTEA_OPT_BOOL, .offset = offsetof(toy, reads), .def = "false", .help = "epochs begin by reading",
      .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "pull", .type = PROTEA_OPT_FLOAT, .offset = offsetof(toy, pull), .def = "1", .min = 0, .max = 10, .help = "strength" },
    { 0 },
};

static protea_status toy_init(protea_ctx *cx, void *self, protea_module *backbone, const protea_progress *plan, protea_rng *rng)
{
    toy *t = self;
    const int64_t n = TOY_WEIGHTS, three = 3;
    (void)cx, (void)backbone, (void)plan;
    PROTEA_TRY(protea_param_new(&t->w, 1, &n));
    for (int i = 0; i < TOY_WEIGHTS; i++)
        protea_f32(&t->w.w)[i] = protea_rng_normal(rng);
    return protea_tensor_new(&t->memory, 1, &three, "toy");
}

static protea_status toy_epoch_begin(protea_ctx *cx, void *self, const protea_progress *now)
{
    toy *t = self;
    const protea_batch *batch;
    (void)cx;
    protea_f32(&t->memory)[1] += 1;
    if (!t->reads)
        return PROTEA_OK;
    usleep((useconds_t)(50 * t->sleep_us));
    do
        PROTEA_TRY(now->next_batch(now->self, &batch));
    while (batch != NULL);
    return PROTEA_OK;
}

static protea_status toy_step(protea_ctx *cx, void *self, const protea_batch *batch, const protea_progress *now,
                              protea_step_out *out)
{
    toy *t = self;
    protea_tensor activations;
    PROTEA_TRY(protea_tensor_rows(cx, &activations, PROTEA_KEPT, batch->n_images, 64));
    if (cx->planning)
        return PROTEA_OK;
    const float *x = protea_f32(&batch->group[0].x);
    for (int i = 0; i < TOY_WEIGHTS; i++) {
        float d = protea_f32(&t->w.w)[i] - x[37 * i];
        protea_f32(&t->w.dw)[i] = (float)t->pull * d;
        out->loss += 0.5 * d * d;
    }
    protea_f32(&t->memory)[0] += 1;
    protea_f32(&t->memory)[2] += x[5];
    bool bad = now->step >= t->nan_from && now->step <= t->nan_to;
    if (bad && t->fails)
        return protea_fail(PROTEA_ERR_DIVERGED, "toy: not finite");
    if (bad)
        out->loss = (double)NAN;
    if (t->stop_at > 0 && now->step + 1 == t->stop_at)
        *t->stop = 1;
    if (t->sleep_us > 0)
        usleep((useconds_t)t->sleep_us);
    return PROTEA_OK;
}

static protea_status toy_visit(void *self, const protea_visitor *v)
{
    toy *t = self;
    if (v->param != NULL)
        PROTEA_TRY(v->param(v->self, "toy.w", &t->w));
    return v->buffer != NULL ? v->buffer(v->self, "toy.memory", &t->memory) : PROTEA_OK;
}

static bool toy_sick(const void *self, const protea_step_out *mean, char *text, size_t size)
{
    (void)mean;
    snprintf(text, size, "the toy is ill; try rest");
    return ((const toy *)self)->pull == 0;
}

static void toy_free(void *self)
{
    toy *t = self;
    protea_param_release(&t->w);
    protea_tensor_release(&t->memory);
}

static const protea_method_ops toy_ops = {
    .name = "toy", .summary = "for tests", .paper = "none", .size = sizeof(toy), .opts = toy_options, .init = toy_init,
    .epoch_begin = toy_epoch_begin, .step = toy_step, .visit = toy_visit, .sick = toy_sick, .free = toy_free,
};

/* What its kNN says of itself; negative: none is measured. */
static double toy_knn_top1 = -1;

static protea_status toy_knn(void *self, protea_ctx *cx, protea_module *backbone, double *top1)
{
    (void)self, (void)cx, (void)backbone;
    *top1 = toy_knn_top1;
    return PROTEA_OK;
}

/* The log's lines, joined. */
typedef struct toy_log { char text[8192]; } toy_log;

static void toy_note(void *cookie, protea_log_level level, const char *line)
{
    toy_log *log = cookie;
    size_t used = strlen(log->text);
    snprintf(log->text + used, sizeof log->text - used, "%s%s\n", level == PROTEA_LOG_WARN ? "warning: " : "", line);
}

/* Called before and after what a run does, by tests that make it fail; NULL: nothing is. */
static void (*toy_faults_on)(void), (*toy_faults_off)(void);

static protea_status toy_train(protea_trainer *t, const char *dir, protea_train_result *result, toy_log *log)
{
    protea_source_opts source_opts = protea_source_opts_default();
    protea_status status = protea_rundir_open(&t->run, dir, t->opts->resume, t->opts->overwrite);
    if (status != PROTEA_OK)
        return status;
    protea_rundir_set_log(t->run, log != NULL ? toy_note : NULL, log);
    t->cx->log = protea_rundir_log;
    t->cx->log_cookie = t->run;
    status = protea_source_open(&t->source, "synth:shapes,n=48,size=16", &source_opts);
    if (status == PROTEA_OK)
        status = protea_train_run(t, result);
    protea_source_close(t->source);
    protea_rundir_close(t->run);
    return status;
}

/* Runs `protea train toy` in dir with the flags "key value key value ...". */
static protea_status toy_run(const char *dir, const char *flags, protea_train_result *result, toy_log *log)
{
    protea_train_opts o = { 0 };
    protea_optim_opts optim = { 0 };
    protea_augment_opts augment = { 0 };
    toy method = { 0 };
    volatile sig_atomic_t stop = 0;
    protea_hooks hooks = { .stop = &stop };
    const protea_train_hooks train_hooks = { .knn = toy_knn_top1 >= 0 ? toy_knn : NULL };
    protea_options *options = protea_options_new();
    char words[512], *save = NULL;
    static const char *const defaults[] = { "epochs", "4", "batch_size", "8", "arch", "resnet18-w16", "optimizer", "sgd", "lr",
                                            "0.1", "image_size", "16", "workers", "0", "size_crops", "12", "nmb_crops", "2",
                                            "min_scale_crops", "0.3", "max_scale_crops", "1" };
    assert_ok(protea_options_add(options, "training", protea_train_table, &o));
    assert_ok(protea_options_add(options, "optimiser", protea_optim_table, &optim));
    assert_ok(protea_options_add(options, "views", protea_augment_table, &augment));
    assert_ok(protea_options_add(options, "toy", toy_options, &method));
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i += 2)
        assert_ok(protea_options_set(options, defaults[i], defaults[i + 1], PROTEA_FROM_RECIPE));
    snprintf(words, sizeof words, "%s", flags);
    for (char *key = strtok_r(words, " ", &save); key != NULL; key = strtok_r(NULL, " ", &save))
        assert_ok(protea_options_set(options, key, strtok_r(NULL, " ", &save), PROTEA_FROM_FLAG));
    method.stop = &stop;
    protea_ctx cx = test_context_open(1 << 16);
    protea_trainer t = { .cx = &cx, .opts = &o, .optim_opts = &optim, .options = options, .ops = &toy_ops, .method = &method,
                         .augment = &augment, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.25f, 0.25f, 0.25f }, .image_size = 16,
                         .small_stem = true, .precision = "f32", .hooks = &hooks,
                         .train_hooks = &train_hooks };
    if (toy_faults_on != NULL)
        toy_faults_on();
    protea_status status = toy_train(&t, dir, result, log);
    if (toy_faults_off != NULL)
        toy_faults_off();
    protea_options_free(options);
    test_context_close(&cx);
    return status;
}

#endif
