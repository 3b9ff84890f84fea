/* `protea synth NAME -o DIR`: a generated data set as class folders of PNG files. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/image_sink.h"
#include "api/verb.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "data/source.h"
#include "data/synth.h"

typedef struct synth_opts {
    int64_t n, size, seed;
} synth_opts;

static const protea_opt table[] = {
    { .key = "n", .type = PROTEA_OPT_INT, .offset = offsetof(synth_opts, n), .def = "5000", .min = 1, .max = 1e8,
      .unit = "images", .help = "how many, equally many of each class" },
    { .key = "size", .type = PROTEA_OPT_INT, .offset = offsetof(synth_opts, size), .def = "32", .min = 8, .max = 4096,
      .unit = "pixels", .help = "width and height" },
    { .key = "seed", .type = PROTEA_OPT_INT, .offset = offsetof(synth_opts, seed), .def = "1", .min = 0, .max = 9e15,
      .help = "changes the images, never the classes" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    (void)kind;
    return protea_options_add(options, "Images", table, self);
}

static protea_status write_image(protea_image_sink *sink, const protea_source *source, int64_t i, protea_image *image)
{
    uint8_t *png;
    size_t len;
    PROTEA_TRY(protea_source_read(source, i, image));
    PROTEA_TRY(protea_image_sink_encode(sink, image, &png, &len));
    protea_status status = protea_image_sink_put(sink, i, image, png, len);
    protea_free(png);
    return status;
}

static protea_status write_images(protea_image_sink *sink, const protea_source *source, const protea_call *call)
{
    protea_image image = { 0 };
    protea_ticker ticker;
    protea_status status = PROTEA_OK;
    int64_t n = protea_source_count(source);
    protea_ticker_start(&ticker, call->hooks);
    for (int64_t i = 0; i < n && status == PROTEA_OK; i++) {
        status = write_image(sink, source, i, &image);
        protea_ticker_tick(&ticker, "synth", (double)(i + 1), (double)n, "images", NULL);
        if (status == PROTEA_OK && call->hooks->stop != NULL && *call->hooks->stop)
            status = PROTEA_STOPPED;
    }
    protea_image_release(&image);
    return status;
}

static protea_status run(void *self, const protea_call *call)
{
    const synth_opts *opts = self;
    const protea_source_opts source_opts = protea_source_opts_default();
    double started = protea_seconds();
    char spec[256];
    snprintf(spec, sizeof spec, "synth:%s,n=%" PRId64 ",size=%" PRId64 ",seed=%" PRId64, call->kind, opts->n, opts->size,
             opts->seed);
    protea_source *source;
    protea_image_sink *sink;
    PROTEA_TRY(protea_source_open(&source, spec, &source_opts));
    protea_status status = protea_image_sink_open(&sink, call->output, source);
    if (status == PROTEA_OK)
        status = write_images(sink, source, call);
    protea_status closed = protea_image_sink_close(sink, status == PROTEA_OK);
    status = status == PROTEA_OK ? closed : status;
    json_object_set_new(call->result, "n", json_integer(protea_source_count(source)));
    json_object_set_new(call->result, "classes", json_integer(protea_source_n_classes(source)));
    protea_put_text(call->result, protea_image_sink_is_file(call->output) ? "file" : "dir", call->output);
    json_object_set_new(call->result, "seconds", json_real(protea_seconds() - started));
    protea_source_close(source);
    return status;
}

#define KIND_NAME(name) #name,
static const char *const kinds[] = { PROTEA_SYNTH_LIST(KIND_NAME) NULL };

static const char *kind_summary(const char *kind)
{
    return protea_synth_find(kind, strlen(kind))->summary;
}

const protea_verb protea_verb_synth = {
    .info = { .name = "synth", .arguments = "", .summary = "write a generated data set: class folders of PNG files, .tar or .npy",
              .kinds = kinds, .kinds_title = "NAME", .kind_summary = kind_summary, .output = 2, .output_name = "DIR",
              .example = "protea synth shapes -o shapes --n 2000 --size 32" },
    .size = sizeof(synth_opts),
    .options = add_options,
    .run = run,
};
