/* protea doctor RUN: is this run healthy, and if not, what to try. */
#include "api/verb.h"
#include "eval/cluster_file.h"
#include "report/doctor.h"

typedef struct doctor {
    protea_session_opts session;
    /* while it runs */
    protea_session s;
    protea_run_record record;
} doctor;

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    doctor *d = self;
    (void)kind;
    return protea_options_add(options, "Machine", protea_session_table, &d->session);
}

static protea_status tell(const doctor *d, const protea_findings *f, json_t *result)
{
    json_t *list = json_array();
    for (int i = 0; i < f->n; i++) {
        const protea_finding *one = &f->item[i];
        json_t *finding = json_object();
        protea_put_text(finding, "what", one->what);
        protea_put_text(finding, "why", one->why);
        protea_put_text(finding, "try", one->remedy);
        json_array_append_new(list, finding);
        protea_log(&d->s.cx, PROTEA_LOG_INFO, "%s. %s. Try: %s.", one->what, one->why, one->remedy);
    }
    if (f->n == 0)
        protea_log(&d->s.cx, PROTEA_LOG_INFO, "nothing is wrong with this run that its log would show");
    json_object_set_new(result, "findings", list);
    return PROTEA_OK;
}

static protea_status run(void *self, const protea_call *call)
{
    doctor *d = self;
    protea_findings findings;
    protea_hooks quiet = *call->hooks; /* the machine does not matter here */
    int64_t doubles, k;
    quiet.log = NULL;
    PROTEA_TRY(protea_run_record_read(&d->record, call->arguments[0]));
    PROTEA_TRY(protea_run_record_of_train(&d->record, call->arguments[0]));
    PROTEA_TRY(protea_session_open(&d->s, &d->session, &quiet));
    PROTEA_TRY(protea_model_doubles(&d->s.cx, &doubles, &k, call->arguments[0]));
    d->s.cx.log = call->hooks->log;
    protea_doctor_examine(&findings, &d->record, doubles, k);
    return tell(d, &findings, call->result);
}

static void doctor_free(void *self)
{
    doctor *d = self;
    protea_run_record_release(&d->record);
    protea_session_close(&d->s);
}

const protea_verb protea_verb_doctor = {
    .info = { .name = "doctor", .arguments = "RUN", .summary = "is this run healthy, and if not, what to try",
              .min_arguments = 1, .max_arguments = 1, .output = 0, .example = "protea doctor runs/photos" },
    .size = sizeof(doctor),
    .options = add_options,
    .run = run,
    .free = doctor_free,
};
