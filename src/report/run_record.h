/* What a run left on disk, read back for its report: settings, curves, skipped images. */
#ifndef PROTEA_REPORT_RUN_RECORD_H
#define PROTEA_REPORT_RUN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A line `key: value  # help` of config.yaml. */
typedef struct protea_setting { char *key, *value, *help; } protea_setting;

/* One kind of number over the run: (epoch, value) wherever a line of metrics.jsonl has it. */
typedef struct protea_curve {
    char *name;         /* "loss", "knn_top1", "embedding_std" */
    double *x, *y;      /* (n): epochs with fractions, or steps where no epoch has ended yet */
    int64_t n, capacity;
    bool by_epoch;      /* from the lines that end an epoch, not from those in between */
} protea_curve;

typedef struct protea_run_record {
    protea_setting *setting;
    int n_settings;
    protea_curve *curve;
    int n_curves;
    int64_t steps;
    double epochs, seconds;
    bool in_epochs;     /* what the curves' x counts */
    char *warning;      /* the last of the run, or NULL */
    char **skipped;     /* (2 * n_skipped): path, reason */
    int64_t n_skipped;
} protea_run_record;

/* Reads RUN/config.yaml, metrics.jsonl and skipped.tsv; the last two may be missing, and lines that cannot be read (cut
 * off by a full disk) are passed over. Release in any case. Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_run_record_read(protea_run_record *record, const char *run_dir);
void protea_run_record_release(protea_run_record *record);

/* Refuses what another verb left: it has a config.yaml too, and a report of its own. Errors: PROTEA_ERR_INPUT. */
protea_status protea_run_record_of_train(const protea_run_record *record, const char *run_dir);

/* NULL when there is none. */
const protea_curve *protea_run_curve(const protea_run_record *record, const char *name);
/* "" when there is none. Strings without their quotes, lists without brackets. */
const char *protea_run_setting(const protea_run_record *record, const char *key);

#endif
