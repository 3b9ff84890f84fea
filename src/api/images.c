#include "api/images.h"

#include <stddef.h>
#include <stdio.h>

#define FIELD(name) offsetof(protea_images_opts, name)
#define DATA_OPTIONS \
    { .key = "limit", .type = PROTEA_OPT_INT, .offset = FIELD(limit), .def = "0", .min = 0, .max = 1e12, .unit = "images", \
      .help = "take this many images of each data set, evenly over its folders; 0: all" }, \
    { .key = "no_labels", .type = PROTEA_OPT_BOOL, .offset = FIELD(no_labels), .def = "false", \
      .help = "folders are only folders, not classes" }, \
    { .key = "exif", .type = PROTEA_OPT_BOOL, .offset = FIELD(exif), .def = "false", \
      .help = "turn photographs as their EXIF orientation says", .source = "off, as in torchvision" }

const protea_opt protea_data_table[] = { DATA_OPTIONS, { 0 } };
const protea_opt protea_images_table[] = {
    { .key = "image_size", .type = PROTEA_OPT_INT, .offset = FIELD(image_size), .def = "0", .min = 0, .max = 4096, .unit = "pixels",
      .help = "side of the square that the network sees; 0: the model's, for `pixels` that of the first image" },
    DATA_OPTIONS,
    { 0 },
};

protea_status protea_images_open(protea_source **out, const char *spec, const protea_images_opts *opts, uint64_t seed)
{
    protea_source_opts source = protea_source_opts_default();
    source.limit = opts->limit;
    source.seed = seed;
    source.no_labels = opts->no_labels != 0;
    source.several = opts->several;
    source.limits.exif = opts->exif != 0;
    return protea_source_open(out, spec, &source);
}

const char *const protea_image_columns[PROTEA_IMAGE_COLUMNS] = { "row", "path", "label", "class" };

void protea_image_row_fill(protea_image_row *out, const protea_source *source, int64_t i, int64_t row)
{
    int32_t label = protea_source_label(source, i);
    *out = (protea_image_row){ .field = { out->row, protea_source_name(source, i), out->label,
                                          label >= 0 ? protea_source_class(source, label) : "" } };
    snprintf(out->row, sizeof out->row, "%lld", (long long)row);
    if (label >= 0)
        snprintf(out->label, sizeof out->label, "%d", (int)label);
}

void protea_watch_start(protea_watch *w, const protea_hooks *hooks, const char *stage, const protea_source *source)
{
    *w = (protea_watch){ .hooks = hooks, .stage = stage, .total = protea_source_count(source) };
    protea_ticker_start(&w->ticker, hooks);
}

protea_status protea_watch_features(void *watch, int64_t done)
{
    protea_watch *w = watch;
    if (w->hooks->stop != NULL && *w->hooks->stop)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: stopped after %lld of %lld images, nothing is written", w->stage,
                           (long long)done, (long long)w->total);
    protea_ticker_tick(&w->ticker, w->stage, (double)done, (double)w->total, "images", NULL);
    return PROTEA_OK;
}

protea_status protea_images_check(const protea_ctx *cx, const protea_source *source, const char *spec)
{
    const protea_skip *skips;
    int64_t n = protea_source_count(source), bad = protea_source_skipped(source, &skips);
    if (protea_source_warning(source) != NULL)
        protea_log(cx, PROTEA_LOG_WARN, "%s", protea_source_warning(source));
    if (bad == 0)
        return PROTEA_OK;
    if (bad == n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: none of the %lld images can be used; the first: %s", spec, (long long)n,
                           skips[0].reason);
    protea_log(cx, PROTEA_LOG_WARN, "%s: %lld of %lld images left out; the first: %s", spec, (long long)bad, (long long)n,
               skips[0].reason);
    return PROTEA_OK;
}
