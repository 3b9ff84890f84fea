/* protea eval linear: the published protocols by name, on features made once or of fresh views each epoch. */
#include <stdio.h>

#include "api/eval_protocol.h"
#include "eval/feature_match.h"
#include "eval/linear_probe.h"

typedef struct linear {
    int32_t protocol, augment;
    int64_t epochs, batch_size;
    protea_list lr;
    double wd;
} linear;
enum { SWAV, MOCO, SIMSIAM };

/* From the authors' evaluation scripts. Their features come from augmented images (random crops and
 * flips), as ours do with --augment crop; without it they are of the plain central view, made once. */
static const struct preset {
    int64_t epochs, batch_size;
    double lr, lr_batch, wd; /* lr_batch: images that lr is for; 0: any */
    protea_lr_shape schedule;
    protea_list milestones;
    bool larc;
} presets[] = {
    [SWAV] = { 100, 256, 0.3, 0, 1e-6, PROTEA_LR_COSINE_EPOCH, { 0 }, false },
    [MOCO] = { 100, 256, 30, 0, 0, PROTEA_LR_STEPS, { 2, { 60, 80 } }, false },
    [SIMSIAM] = { 90, 4096, 0.1, 256, 0, PROTEA_LR_COSINE_EPOCH, { 0 }, true },
};

static const protea_opt table[] = {
    { .key = "protocol", .type = PROTEA_OPT_CHOICE, .offset = offsetof(linear, protocol), .def = "swav",
      .choices = "swav|moco|simsiam", .help = "whose optimiser, rate, schedule and epochs",
      .source = "the linear evaluation scripts of the three" },
    { .key = "epochs", .type = PROTEA_OPT_INT, .offset = offsetof(linear, epochs), .def = "0", .min = 0, .max = 1e5,
      .unit = "epochs", .help = "passes over the features; 0: the protocol's (100, simsiam 90)" },
    { .key = "batch_size", .aliases = "b", .type = PROTEA_OPT_INT, .offset = offsetof(linear, batch_size), .def = "0", .min = 0,
      .max = 1e6, .unit = "images", .help = "features a step; 0: the protocol's (256, simsiam 4096), at most all there are" },
    { .key = "lr", .aliases = "sweep", .type = PROTEA_OPT_LIST, .offset = offsetof(linear, lr), .def = "0", .min = 0, .max = 1e4,
      .help = "learning rates, all trained in one pass; 0: the protocol's (swav 0.3, moco 30, simsiam 0.1 for 256 images)" },
    { .key = "wd", .type = PROTEA_OPT_FLOAT, .offset = offsetof(linear, wd), .def = "-1", .min = -1, .max = 10,
      .help = "weight decay; -1: the protocol's (swav 1e-6, else 0)" },
    { .key = "augment", .type = PROTEA_OPT_CHOICE, .offset = offsetof(linear, augment), .def = "none",
      .choices = PROTEA_SINGLE_VIEWS, .help = "training features of fresh views each epoch: random resized crops, or pictures "
      "shifted by up to an eighth (for small ones), with mirror images; none: of the plain views, made once",
      .source = "SwAV, MoCo, SimSiam: crop" },
    { 0 },
};

static protea_linear_opts settle(const linear *o, int64_t n)
{
    const struct preset *p = &presets[o->protocol];
    protea_linear_opts l = { .momentum = 0.9, .schedule = p->schedule, .milestones = p->milestones, .larc = p->larc, .lr = o->lr };
    l.epochs = o->epochs > 0 ? o->epochs : p->epochs;
    l.batch_size = o->batch_size > 0 ? o->batch_size : p->batch_size;
    l.batch_size = l.batch_size < n ? l.batch_size : n;
    l.wd = o->wd >= 0 ? o->wd : p->wd;
    for (int i = 0; i < l.lr.n; i++)
        if (l.lr.v[i] <= 0)
            l.lr.v[i] = p->lr_batch > 0 ? p->lr * (double)l.batch_size / p->lr_batch : p->lr;
    for (int i = 0; i < l.milestones.n; i++) /* at 60 and 80 of 100 */
        l.milestones.v[i] *= (double)l.epochs / (double)p->epochs;
    return l;
}

typedef struct watch {
    const protea_evaluation *e;
    protea_augment_opts augment; /* with --augment */
    protea_ticker ticker;
    protea_watch views;          /* while features are made */
    int64_t epochs, rates, done; /* done: epochs so far */
} watch;

static protea_status stop_if_asked(const watch *w)
{
    if (w->e->hooks->stop != NULL && *w->e->hooks->stop)
        return protea_fail(PROTEA_STOPPED, "stopped on request after epoch %lld", (long long)w->done);
    return PROTEA_OK;
}

static protea_status after_epoch(void *self, int64_t epoch, const protea_linear_score *score)
{
    watch *w = self;
    char note[64];
    double best = 0;
    for (int64_t i = 0; i < w->rates; i++)
        best = score[i].last_top1 > best ? score[i].last_top1 : best;
    snprintf(note, sizeof note, "top1 %.4f", best);
    protea_ticker_tick(&w->ticker, "linear probe", (double)epoch, (double)w->epochs, "epochs", note);
    w->done = epoch;
    return stop_if_asked(w);
}

static protea_status while_making(void *self, int64_t images)
{
    watch *w = self;
    PROTEA_TRY(stop_if_asked(w));
    return protea_watch_features(&w->views, images);
}

/* Features of fresh views in the place of the last epoch's. */
static protea_status make_features(void *self, int64_t epoch)
{
    watch *w = self;
    const protea_evaluation *e = w->e;
    protea_watch_start(&w->views, e->hooks, "training views", e->train_images);
    return protea_model_augmented_features(e->cx, e->model, e->kind, e->train_images, &w->augment, epoch, e->train->z,
                                           while_making, w);
}

static json_t *score_json(const protea_linear_score *s)
{
    return json_pack("{s:f s:f s:f s:I s:f s:f s:f}", "lr", s->lr, "best_top1", s->best_top1, "best_top5", s->best_top5,
                     "best_epoch", (json_int_t)s->best_epoch, "last_top1", s->last_top1, "last_top5", s->last_top5, "loss",
                     s->loss);
}

static void report(const protea_evaluation *e, const linear *o, const protea_linear_opts *l, const protea_linear_score *score)
{
    static const char *const names[] = { "swav", "moco", "simsiam" };
    int best = 0;
    json_t *rates = json_array();
    for (int i = 0; i < l->lr.n; i++) {
        best = score[i].last_top1 > score[best].last_top1 ? i : best;
        json_array_append_new(rates, score_json(&score[i]));
        protea_log(e->cx, PROTEA_LOG_INFO, "lr %g: top1 %.4f at the end, %.4f at best (epoch %lld), top5 %.4f", score[i].lr,
                   score[i].last_top1, score[i].best_top1, (long long)score[i].best_epoch, score[i].last_top5);
    }
    json_object_set_new(e->result, "top1", json_real(score[best].last_top1));
    json_object_set_new(e->result, "top5", json_real(score[best].last_top5));
    json_object_set_new(e->result, "best_top1", json_real(score[best].best_top1));
    json_object_set_new(e->result, "best_top5", json_real(score[best].best_top5));
    json_object_set_new(e->result, "best_epoch", json_integer(score[best].best_epoch));
    json_object_set_new(e->result, "n_train", json_integer(e->train->n));
    json_object_set_new(e->result, "n_test", json_integer(e->test->n));
    json_object_set_new(e->result, "protocol", json_string(names[o->protocol]));
    json_object_set_new(e->result, "epochs", json_integer(l->epochs));
    json_object_set_new(e->result, "batch_size", json_integer(l->batch_size));
    json_object_set_new(e->result, "lr", json_real(score[best].lr));
    json_object_set_new(e->result, "wd", json_real(l->wd));
    json_object_set_new(e->result, "momentum", json_real(l->momentum));
    json_object_set_new(e->result, "optimizer", json_string(l->larc ? "larc" : "sgd"));
    json_object_set_new(e->result, "schedule", json_string(l->schedule == PROTEA_LR_STEPS ? "steps" : "cosine-epoch"));
    json_object_set_new(e->result, "augment", json_string(protea_single_view_name[o->augment]));
    json_object_set_new(e->result, "rates", rates);
}

static protea_status run(void *self, const protea_evaluation *e)
{
    const linear *o = self;
    protea_feature_match m;
    protea_linear_score score[PROTEA_MAX_SWEEP];
    protea_linear_opts l = settle(o, e->train->n);
    watch w = { .e = e, .epochs = l.epochs, .rates = l.lr.n };
    if (o->augment != PROTEA_VIEW_PLAIN) {
        if (e->model == NULL)
            return protea_fail(PROTEA_ERR_USAGE, "--augment %s: wanted a model and images; features from files stay as they are",
                               protea_single_view_name[o->augment]);
        w.augment = protea_augment_single((protea_single_view)o->augment, e->model->image_size);
        l.refresh = make_features;
    }
    protea_ticker_start(&w.ticker, e->hooks);
    protea_status status = protea_feature_match_sets(&m, e->train, e->test);
    if (status == PROTEA_OK)
        status = protea_linear_probe(e->cx, score, e->train->z, m.train, e->train->n, e->test->z, m.test, e->test->n,
                                     e->train->dim, m.n_classes, &l, after_epoch, &w);
    protea_feature_match_release(&m);
    if (status == PROTEA_OK)
        report(e, o, &l, score);
    return status;
}

const protea_protocol protea_protocol_linear = {
    .name = "linear",
    .summary = "a linear classifier on frozen features, by SwAV's, MoCo's or SimSiam's protocol",
    .size = sizeof(linear),
    .opts = table,
    .run = run,
};
