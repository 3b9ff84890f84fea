/* report.html: one page about a run that needs nothing but itself: no network, no script. */
#ifndef PROTEA_REPORT_REPORT_H
#define PROTEA_REPORT_REPORT_H

#include "eval/model.h"

typedef struct protea_report_args {
    const char *run_dir;       /* its config.yaml, metrics.jsonl and skipped.tsv are read; report.html is written there */
    const protea_model *model; /* for the sheets of nearest neighbours, with source; NULL: those of the report that is */
    protea_source *source;     /* there already are kept */
} protea_report_args;

/* Errors: PROTEA_ERR_INPUT (no run there), PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_report_run(protea_ctx *cx, const protea_report_args *args);

#endif
