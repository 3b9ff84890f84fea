/* `protea corrupt NAME[,NAME...] DATA -o OUT`: corrupted copies of images, as folders, a tar or .npy. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/corruption_list.h"
#include "api/image_sink.h"
#include "api/images.h"
#include "base/clock.h"
#include "base/parallel.h"

enum { BLOCK = 128 };

/* One picture of a block: made by any thread, written in turn. */
typedef struct slot {
    protea_image image;
    uint8_t *bytes;
    size_t len;
    protea_status status;
    char reason[1024];
} slot;

typedef struct corrupt {
    protea_list severities;
    int64_t seed, threads;
    protea_images_opts images;
    /* while it runs */
    protea_corruption_list names;
    protea_source *source;
    protea_image_sink *sink;
    slot slots[BLOCK];
    protea_ticker ticker;
    int64_t written, done, total;   /* pictures: in OUT; seen; to see */
    json_t *files;                  /* of .npy: one for each name */
} corrupt;

#define FIELD(name) offsetof(corrupt, name)
static const protea_opt table[] = {
    { .key = "severity", .type = PROTEA_OPT_LIST, .offset = FIELD(severities), .def = "5", .min = 1, .max = PROTEA_SEVERITIES,
      .help = "1 is the least; of several, each is written", .source = "arXiv 1903.12261" },
    { .key = "seed", .type = PROTEA_OPT_INT, .offset = FIELD(seed), .def = "31", .min = 0, .max = 9e15,
      .help = "of the random numbers; what a picture becomes depends on it and on the picture's index in DATA" },
    { .key = "threads", .type = PROTEA_OPT_INT, .offset = FIELD(threads), .def = "0", .min = 0, .max = 1024, .unit = "threads",
      .help = "0: one per processor; results do not depend on it" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    corrupt *c = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Corruptions", table, c));
    return protea_options_add(options, "Images", protea_data_table, &c->images);
}

static protea_status check_severities(const corrupt *c)
{
    for (int i = 0; i < c->severities.n; i++)
        if (c->severities.v[i] != (int)c->severities.v[i])
            return protea_fail(PROTEA_ERR_USAGE, "--severity %g: a whole number of 1 to %d wanted", c->severities.v[i],
                               PROTEA_SEVERITIES);
    return c->severities.n > 0 ? PROTEA_OK : protea_fail(PROTEA_ERR_USAGE, "--severity: none found, 1 to 5 wanted");
}

/* ---- the work */

static void fill_slot(const corrupt *c, slot *s, int64_t i, int id, int severity)
{
    protea_rng rng = protea_corrupt_rng((uint64_t)c->seed, id, severity, i);
    s->bytes = NULL;
    s->status = protea_source_read(c->source, i, &s->image);
    if (s->status == PROTEA_OK)
        s->status = protea_corrupt(&s->image, id, severity, &rng);
    if (s->status == PROTEA_OK)
        s->status = protea_image_sink_encode(c->sink, &s->image, &s->bytes, &s->len);
    if (s->status != PROTEA_OK)
        snprintf(s->reason, sizeof s->reason, "%s", protea_last_error());
}

static protea_status put_slot(corrupt *c, slot *s, int64_t i)
{
    if (s->status == PROTEA_ERR_INPUT)
        return protea_source_skip(c->source, i, s->reason);
    if (s->status != PROTEA_OK)
        return protea_fail_text(s->status, s->reason);
    c->written++;
    return protea_image_sink_put(c->sink, i, &s->image, s->bytes, s->len);
}

/* Images first .. first + n - 1. */
static protea_status corrupt_block(corrupt *c, int64_t first, int n, int id, int severity)
{
    protea_status status = PROTEA_OK;
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < n; k++)
        if (!protea_source_is_bad(c->source, first + k))
            fill_slot(c, &c->slots[k], first + k, id, severity);
    for (int k = 0; k < n; k++) {
        if (!protea_source_is_bad(c->source, first + k)) {
            if (status == PROTEA_OK)
                status = put_slot(c, &c->slots[k], first + k);
            protea_free(c->slots[k].bytes);
        }
        c->slots[k].bytes = NULL;
    }
    return status;
}

static protea_status corrupt_all(corrupt *c, const protea_call *call, int id, int severity)
{
    char stage[64], folder[64] = "";
    int64_t n = protea_source_count(c->source);
    snprintf(stage, sizeof stage, "%s %d", protea_corruption_name(id), severity);
    if (c->names.n > 1)
        snprintf(folder, sizeof folder, "%s", protea_corruption_name(id));
    if (c->severities.n > 1)
        snprintf(folder + strlen(folder), sizeof folder - strlen(folder), "%s%d", *folder ? "/" : "", severity);
    protea_image_sink_begin(c->sink, folder);
    for (int64_t i = 0; i < n; i += BLOCK) {
        int part = (int)(n - i < BLOCK ? n - i : BLOCK);
        PROTEA_TRY(corrupt_block(c, i, part, id, severity));
        c->done += part;
        protea_ticker_tick(&c->ticker, stage, (double)c->done, (double)c->total, "images", NULL);
        if (call->hooks->stop != NULL && *call->hooks->stop)
            return protea_fail(PROTEA_ERR_INTERNAL, "%s: stopped after %lld of %lld images", call->output, (long long)c->done,
                               (long long)c->total);
    }
    return PROTEA_OK;
}

static protea_status corrupt_by(corrupt *c, const protea_call *call, int id)
{
    for (int s = 0; s < c->severities.n; s++)
        PROTEA_TRY(corrupt_all(c, call, id, (int)c->severities.v[s]));
    return PROTEA_OK;
}

/* One sink for all names: a folder or a tar, or an .npy with one name. */
static protea_status run_together(corrupt *c, const protea_call *call)
{
    protea_status status = protea_image_sink_open(&c->sink, call->output, c->source);
    for (int k = 0; k < c->names.n && status == PROTEA_OK; k++)
        status = corrupt_by(c, call, c->names.id[k]);
    protea_status closed = protea_image_sink_close(c->sink, status == PROTEA_OK);
    c->sink = NULL;
    return status == PROTEA_OK ? closed : status;
}

/* OUT.npy is OUT-NAME.npy for each of several names. */
static protea_status run_arrays(corrupt *c, const protea_call *call)
{
    int stem = (int)(strlen(call->output) - strlen(".npy"));
    for (int k = 0; k < c->names.n; k++) {
        char path[4096];
        snprintf(path, sizeof path, "%.*s-%s.npy", stem, call->output, protea_corruption_name(c->names.id[k]));
        PROTEA_TRY(protea_image_sink_open(&c->sink, path, c->source));
        protea_status status = corrupt_by(c, call, c->names.id[k]);
        protea_status closed = protea_image_sink_close(c->sink, status == PROTEA_OK);
        c->sink = NULL;
        PROTEA_TRY(status);
        PROTEA_TRY(closed);
        json_array_append_new(c->files, json_string(path));
    }
    return PROTEA_OK;
}

static void put_result(corrupt *c, const protea_call *call, bool arrays, double seconds)
{
    json_t *names = json_array(), *severities = json_array();
    for (int k = 0; k < c->names.n; k++)
        json_array_append_new(names, json_string(protea_corruption_name(c->names.id[k])));
    for (int s = 0; s < c->severities.n; s++)
        json_array_append_new(severities, json_integer((json_int_t)c->severities.v[s]));
    json_object_set_new(call->result, "names", names);
    json_object_set_new(call->result, "severities", severities);
    json_object_set_new(call->result, "n", json_integer(c->written));
    json_object_set_new(call->result, "skipped", json_integer(protea_source_skipped(c->source, NULL)));
    if (arrays && c->names.n > 1)
        json_object_set(call->result, "files", c->files);
    else
        protea_put_text(call->result, protea_image_sink_is_file(call->output) ? "file" : "dir", call->output);
    json_object_set_new(call->result, "images_per_second", json_real(seconds > 0 ? (double)c->written / seconds : 0));
    json_object_set_new(call->result, "seconds", json_real(seconds));
}

static protea_status run(void *self, const protea_call *call)
{
    corrupt *c = self;
    bool arrays = protea_image_sink_is_array(call->output);
    double started = protea_seconds();
    const protea_ctx log = { .log = call->hooks->log, .log_cookie = call->hooks->cookie };
    PROTEA_TRY(protea_corruption_list_read(&c->names, "", call->arguments[0]));
    if (c->names.n == 0)
        return protea_fail(PROTEA_ERR_USAGE, "corrupt: no name of a corruption found, one or more wanted");
    PROTEA_TRY(check_severities(c));
    protea_set_threads(c->threads > 0 ? (int)c->threads : protea_cpu_count());
    PROTEA_TRY(protea_images_open(&c->source, call->arguments[1], &c->images, (uint64_t)c->seed));
    c->total = protea_source_count(c->source) * c->names.n * c->severities.n;
    c->files = json_array();
    protea_ticker_start(&c->ticker, call->hooks);
    PROTEA_TRY(arrays && c->names.n > 1 ? run_arrays(c, call) : run_together(c, call));
    PROTEA_TRY(protea_images_check(&log, c->source, call->arguments[1]));
    put_result(c, call, arrays, protea_seconds() - started);
    return PROTEA_OK;
}

static void corrupt_free(void *self)
{
    corrupt *c = self;
    for (int k = 0; k < BLOCK; k++)
        protea_image_release(&c->slots[k].image);
    protea_source_close(c->source);
    json_decref(c->files);
}

const protea_verb protea_verb_corrupt = {
    .info = { .name = "corrupt", .arguments = "NAME[,NAME...] DATA",
              .summary = "write images as noise, blur or weather leave them (all, standard, extra, or names: fog,snow)",
              .min_arguments = 2, .max_arguments = 2, .output = 2, .output_name = "DIR|FILE.tar|FILE.npy",
              .example = "protea corrupt fog,snow photos -o photos-c --severity 1 3 5" },
    .size = sizeof(corrupt),
    .options = add_options,
    .run = run,
    .free = corrupt_free,
};
