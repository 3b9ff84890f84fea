#include "api/adapt_plan.h"

#include <stdio.h>
#include <string.h>

#include "adapt/adapter_list.h"
#include "api/corruption_list.h"
#include "base/alloc.h"

#define DECLARE_ADAPTER(adapter) extern const protea_adapter_ops protea_adapter_##adapter##_ops;
PROTEA_ADAPTER_LIST(DECLARE_ADAPTER)

#define ADAPTER_NAME(adapter) protea_adapter_##adapter##_ops.name,
const char *const protea_adapt_kinds[] = { PROTEA_ADAPTER_LIST(ADAPTER_NAME) "all", NULL };

const char *protea_adapt_kind_summary(const char *kind)
{
    const protea_adapter_ops *ops;
    if (strcmp(kind, "all") == 0)
        return "every algorithm, or those of --algorithms, beside each other";
    return protea_adapter_find(&ops, kind) == PROTEA_OK ? ops->summary : "";
}

/* ---- options */

#define FIELD(name) offsetof(protea_adapt_wish, name)
static const protea_opt algorithms_table[] = {
    { .key = "algorithms", .type = PROTEA_OPT_STRING, .offset = FIELD(algorithms), .def = "",
      .help = "which of them: names with commas between, e.g. tent,t3a,tsd; nothing: every one" },
    { 0 },
};

static const protea_opt stream_table[] = {
    { .key = "stream", .type = PROTEA_OPT_CHOICE, .offset = FIELD(stream), .def = "iid", .choices = PROTEA_STREAM_CHOICES,
      .help = "order of the images: shuffled; corruption after corruption without a reset; the same with severities 1-2-3-4-5-"
              "4-3-2-1; all mixed; classes in bursts; as the files are" },
    { .key = "delta", .type = PROTEA_OPT_FLOAT, .offset = FIELD(delta), .def = "0.1", .min = 0, .max = 1e6,
      .help = "--stream correlated: Dirichlet parameter, small for long bursts; 0: sorted by class",
      .source = "RoTTA, arXiv:2303.13899" },
    { .key = "corruption", .type = PROTEA_OPT_STRING, .offset = FIELD(corruption), .def = "",
      .help = "corrupt the images: NAME[,NAME...], standard (15), extra (4, for tuning) or all; the model starts anew with each" },
    { .key = "severity", .type = PROTEA_OPT_INT, .offset = FIELD(severity), .def = "5", .min = 1, .max = 5,
      .help = "of the corruptions" },
    { .key = "source", .type = PROTEA_OPT_STRING, .offset = FIELD(source), .def = "",
      .help = "DATA that the model was trained on, for algorithms that look at it first (eata)" },
    { .key = "source_size", .type = PROTEA_OPT_INT, .offset = FIELD(source_size), .def = "2000", .min = 1, .max = 1e9,
      .unit = "images", .help = "how many of --source are looked at", .source = "EATA's code" },
    { .key = "baselines", .type = PROTEA_OPT_BOOL, .offset = FIELD(baselines), .def = "true",
      .help = "run source and bn on the same stream, to compare with" },
    { 0 },
};

protea_status protea_adapt_wish_options(protea_adapt_wish *w, const char *kind, protea_options *options)
{
    if (strcmp(kind, "all") != 0)
        PROTEA_TRY(protea_adapter_find(&w->ops, kind));
    else
        PROTEA_TRY(protea_options_add(options, "algorithms", algorithms_table, w));
    PROTEA_TRY(protea_adapter_options_add(&w->own, options, w->ops));
    PROTEA_TRY(protea_options_add(options, "adaptation", protea_adapt_table, &w->adapt));
    if (w->ops != NULL)
        protea_adapt_settle(&w->adapt, w->ops); /* so that help and configuration show what it is */
    PROTEA_TRY(protea_options_add(options, "stream", stream_table, w));
    return protea_options_add(options, "guard", protea_guard_table, &w->guard);
}

void protea_adapt_wish_release(protea_adapt_wish *w)
{
    protea_adapter_options_release(&w->own);
}

/* ---- algorithms */

static protea_status enter(protea_adapt_plan *p, const char *name, bool baseline)
{
    const protea_adapter_ops *ops;
    PROTEA_TRY(protea_adapter_find(&ops, name));
    if (protea_adapt_find(&p->run, ops->name) != NULL)
        return baseline ? PROTEA_OK : protea_fail(PROTEA_ERR_USAGE, "--algorithms: %s found twice", name);
    if (p->run.n_contenders == PROTEA_MAX_CONTENDERS)
        return protea_fail(PROTEA_ERR_INTERNAL, "more than %d algorithms", PROTEA_MAX_CONTENDERS);
    p->contender[p->run.n_contenders++] = (protea_contender){ .name = ops->name, .baseline = baseline };
    return PROTEA_OK;
}

static protea_status enter_list(protea_adapt_plan *p, const char *text)
{
    char name[64];
    while (*text != 0) {
        size_t len = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), text);
        PROTEA_TRY(enter(p, name, false));
        text += len + (text[len] == ',');
    }
    return PROTEA_OK;
}

/* Those that others are compared with come first, as in tables. */
static int by_table(const protea_contender *c)
{
    return strcmp(c->name, "source") == 0 ? 0 : strcmp(c->name, "bn") == 0 ? 1 : 2;
}

static void sort_contenders(protea_adapt_plan *p)
{
    for (int i = 1; i < p->run.n_contenders; i++)
        for (int j = i; j > 0 && by_table(&p->contender[j]) < by_table(&p->contender[j - 1]); j--) {
            protea_contender swapped = p->contender[j];
            p->contender[j] = p->contender[j - 1];
            p->contender[j - 1] = swapped;
        }
}

static protea_status choose(protea_adapt_plan *p, const protea_adapt_wish *w)
{
    if (w->ops != NULL)
        PROTEA_TRY(enter(p, w->ops->name, false));
    else if (w->algorithms[0])
        PROTEA_TRY(enter_list(p, w->algorithms));
    else
        for (int i = 0; protea_adapters()[i] != NULL; i++)
            PROTEA_TRY(enter(p, protea_adapters()[i]->name, false));
    bool alone = p->run.n_contenders == 1;
    if (w->baselines) {
        PROTEA_TRY(enter(p, "source", true));
        PROTEA_TRY(enter(p, "bn", true));
    }
    sort_contenders(p);
    for (int k = 0; k < p->run.n_contenders && alone; k++)
        p->asked = p->contender[k].baseline ? p->asked : &p->contender[k];
    return PROTEA_OK;
}

/* ---- models */

static protea_status open_contender(protea_contender *c, protea_ctx *cx, const protea_adapt_wish *w,
                                    const protea_options *options, const char *model, int image_size)
{
    protea_lane_opts opts = { .adapt = w->adapt, .guard = w->guard, .image_size = image_size };
    void *filled;
    PROTEA_TRY(protea_adapter_find(&opts.ops, c->name));
    if (c->baseline)
        opts.guard.guard = 0;
    PROTEA_TRY(protea_adapter_options_text(c->mode, sizeof c->mode, opts.ops, "mode", options));
    PROTEA_TRY(protea_adapter_options_fill(&filled, opts.ops, options));
    opts.filled = filled;
    protea_status status = protea_lane_open(cx, &c->lane, model, &opts);
    protea_free(filled);
    return status;
}

static protea_status open_contenders(protea_adapt_plan *p, protea_ctx *cx, const protea_adapt_wish *w,
                                     const protea_options *options, const char *model, int image_size)
{
    for (int k = 0; k < p->run.n_contenders; k++) {
        protea_contender *c = &p->contender[k];
        PROTEA_TRY(open_contender(c, cx, w, options, model, image_size));
        PROTEA_TRY(protea_tally_init(&c->tally, c->lane.model.classes.n, protea_adapt_columns(&p->run)));
    }
    return PROTEA_OK;
}

/* ---- the stream */

static protea_status make_stream(protea_adapt_plan *p, const protea_adapt_wish *w, uint64_t seed, protea_source *source)
{
    int64_t n = protea_source_count(source);
    PROTEA_TRY(protea_new(&p->label, (size_t)n, sizeof *p->label, "labels"));
    for (int64_t i = 0; i < n; i++)
        p->label[i] = protea_source_label(source, i);
    const protea_stream_images images = { n, protea_source_n_classes(source), p->label };
    const protea_stream_opts opts = { .kind = (protea_stream_kind)w->stream, .seed = seed, .delta = w->delta,
                                      .n_corruptions = p->run.n_corruptions, .severity = (int)w->severity };
    return protea_stream_make(&p->stream, &opts, &images);
}

static protea_status choose_corruptions(protea_adapt_plan *p, const protea_adapt_wish *w)
{
    protea_corruption_list list;
    PROTEA_TRY(protea_corruption_list_read(&list, "--corruption ", w->corruption));
    memcpy(p->corruption, list.id, (size_t)list.n * sizeof *list.id);
    p->run.n_corruptions = list.n;
    p->run.corruption = p->corruption;
    return PROTEA_OK;
}

protea_status protea_adapt_plan_make(protea_adapt_plan *p, protea_ctx *cx, const protea_adapt_wish *w,
                                     const protea_options *options, const char *model, int image_size, protea_source *source,
                                     const char *data)
{
    p->run.source = source;
    p->run.seed = cx->seed;
    p->run.batch_size = w->adapt.batch_size;
    p->run.contender = p->contender;
    PROTEA_TRY(protea_options_get(options, "stream", p->stream_name, sizeof p->stream_name));
    PROTEA_TRY(choose(p, w));
    PROTEA_TRY(choose_corruptions(p, w));
    PROTEA_TRY(open_contenders(p, cx, w, options, model, image_size));
    if (protea_source_n_classes(source) > 0)
        PROTEA_TRY(protea_model_match_classes(&p->class_map, &p->contender[0].lane.model, source, data));
    p->run.class_map = p->class_map;
    PROTEA_TRY(make_stream(p, w, cx->seed, source));
    p->run.stream = &p->stream;
    return PROTEA_OK;
}

void protea_adapt_plan_release(protea_adapt_plan *p)
{
    for (int k = 0; k < p->run.n_contenders; k++)
        protea_contender_close(&p->contender[k]);
    protea_stream_release(&p->stream);
    protea_free(p->class_map);
    protea_free(p->label);
    *p = (protea_adapt_plan){ 0 };
}
