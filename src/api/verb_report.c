/* protea report RUN|DIR [DATA]: writes report.html again, of a run or of clusters. */
#include "api/cluster_again.h"
#include "api/images.h"
#include "base/file.h"
#include "report/report.h"
#include "train/rundir.h"

typedef struct report {
    protea_session_opts session;
    protea_images_opts images;
    /* while it runs */
    protea_session s;
    protea_model model;
    protea_source *source;
    protea_past_call past; /* the run's; its first argument is what it was trained on */
} report;

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    report *r = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &r->images));
    return protea_options_add(options, "Machine", protea_session_table, &r->session);
}

/* Data given must be there; data of long ago may be gone, and the page keeps the sheets it has. */
static protea_status open_data(report *r, const protea_call *call)
{
    r->images.several = PROTEA_SEVERAL_UNLABEL;
    if (call->n_arguments > 1)
        return protea_images_open(&r->source, call->arguments[1], &r->images, r->s.cx.seed);
    const char *data = r->past.argument[0];
    protea_status status = data != NULL ? protea_images_open(&r->source, data, &r->images, r->s.cx.seed) : PROTEA_OK;
    if (status == PROTEA_ERR_MEMORY)
        return status;
    if (status != PROTEA_OK)
        protea_log(&r->s.cx, PROTEA_LOG_WARN, "%s; the sheets of neighbours stay as they are (name the data after the run)",
                   protea_last_error());
    return PROTEA_OK;
}

static protea_status write_again(report *r, const protea_call *call)
{
    PROTEA_TRY(protea_session_open(&r->s, &r->session, call->hooks));
    PROTEA_TRY(open_data(r, call));
    if (r->source != NULL)
        PROTEA_TRY(protea_model_open(&r->s.cx, &r->model, call->arguments[0], (int)r->images.image_size));
    const protea_report_args args = { .run_dir = call->arguments[0], .model = r->source ? &r->model : NULL, .source = r->source };
    return protea_report_run(&r->s.cx, &args);
}

static protea_status run(void *self, const protea_call *call)
{
    report *r = self;
    char *path;
    PROTEA_TRY(protea_past_call_read(&r->past, call->arguments[0]));
    if (r->past.of_cluster && call->n_arguments > 1)
        return protea_fail(PROTEA_ERR_USAGE, "%s: clusters are of the images that their record names; found %s beside",
                           call->arguments[0], call->arguments[1]);
    PROTEA_TRY(r->past.of_cluster ? protea_cluster_again(&r->past, call->arguments[0], call->hooks) : write_again(r, call));
    PROTEA_TRY(protea_path_join(&path, call->arguments[0], PROTEA_RUN_REPORT));
    protea_put_text(call->result, "file", path);
    protea_free(path);
    return PROTEA_OK;
}

static void report_free(void *self)
{
    report *r = self;
    protea_past_call_release(&r->past);
    protea_source_close(r->source);
    protea_model_close(&r->model);
    protea_session_close(&r->s);
}

const protea_verb protea_verb_report = {
    .info = { .name = "report", .arguments = "RUN|DIR [DATA]", .summary = "write report.html again, of a run or of clusters",
              .min_arguments = 1, .max_arguments = 2, .output = 0, .example = "protea report runs/photos" },
    .size = sizeof(report),
    .options = add_options,
    .run = run,
    .free = report_free,
};
