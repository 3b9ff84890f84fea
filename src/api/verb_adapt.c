/* adapt: classifiers that adapt to a stream of images without labels. */
#include <stdio.h>
#include <string.h>

#include "api/adapt_plan.h"
#include "api/adapt_result.h"
#include "api/images.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "format/json_text.h"
#include "report/adapt_page.h"
#include "train/rundir.h"
#include "train/skip_list.h"

typedef struct adapt {
    protea_adapt_wish wish;
    protea_images_opts images;
    protea_session_opts session;
    int32_t overwrite;
    /* while it runs */
    protea_session s;
    protea_rundir *dir;
    protea_source *source, *training;
    protea_adapt_plan plan;
    protea_new_file table;       /* predictions.csv */
    protea_watch watch;
} adapt;

static const protea_opt adapt_table[] = {
    { .key = "overwrite", .type = PROTEA_OPT_BOOL, .offset = offsetof(adapt, overwrite), .def = "false",
      .help = "replace what an earlier call left in DIR", .flags = PROTEA_OPT_NOT_SAVED },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    adapt *a = self;
    PROTEA_TRY(protea_adapt_wish_options(&a->wish, kind, options));
    PROTEA_TRY(protea_options_add(options, "directory", adapt_table, a));
    PROTEA_TRY(protea_options_add(options, "images", protea_images_table, &a->images));
    return protea_options_add(options, "machine", protea_session_table, &a->session);
}

/* What can be refused is refused before anything long begins. */
static protea_status prepare(adapt *a, const protea_call *call)
{
    const char *model = call->arguments[0], *data = call->arguments[1];
    PROTEA_TRY(protea_rundir_open(&a->dir, call->output, false, a->overwrite));
    PROTEA_TRY(protea_session_open(&a->s, &a->session, call->hooks));
    PROTEA_TRY(protea_images_open(&a->source, data, &a->images, a->s.cx.seed));
    if (a->wish.source[0])
        PROTEA_TRY(protea_images_open(&a->training, a->wish.source,
                                      &(protea_images_opts){ .no_labels = 1, .exif = a->images.exif }, a->s.cx.seed));
    return protea_adapt_plan_make(&a->plan, &a->s.cx, &a->wish, call->options, model, (int)a->images.image_size, a->source, data);
}

/* ---- the stream */

static protea_status note_answers(void *self, const protea_adapt_answers *answers)
{
    adapt *a = self;
    if (!answers->contender->baseline)
        protea_adapt_write_rows(a->table.stream, &a->plan.run, answers);
    return PROTEA_OK;
}

static protea_status note_progress(void *self, int64_t images)
{
    return protea_watch_features(&((adapt *)self)->watch, images);
}

static protea_status show_training(adapt *a)
{
    int64_t n = a->training != NULL ? protea_source_count(a->training) : 0;
    return protea_adapt_show_source(&a->s.cx, &a->plan.run, a->training, n < a->wish.source_size ? n : a->wish.source_size);
}

static protea_status stream(adapt *a, const protea_call *call)
{
    a->plan.run.answered = note_answers;
    a->plan.run.progress = note_progress;
    a->plan.run.self = a;
    PROTEA_TRY(show_training(a));
    protea_watch_start(&a->watch, call->hooks, "adapt", a->source);
    a->watch.total = a->plan.stream.n;
    protea_adapt_write_header(a->table.stream);
    PROTEA_TRY(protea_adapt_stream(&a->s.cx, &a->plan.run));
    return protea_images_check(&a->s.cx, a->source, call->arguments[1]);
}

static protea_status write_predictions(adapt *a, const protea_call *call)
{
    char path[PROTEA_PATH_MAX];
    PROTEA_TRY(protea_rundir_file(a->dir, path, PROTEA_RUN_PREDICTIONS));
    PROTEA_TRY(protea_new_file_open(&a->table, path));
    PROTEA_TRY(stream(a, call));
    return protea_new_file_commit(&a->table);
}

/* ---- what it leaves */

static protea_status write_stats(const adapt *a, const protea_call *call)
{
    char path[PROTEA_PATH_MAX];
    json_t *stats = json_copy(call->result);
    protea_adapt_details(stats, &a->plan.run);
    char *text;
    protea_status status = protea_json_print(&text, protea_result_is_whole() ? stats : NULL,
                                             JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12), PROTEA_RUN_STATS);
    if (status == PROTEA_OK)
        status = protea_rundir_file(a->dir, path, PROTEA_RUN_STATS);
    if (status == PROTEA_OK)
        status = protea_file_write(path, text, strlen(text));
    free(text);
    json_decref(stats);
    return status;
}

/* The adapted model, where one algorithm was asked for: as it was at the end of the stream. */
static protea_status write_model(const adapt *a)
{
    char path[PROTEA_PATH_MAX];
    const protea_contender *asked = a->plan.asked;
    if (asked == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_rundir_file(a->dir, path, PROTEA_RUN_MODEL));
    return protea_model_save(&asked->lane.model, path);
}

static protea_status write_report(const adapt *a, const protea_call *call)
{
    char path[PROTEA_PATH_MAX], kind[32];
    snprintf(kind, sizeof kind, "adapt %s", call->kind);
    PROTEA_TRY(protea_rundir_file(a->dir, path, PROTEA_RUN_REPORT));
    const protea_adapt_page page = { .run = &a->plan.run, .name = protea_rundir_path(a->dir), .kind = kind,
                                     .model = call->arguments[0], .data = call->arguments[1], .stream = a->plan.stream_name,
                                     .severity = a->plan.run.n_corruptions > 0 ? (int)a->wish.severity : 0 };
    return protea_adapt_page_write(path, &page);
}

static void put_totals(const adapt *a, const protea_call *call, double seconds)
{
    json_object_set_new(call->result, "skipped", json_integer(protea_source_skipped(a->source, NULL)));
    json_object_set_new(call->result, "memory_bytes", json_integer((json_int_t)protea_peak_memory()));
    protea_put_text(call->result, "dir", call->output);
    json_object_set_new(call->result, "seconds", json_real(seconds));
}

static protea_status run(void *self, const protea_call *call)
{
    adapt *a = self;
    double started = protea_seconds();
    PROTEA_TRY(prepare(a, call));
    PROTEA_TRY(write_predictions(a, call));
    PROTEA_TRY(protea_adapt_result(call->result, &a->plan.run, a->plan.stream_name));
    PROTEA_TRY(write_model(a));
    PROTEA_TRY(protea_rundir_write_config(a->dir, call->options));
    PROTEA_TRY(protea_skip_list_write(a->dir, a->source));
    PROTEA_TRY(write_report(a, call));
    put_totals(a, call, protea_seconds() - started);
    PROTEA_TRY(write_stats(a, call));
    protea_rundir_keep(a->dir);
    return protea_adapt_log_table(&a->s.cx, &a->plan.run);
}

static void adapt_free(void *self)
{
    adapt *a = self;
    protea_new_file_abort(&a->table);
    protea_adapt_plan_release(&a->plan);
    protea_adapt_wish_release(&a->wish);
    protea_source_close(a->source);
    protea_source_close(a->training);
    protea_session_close(&a->s);
    protea_rundir_close(a->dir);
}

const protea_verb protea_verb_adapt = {
    .info = { .name = "adapt", .arguments = "MODEL DATA", .summary = "adapt a classifier to a stream of images without labels",
              .kinds = protea_adapt_kinds, .kinds_title = "ALGORITHM", .kind_summary = protea_adapt_kind_summary,
              .min_arguments = 2, .max_arguments = 2, .output = 2, .output_name = "DIR",
              .example = "protea adapt tsd runs/classes new-photos -o adapted" },
    .size = sizeof(adapt),
    .options = add_options,
    .run = run,
    .free = adapt_free,
};
