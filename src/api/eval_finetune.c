/* protea eval finetune: trunk and classifier trained with few labels, by the published protocols. */
#include <stdio.h>

#include "api/eval_protocol.h"
#include "data/labelled_part.h"
#include "eval/finetune.h"

typedef struct finetune {
    int32_t protocol, augment;
    char labels[PROTEA_OPT_STRING_MAX];
    int64_t epochs, batch_size, test_freq;
    double lr, lr_head, wd, gamma;
    protea_list decay_epochs;
} finetune;

static const char *const protocol_names[] = { "swav-1", "swav-10", "lightly" };

/* From the authors' evaluation scripts. SwAV: eval_semisup.py and its README; lightly: the ImageNet
 * benchmark, whose cosine ends at a thousandth and ours at 0. All train with batch-norm in training mode. */
static const struct preset {
    const char *labels;
    int64_t epochs, batch_size;
    double lr, lr_head, lr_batch; /* lr_batch: images that the rates are for; 0: any */
    protea_lr_shape schedule;
    protea_list milestones;
    double gamma;
} presets[] = {
    { "1%", 20, 256, 0.02, 5, 0, PROTEA_LR_STEPS, { 2, { 12, 16 } }, 0.2 },
    { "10%", 20, 256, 0.01, 0.2, 0, PROTEA_LR_STEPS, { 2, { 12, 16 } }, 0.2 },
    { "100%", 30, 256, 0.05, 0.05, 256, PROTEA_LR_COSINE, { 0 }, 0 },
};

static const protea_opt table[] = {
    { .key = "protocol", .type = PROTEA_OPT_CHOICE, .offset = offsetof(finetune, protocol), .def = "swav-10",
      .choices = "swav-1|swav-10|lightly", .help = "whose share of labels, rates, schedule and epochs; swav-1, swav-10: SwAV's "
      "for 1 % and 10 % of the labels", .source = "SwAV's eval_semisup.py; lightly's ImageNet benchmark" },
    { .key = "labels", .type = PROTEA_OPT_STRING, .offset = offsetof(finetune, labels), .def = "",
      .help = "images whose labels are used: a share of each class (`10%`), a number of each class (`40`), or a text file that "
      "names an image a line; the protocol's without (1%, 10%, lightly 100%). Drawn by the seed" },
    { .key = "epochs", .type = PROTEA_OPT_INT, .offset = offsetof(finetune, epochs), .def = "0", .min = 0, .max = 1e5,
      .unit = "epochs", .help = "passes over the labelled images; 0: the protocol's (20, lightly 30)" },
    { .key = "batch_size", .aliases = "b", .type = PROTEA_OPT_INT, .offset = offsetof(finetune, batch_size), .def = "0", .min = 0,
      .max = 1e6, .unit = "images", .help = "images a step, at most all there are; 0: the protocol's (256)" },
    { .key = "lr", .type = PROTEA_OPT_FLOAT, .offset = offsetof(finetune, lr), .def = "-1", .min = -1, .max = 1e4,
      .help = "learning rate of the trunk; -1: the protocol's (0.02, 0.01, lightly 0.05 for 256 images); 0 leaves its weights" },
    { .key = "lr_head", .aliases = "lr_last_layer", .type = PROTEA_OPT_FLOAT, .offset = offsetof(finetune, lr_head), .def = "-1",
      .min = -1, .max = 1e4, .help = "learning rate of the classifier; -1: the protocol's (5, 0.2, lightly as the trunk's)" },
    { .key = "wd", .aliases = "weight_decay", .type = PROTEA_OPT_FLOAT, .offset = offsetof(finetune, wd), .def = "0", .min = 0,
      .max = 10, .help = "weight decay, added to the gradient", .source = "SwAV, lightly" },
    { .key = "decay_epochs", .type = PROTEA_OPT_LIST, .offset = offsetof(finetune, decay_epochs), .def = "0", .min = 0, .max = 1e5,
      .unit = "epochs", .help = "when both rates are multiplied by gamma; 0: the protocol's (12 and 16 of 20; lightly a cosine)" },
    { .key = "gamma", .type = PROTEA_OPT_FLOAT, .offset = offsetof(finetune, gamma), .def = "0.2", .min = 1e-6, .max = 1,
      .help = "what the rates are multiplied by", .source = "SwAV" },
    { .key = "augment", .type = PROTEA_OPT_CHOICE, .offset = offsetof(finetune, augment), .def = "crop",
      .choices = PROTEA_SINGLE_VIEWS, .help = "views to train on: random resized crops, or pictures shifted by up to an eighth "
      "(for small ones), with mirror images; or plain views", .source = "SwAV, lightly: crop" },
    { .key = "test_freq", .type = PROTEA_OPT_INT, .offset = offsetof(finetune, test_freq), .def = "1", .min = 1, .max = 1e6,
      .unit = "epochs", .help = "epochs between tests, of which the best is told too; the last is always tested" },
    { 0 },
};

/* The protocol, and what was asked instead. */
static protea_finetune_opts settle(const finetune *o, int64_t n)
{
    const struct preset *p = &presets[o->protocol];
    protea_finetune_opts f = { .momentum = 0.9, .wd = o->wd, .schedule = p->schedule, .milestones = p->milestones,
                               .gamma = o->gamma, .view = (protea_single_view)o->augment, .test_freq = o->test_freq };
    f.epochs = o->epochs > 0 ? o->epochs : p->epochs;
    f.batch_size = o->batch_size > 0 ? o->batch_size : p->batch_size;
    f.batch_size = f.batch_size < n ? f.batch_size : n;
    double share = p->lr_batch > 0 ? (double)f.batch_size / p->lr_batch : 1;
    f.lr = o->lr >= 0 ? o->lr : p->lr * share;
    f.lr_head = o->lr_head >= 0 ? o->lr_head : p->lr_head * share;
    for (int i = 0; i < f.milestones.n; i++) /* at 12 and 16 of 20 */
        f.milestones.v[i] *= (double)f.epochs / (double)p->epochs;
    if (o->decay_epochs.n > 0 && o->decay_epochs.v[0] > 0) {
        f.schedule = PROTEA_LR_STEPS;
        f.milestones = o->decay_epochs;
    }
    return f;
}

/* ---- watching */

typedef struct watch {
    const protea_evaluation *e;
    protea_ticker ticker;
    protea_watch testing;
    protea_finetune_score score; /* of the last test */
    int64_t steps;               /* so far */
} watch;

static protea_status stop_if_asked(const watch *w)
{
    if (w->e->hooks->stop != NULL && *w->e->hooks->stop)
        return protea_fail(PROTEA_STOPPED, "stopped on request after step %lld", (long long)w->steps);
    return PROTEA_OK;
}

static protea_status after_step(void *self, int64_t done, int64_t total, double loss)
{
    watch *w = self;
    char note[96];
    int len = snprintf(note, sizeof note, "loss %.4f", loss);
    if (w->score.best_epoch > 0)
        snprintf(note + len, sizeof note - (size_t)len, "  top1 %.4f", w->score.last_top1);
    protea_ticker_tick(&w->ticker, "fine-tuning", (double)done, (double)total, "steps", note);
    w->steps = done;
    return stop_if_asked(w);
}

static protea_status while_testing(void *self, int64_t done)
{
    watch *w = self;
    PROTEA_TRY(stop_if_asked(w));
    return protea_watch_features(&w->testing, done);
}

static protea_status after_test(void *self, int64_t epoch, const protea_finetune_score *score)
{
    watch *w = self;
    (void)epoch;
    w->score = *score;
    protea_watch_start(&w->testing, w->e->hooks, "test images", w->e->test_images);
    return PROTEA_OK;
}

/* ---- the result */

/* In words, into text. */
static void describe_schedule(char *text, size_t size, const protea_finetune_opts *f)
{
    size_t len = (size_t)snprintf(text, size, f->schedule == PROTEA_LR_STEPS ? "times %g at epochs" : "a cosine to 0", f->gamma);
    for (int i = 0; f->schedule == PROTEA_LR_STEPS && i < f->milestones.n && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, " %g", f->milestones.v[i]);
}

static void log_settings(const protea_evaluation *e, const finetune *o, const protea_finetune_opts *f, const char *labels,
                         int64_t n)
{
    char schedule[256];
    describe_schedule(schedule, sizeof schedule, f);
    protea_log(e->cx, PROTEA_LOG_INFO, "protocol %s: %lld labelled images (%s), %lld epochs, batches of %lld, lr %g of the trunk "
               "and %g of the classifier, %s, momentum %g, wd %g, views: %s, batch-norm by the batch", protocol_names[o->protocol],
               (long long)n, labels, (long long)f->epochs, (long long)f->batch_size, f->lr, f->lr_head, schedule, f->momentum,
               f->wd, protea_single_view_name[o->augment]);
}

static json_t *milestones_json(const protea_finetune_opts *f)
{
    json_t *list = json_array();
    for (int i = 0; f->schedule == PROTEA_LR_STEPS && i < f->milestones.n; i++)
        json_array_append_new(list, json_real(f->milestones.v[i]));
    return list;
}

static void put_settings(json_t *result, const finetune *o, const protea_finetune_opts *f, const char *labels)
{
    json_object_set_new(result, "protocol", json_string(protocol_names[o->protocol]));
    protea_put_text(result, "labels", labels);
    json_object_set_new(result, "epochs", json_integer(f->epochs));
    json_object_set_new(result, "batch_size", json_integer(f->batch_size));
    json_object_set_new(result, "lr", json_real(f->lr));
    json_object_set_new(result, "lr_head", json_real(f->lr_head));
    json_object_set_new(result, "schedule", json_string(f->schedule == PROTEA_LR_STEPS ? "steps" : "cosine"));
    json_object_set_new(result, "decay_epochs", milestones_json(f));
    if (f->schedule == PROTEA_LR_STEPS)
        json_object_set_new(result, "gamma", json_real(f->gamma));
    json_object_set_new(result, "momentum", json_real(f->momentum));
    json_object_set_new(result, "wd", json_real(f->wd));
    json_object_set_new(result, "augment", json_string(protea_single_view_name[o->augment]));
}

static void put_score(const protea_evaluation *e, const protea_finetune_score *s, int64_t n_train)
{
    protea_log(e->cx, PROTEA_LOG_INFO, "top1 %.4f at the end, %.4f at best (epoch %lld), top5 %.4f", s->last_top1, s->best_top1,
               (long long)s->best_epoch, s->last_top5);
    json_object_set_new(e->result, "top1", json_real(s->last_top1));
    json_object_set_new(e->result, "top5", json_real(s->last_top5));
    json_object_set_new(e->result, "best_top1", json_real(s->best_top1));
    json_object_set_new(e->result, "best_top5", json_real(s->best_top5));
    json_object_set_new(e->result, "best_epoch", json_integer(s->best_epoch));
    json_object_set_new(e->result, "loss", json_real(s->loss));
    json_object_set_new(e->result, "n_train", json_integer(n_train));
    json_object_set_new(e->result, "n_test", json_integer(s->n_test));
}

/* ---- the run */

/* All that is opened for it; released whatever happens. */
typedef struct task {
    const protea_evaluation *e;
    const finetune *o;
    const char *labels;
    protea_source *part;
    int32_t *class;           /* (classes of the test images) the training images' number; owned */
    protea_finetune *tuning;
} task;

static protea_status match_classes(task *t)
{
    const protea_source *train = t->e->train_images, *test = t->e->test_images;
    protea_class_names known = { 0 };
    protea_status status = protea_new(&t->class, (size_t)protea_source_n_classes(test), sizeof *t->class, "classes");
    for (int c = 0; c < protea_source_n_classes(train) && status == PROTEA_OK; c++)
        status = protea_class_names_add(&known, protea_source_class(train, c));
    for (int c = 0; c < protea_source_n_classes(test) && status == PROTEA_OK; c++) {
        t->class[c] = protea_class_names_find(&known, protea_source_class(test, c));
        if (t->class[c] < 0)
            status = protea_fail(PROTEA_ERR_INPUT, "%s: its class %s is not among the %d of the training images",
                                 t->e->test_name, protea_source_class(test, c), known.n);
    }
    protea_class_names_release(&known);
    return status;
}

static protea_status open_part(task *t)
{
    protea_part_wish wish;
    t->labels = t->o->labels[0] != 0 ? t->o->labels : presets[t->o->protocol].labels;
    PROTEA_TRY(protea_part_wish_read(&wish, t->labels));
    PROTEA_TRY(protea_labelled_part_open(&t->part, t->e->train_images, &wish, t->e->cx->seed, t->e->train_name));
    if (protea_source_n_classes(t->e->test_images) == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: its images have no classes; wanted a folder of class folders", t->e->test_name);
    return match_classes(t);
}

static protea_status tune(task *t)
{
    const protea_evaluation *e = t->e;
    int64_t n = protea_source_count(t->part);
    protea_finetune_opts opts = settle(t->o, n);
    protea_finetune_score score;
    watch w = { .e = e };
    const protea_finetune_watch told = { after_step, while_testing, after_test, &w };
    log_settings(e, t->o, &opts, t->labels, n);
    PROTEA_TRY(protea_finetune_new(&t->tuning, e->cx, e->model, t->part, &opts));
    protea_ticker_start(&w.ticker, e->hooks);
    protea_watch_start(&w.testing, e->hooks, "test images", e->test_images);
    PROTEA_TRY(protea_finetune_run(t->tuning, &score, e->test_images, t->class, &told));
    PROTEA_TRY(protea_images_check(e->cx, t->part, e->train_name));
    PROTEA_TRY(protea_images_check(e->cx, e->test_images, e->test_name));
    put_score(e, &score, n - protea_source_skipped(t->part, NULL));
    put_settings(e->result, t->o, &opts, t->labels);
    return PROTEA_OK;
}

static protea_status run(void *self, const protea_evaluation *e)
{
    task t = { .e = e, .o = self };
    if (e->model->pixels)
        return protea_fail(PROTEA_ERR_USAGE, "eval finetune: pixels are no network; wanted a run or a file of weights");
    protea_status status = open_part(&t);
    if (status == PROTEA_OK)
        status = tune(&t);
    protea_finetune_free(t.tuning);
    protea_source_close(t.part);
    protea_free(t.class);
    return status;
}

const protea_protocol protea_protocol_finetune = {
    .name = "finetune",
    .summary = "the network and a classifier trained with few labels, by SwAV's or lightly's protocol",
    .size = sizeof(finetune),
    .opts = table,
    .on_images = true,
    .run = run,
};
