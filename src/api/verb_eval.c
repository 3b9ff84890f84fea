/* protea eval PROTOCOL MODEL --train DATA --test DATA: how good a model's features are. */
#include <string.h>

#include "api/eval_list.h"
#include "api/eval_protocol.h"
#include "base/alloc.h"
#include "base/clock.h"

typedef struct eval {
    protea_session_opts session;
    protea_images_opts images;
    char train[PROTEA_OPT_STRING_MAX], test[PROTEA_OPT_STRING_MAX];
    int32_t features;              /* choice of "backbone|head" */
    const protea_protocol *protocol;
    void *protocol_self;           /* its options; owned */
    /* while it runs */
    protea_session s;
    protea_model model;
    protea_source *train_source, *test_source;
    protea_feature_set train_set, test_set;
} eval;
enum { BACKBONE, HEAD };

#define DECLARE(name) extern const protea_protocol protea_protocol_##name;
PROTEA_PROTOCOL_LIST(DECLARE)
#define TABLE(name) &protea_protocol_##name,
static const protea_protocol *const protocols[] = { PROTEA_PROTOCOL_LIST(TABLE) };
#define WORD(name) #name,
static const char *const kinds[] = { PROTEA_PROTOCOL_LIST(WORD) NULL };

/* kind: one of kinds. */
static const protea_protocol *find_protocol(const char *kind)
{
    size_t i = 0;
    while (strcmp(kinds[i], kind) != 0)
        i++;
    return protocols[i];
}

static const char *kind_summary(const char *kind)
{
    return find_protocol(kind)->summary;
}

static const protea_opt sets_table[] = {
    { .key = "train", .type = PROTEA_OPT_STRING, .offset = offsetof(eval, train), .def = "",
      .help = "labelled images to learn from, as DATA; with the word `features` for a model, an .npy file that embed wrote" },
    { .key = "test", .type = PROTEA_OPT_STRING, .offset = offsetof(eval, test), .def = "",
      .help = "labelled images to classify; classes are matched by name" },
    { 0 },
};
static const protea_opt features_table[] = {
    { .key = "features", .type = PROTEA_OPT_CHOICE, .offset = offsetof(eval, features), .def = "backbone",
      .choices = "backbone|head", .help = "pooled features of the backbone, or what the method's head makes of them" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    eval *e = self;
    e->protocol = find_protocol(kind);
    PROTEA_TRY(protea_new(&e->protocol_self, 1, e->protocol->size, kind));
    PROTEA_TRY(protea_options_add(options, "Data sets", sets_table, e));
    if (!e->protocol->on_images)
        PROTEA_TRY(protea_options_add(options, "Features", features_table, e));
    PROTEA_TRY(protea_options_add(options, e->protocol->name, e->protocol->opts, e->protocol_self));
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &e->images));
    return protea_options_add(options, "Machine", protea_session_table, &e->session);
}

static protea_feature_kind kind_of(const eval *e)
{
    return e->features == HEAD ? PROTEA_HEAD_FEATURES : PROTEA_BACKBONE_FEATURES;
}

static protea_status embed_set(eval *e, const protea_call *call, protea_feature_set *set, protea_source *source, const char *stage,
                               const char *spec)
{
    protea_watch watch;
    protea_watch_start(&watch, call->hooks, stage, source);
    PROTEA_TRY(protea_feature_set_compute(&e->s.cx, set, &e->model, kind_of(e), source, spec, protea_watch_features, &watch));
    return protea_images_check(&e->s.cx, source, spec);
}

/* Both data sets are opened before the long part begins. */
static protea_status open_images(eval *e, const protea_call *call)
{
    PROTEA_TRY(protea_model_open(&e->s.cx, &e->model, call->arguments[0], (int)e->images.image_size));
    if (e->features == HEAD)
        PROTEA_TRY(protea_model_open_head(&e->s.cx, &e->model));
    e->images.several = e->protocol->several_classes ? PROTEA_SEVERAL_KEEP : PROTEA_SEVERAL_REFUSE;
    PROTEA_TRY(protea_images_open(&e->train_source, e->train, &e->images, e->s.cx.seed));
    PROTEA_TRY(protea_images_open(&e->test_source, e->test, &e->images, e->s.cx.seed));
    return protea_model_fit(&e->model, e->train_source);
}

static protea_status embed_sets(eval *e, const protea_call *call)
{
    PROTEA_TRY(embed_set(e, call, &e->train_set, e->train_source, "train images", e->train));
    return embed_set(e, call, &e->test_set, e->test_source, "test images", e->test);
}

static protea_status read_sets(eval *e)
{
    if (e->protocol->on_images)
        return protea_fail(PROTEA_ERR_USAGE, "eval %s: works on images; wanted a model where features was found",
                           e->protocol->name);
    PROTEA_TRY(protea_feature_set_read(&e->train_set, e->train));
    return protea_feature_set_read(&e->test_set, e->test);
}

static protea_status run_protocol(eval *e, const protea_call *call, bool with_images)
{
    const protea_evaluation evaluation = {
        .cx = &e->s.cx, .hooks = call->hooks, .train = &e->train_set, .test = &e->test_set, .kind = kind_of(e),
        .result = call->result,
        .model = with_images ? &e->model : NULL, .train_images = e->train_source, .test_images = e->test_source,
        .train_name = e->train, .test_name = e->test,
    };
    return e->protocol->run(e->protocol_self, &evaluation);
}

/* What every protocol shares, beside what it says itself. Features from a file are what they are. */
static void put_settings(const eval *e, json_t *result, bool with_images)
{
    static const char *const names[] = { [BACKBONE] = "backbone", [HEAD] = "head" };
    json_object_set_new(result, "seed", json_integer((json_int_t)e->s.cx.seed));
    if (with_images && !e->protocol->on_images)
        json_object_set_new(result, "features", json_string(e->model.pixels ? "pixels" : names[e->features]));
}

static protea_status run(void *self, const protea_call *call)
{
    eval *e = self;
    double started = protea_seconds();
    if (e->train[0] == 0 || e->test[0] == 0)
        return protea_fail(PROTEA_ERR_USAGE, "eval %s: no --%s found, --train DATA --test DATA wanted",
                           e->protocol->name, e->train[0] ? "test" : "train");
    PROTEA_TRY(protea_session_open(&e->s, &e->session, call->hooks));
    bool with_images = strcmp(call->arguments[0], "features") != 0;
    if (with_images) {
        PROTEA_TRY(open_images(e, call));
        if (!e->protocol->on_images)
            PROTEA_TRY(embed_sets(e, call));
    } else {
        PROTEA_TRY(read_sets(e));
    }
    PROTEA_TRY(run_protocol(e, call, with_images));
    json_object_set_new(call->result, "seconds", json_real(protea_seconds() - started));
    put_settings(e, call->result, with_images);
    return PROTEA_OK;
}

static void eval_free(void *self)
{
    eval *e = self;
    protea_feature_set_release(&e->train_set);
    protea_feature_set_release(&e->test_set);
    protea_source_close(e->train_source);
    protea_source_close(e->test_source);
    protea_model_close(&e->model);
    protea_session_close(&e->s);
    protea_free(e->protocol_self);
}

const protea_verb protea_verb_eval = {
    .info = { .name = "eval", .arguments = "MODEL --train DATA --test DATA", .summary = "measure how good a model's features are",
              .kinds = kinds, .kinds_title = "PROTOCOL", .kind_summary = kind_summary,
              .min_arguments = 1, .max_arguments = 1, .output = 0,
              .example = "protea eval knn runs/photos --train photos/train --test photos/test" },
    .size = sizeof(eval),
    .options = add_options,
    .run = run,
    .free = eval_free,
};
