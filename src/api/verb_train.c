/* train: from images to a run directory. */
#include <stdio.h>
#include <string.h>

#include "api/train_labels.h"
#include "api/train_plan.h"
#include "api/verb.h"
#include "base/alloc.h"
#include "eval/features.h"
#include "method/method_list.h"
#include "report/report.h"

static const int64_t knn_k = 200;
static const double knn_temperature = 0.1;

typedef struct train {
    protea_session_opts session_opts;
    protea_train_opts opts;
    protea_augment_opts augment;
    protea_optim_opts optim;
    const protea_method_ops *ops;
    void *method;                        /* its struct; holds options only */
    protea_rundir *run;
    protea_labels labels;                /* of a method that learns classes */
    protea_source *source;               /* what is trained on: data, or borrowed from labels */
    protea_source *data;                 /* of a method without labels */
    protea_source *knn_train, *knn_test; /* both or neither */
    protea_session session;
    protea_trainer trainer;
} train;

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    train *t = self;
    PROTEA_TRY(protea_method_find(&t->ops, kind));
    PROTEA_TRY(protea_new(&t->method, 1, t->ops->size, kind));
    PROTEA_TRY(protea_options_add(options, "training", protea_train_table, &t->opts));
    PROTEA_TRY(protea_options_add(options, t->ops->name, t->ops->opts, t->method));
    if (t->ops->classifier != NULL)
        PROTEA_TRY(protea_options_add(options, "labels", protea_labels_table, &t->labels.opts));
    PROTEA_TRY(protea_options_add(options, "optimiser", protea_optim_table, &t->optim));
    PROTEA_TRY(protea_options_add(options, "views", protea_augment_table, &t->augment));
    return protea_options_add(options, "machine", protea_session_table, &t->session_opts);
}

static void train_free(void *self)
{
    train *t = self;
    protea_source_close(t->data);
    protea_labels_close(&t->labels);
    protea_source_close(t->knn_train);
    protea_source_close(t->knn_test);
    protea_session_close(&t->session);
    protea_rundir_close(t->run);
    protea_free(t->method);
}

static protea_source_opts source_opts(const train *t, int64_t limit)
{
    protea_source_opts o = protea_source_opts_default();
    o.limit = limit;
    o.seed = (uint64_t)t->session_opts.seed;
    o.limits.exif = t->opts.exif != 0;
    return o;
}

static protea_status open_source(protea_source **out, const train *t, const char *spec, int64_t limit)
{
    protea_source_opts o = source_opts(t, limit);
    return protea_source_open(out, spec, &o);
}

/* *probe: a set that shows how large the images are. Which of the labelled images are trained on is settled when the recipe
 * is known. */
static protea_status open_data(train *t, const protea_call *call, protea_source **probe)
{
    if (t->ops->classifier != NULL) {
        protea_source_opts o = source_opts(t, t->opts.limit);
        PROTEA_TRY(protea_domains_open(&t->labels.domains, call->arguments, call->n_arguments, &o));
        *probe = t->labels.domains.part[0];
        return PROTEA_OK;
    }
    if (call->n_arguments > 1)
        return protea_fail(PROTEA_ERR_USAGE, "%s: takes one DATA, %d found; several are for training with labels, and a name in "
                           "braces needs quotes", t->ops->name,
                           call->n_arguments);
    protea_source_opts o = source_opts(t, t->opts.limit);
    o.several = PROTEA_SEVERAL_UNLABEL;
    PROTEA_TRY(protea_source_open(&t->data, call->arguments[0], &o));
    *probe = t->source = t->data;
    return PROTEA_OK;
}

static protea_status split_labels(train *t, protea_options *options)
{
    PROTEA_TRY(protea_labels_split(&t->labels, options, (uint64_t)t->session_opts.seed));
    t->source = t->labels.domains.train;
    return PROTEA_OK;
}

/* The directory comes first: whether it can be used shows at once, while data may take long to open. */
static protea_status resolve(void *self, const protea_call *call)
{
    train *t = self;
    protea_source *probe = NULL;
    bool labels = t->ops->classifier != NULL;
    if (call->result != NULL)
        PROTEA_TRY(protea_rundir_open(&t->run, call->output, t->opts.resume, t->opts.overwrite));
    PROTEA_TRY(open_data(t, call, &probe));
    if (labels)
        PROTEA_TRY(protea_labels_open_encoder(&t->labels, call->options, &t->opts));
    PROTEA_TRY(protea_train_plan(call->options, &t->opts, &t->augment, t->ops->name, probe));
    if (labels)
        PROTEA_TRY(split_labels(t, call->options));
    return t->ops->settle != NULL ? t->ops->settle(call->options) : PROTEA_OK;
}

/* ---- evaluation during training */

static protea_model model_of(const train *t, protea_module *backbone)
{
    protea_model model = { .small_stem = t->trainer.small_stem, .image_size = t->trainer.image_size, .dim = backbone->out_dim,
                           .backbone = backbone };
    memcpy(model.mean, t->trainer.mean, sizeof model.mean);
    memcpy(model.std, t->trainer.std, sizeof model.std);
    snprintf(model.arch, sizeof model.arch, "%.31s", t->opts.arch);
    return model;
}

static protea_status measure_knn(void *self, protea_ctx *cx, protea_module *backbone, double *top1)
{
    const train *t = self;
    protea_model model = model_of(t, backbone);
    protea_knn_score score;
    const protea_knn_opts knn = { .k = &knn_k, .n_k = 1, .temperature = &knn_temperature, .n_temperatures = 1 };
    PROTEA_TRY(protea_knn_sources(cx, &score, &model, t->knn_train, t->knn_test, &knn));
    *top1 = score.top1;
    return PROTEA_OK;
}

static protea_status validate(void *self, protea_ctx *cx, protea_module *backbone, protea_module *fc, double *accuracy)
{
    const train *t = self;
    protea_model model = model_of(t, backbone);
    model.fc = fc;
    model.classes = t->labels.domains.classes;
    return protea_labels_validate(&t->labels, cx, &model, accuracy);
}

static protea_status encoder(void *self, protea_ctx *cx, protea_module **out)
{
    train *t = self;
    return protea_labels_take_encoder(&t->labels, cx, out);
}

static protea_status features(void *self, protea_ctx *cx, protea_module *encoder, protea_source *source, float *z, int64_t dim)
{
    protea_model model = model_of(self, encoder);
    if (dim != model.dim)
        return protea_fail(PROTEA_ERR_INTERNAL, "features: rows of %lld wanted, the encoder gives %lld", (long long)dim,
                           (long long)model.dim);
    return protea_model_features(cx, &model, PROTEA_BACKBONE_FEATURES, source, z, NULL, NULL);
}

static protea_status open_knn(train *t)
{
    bool has_train = t->opts.knn_train[0] != 0, has_test = t->opts.knn_test[0] != 0;
    if (has_train != has_test)
        return protea_fail(PROTEA_ERR_USAGE, "--knn-train and --knn-test: one of them found, both wanted");
    if (!has_train)
        return PROTEA_OK;
    PROTEA_TRY(open_source(&t->knn_train, t, t->opts.knn_train, 0));
    return open_source(&t->knn_test, t, t->opts.knn_test, 0);
}

/* ---- the run */

static void describe_views(char *out, size_t size, const protea_augment_opts *a)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < a->size_crops.n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.0fx%.0f", i > 0 ? "+" : "", a->nmb_crops.v[i], a->size_crops.v[i]);
}

static void log_data(const protea_ctx *cx, const char *spec, const protea_source *source)
{
    protea_log(cx, PROTEA_LOG_INFO, "data: %s, %lld images (%s)", spec, (long long)protea_source_count(source),
               protea_source_kind(source));
    if (protea_source_warning(source) != NULL)
        protea_log(cx, PROTEA_LOG_WARN, "%s", protea_source_warning(source));
}

static void log_plan(const train *t, const protea_call *call)
{
    const protea_ctx *cx = &t->session.cx;
    const protea_domains *d = &t->labels.domains;
    char views[256];
    describe_views(views, sizeof views, &t->augment);
    if (t->data != NULL)
        log_data(cx, call->arguments[0], t->data);
    for (int i = 0; i < d->n; i++)
        log_data(cx, call->arguments[i], d->part[i]);
    if (d->n > 0)
        protea_log(cx, PROTEA_LOG_INFO, "labels: %d classes; %lld images to train on, the others held out", d->classes.n,
                   (long long)protea_source_count(d->train));
    protea_log(cx, PROTEA_LOG_INFO, "recipe %s: %s, %s stem, views %s, %lld images a step, %lld epochs", t->opts.recipe,
               t->opts.arch, t->trainer.small_stem ? "small" : "large", views,
               (long long)t->opts.batch_size, (long long)t->opts.epochs);
}

/* The page about the run. It is not worth failing for: the run itself is saved. */
static void write_page(const train *t)
{
    protea_ctx cx = t->session.cx;
    protea_model model = { 0 };
    protea_report_args args = { .run_dir = protea_rundir_path(t->run), .model = &model,
                                .source = t->knn_test != NULL ? t->knn_test : t->source };
    cx.log = NULL; /* opening the model again says nothing new */
    protea_status status = protea_model_open(&cx, &model, args.run_dir, 0);
    if (status == PROTEA_OK)
        status = protea_report_run(&cx, &args);
    if (status != PROTEA_OK)
        protea_log(&t->session.cx, PROTEA_LOG_WARN, "no %s: %s", PROTEA_RUN_REPORT, protea_last_error());
    protea_model_close(&model);
}

static void fill_json(const train *t, json_t *json, const protea_train_result *r)
{
    json_object_set_new(json, "method", json_string(t->ops->name));
    protea_put_text(json, "recipe", t->opts.recipe);
    protea_put_text(json, "run", protea_rundir_path(t->run));
    json_object_set_new(json, "epochs", json_integer(r->epochs));
    json_object_set_new(json, "steps", json_integer(r->steps));
    json_object_set_new(json, "loss", r->loss == r->loss ? json_real(r->loss) : json_null());
    json_object_set_new(json, "images", json_integer(r->images));
    json_object_set_new(json, "images_per_second", json_real(r->images_per_second));
    json_object_set_new(json, "seconds", json_real(r->seconds));
    json_object_set_new(json, "precision", json_string(t->session.precision));
    if (r->knn_top1 >= 0)
        json_object_set_new(json, "knn_top1", json_real(r->knn_top1));
    if (t->ops->classifier != NULL)
        json_object_set_new(json, "classes", json_integer(t->labels.domains.classes.n));
    if (r->val_accuracy < 0)
        return;
    json_object_set_new(json, "val_accuracy", json_real(r->val_accuracy));
    json_object_set_new(json, "best_epoch", json_integer(r->best_epoch));
}

static protea_status set_up(train *t, const protea_call *call, const protea_train_hooks *hooks)
{
    protea_hooks tee = { .log = protea_rundir_log, .cookie = t->run };
    protea_rundir_set_log(t->run, call->hooks->log, call->hooks->cookie);
    t->session_opts.trains = true;
    PROTEA_TRY(protea_session_open(&t->session, &t->session_opts, &tee));
    t->trainer = (protea_trainer){
        .cx = &t->session.cx, .opts = &t->opts, .optim_opts = &t->optim, .options = call->options, .ops = t->ops,
        .method = t->method, .source = t->source, .augment = &t->augment, .image_size = (int)t->opts.image_size,
        .small_stem = t->opts.stem == PROTEA_STEM_SMALL, .run = t->run, .precision = t->session.precision,
        .hooks = call->hooks, .train_hooks = hooks,
    };
    PROTEA_TRY(protea_train_colours(t->trainer.mean, t->trainer.std, &t->opts, t->source));
    if (t->ops->classifier != NULL)
        protea_labels_fit(&t->labels, &t->trainer);
    return open_knn(t);
}

static protea_status run(void *self, const protea_call *call)
{
    train *t = self;
    protea_train_result result;
    protea_train_hooks hooks = { .features = features, .self = t };
    PROTEA_TRY(set_up(t, call, &hooks));
    hooks.knn = t->knn_train != NULL ? measure_knn : NULL;
    hooks.validate = protea_labels_hold_out(&t->labels) ? validate : NULL;
    hooks.encoder = t->labels.opts.encoder[0] != 0 ? encoder : NULL;
    log_plan(t, call);
    protea_status status = protea_train_run(&t->trainer, &result);
    fill_json(t, call->result, &result);
    if (status == PROTEA_OK)
        write_page(t);
    return status;
}

#define METHOD_NAME(method) protea_method_##method.name,
static const char *const kinds[] = { PROTEA_METHOD_LIST(METHOD_NAME) NULL };

static const char *kind_summary(const char *kind)
{
    const protea_method_ops *ops;
    return protea_method_find(&ops, kind) == PROTEA_OK ? ops->summary : "";
}

const protea_verb protea_verb_train = {
    .info = { .name = "train", .arguments = "DATA...", .summary = "train a network on images, with or without labels",
              .kinds = kinds, .kinds_title = "METHOD", .kind_summary = kind_summary, .min_arguments = 1,
              .max_arguments = PROTEA_MAX_DOMAINS, .output = 2, .output_name = "RUN",
              .example = "protea train swav photos/ -o runs/photos" },
    .size = sizeof(train),
    .options = add_options,
    .resolve = resolve,
    .run = run,
    .free = train_free,
};
