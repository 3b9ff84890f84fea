/* What a run tells while it trains: progress to the caller, lines of the log, metrics.jsonl. */
#ifndef PROTEA_TRAIN_RUN_LOG_H
#define PROTEA_TRAIN_RUN_LOG_H

#include "train/health.h"
#include "train/metric_log.h"
#include "train/train_state.h"

/* Some steps: their means, and where their time went, in seconds. */
typedef struct protea_span {
    protea_means means;              /* of the good ones */
    int64_t steps;
    double seconds, waiting;         /* waiting: for data, part of seconds */
} protea_span;

typedef struct protea_run_log {
    const protea_train_state *s;     /* borrowed */
    protea_metric_log *metrics;      /* owned */
    protea_span interval, epoch;
    double call_seconds;             /* of this call's steps */
    double started;                  /* clock when this call began */
    protea_metric_past past;         /* of the calls before it */
    double reported, logged;         /* clock of the last report and line */
    int64_t first_step;              /* of this call */
    double val_accuracy;             /* as measured last; negative: not yet */
} protea_run_log;

/* Starts at s's position: metrics.jsonl is cut there. started: protea_seconds() when the call began. Close in any case.
 * Errors: PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_run_log_open(protea_run_log *l, const protea_train_state *s, double started);
void protea_run_log_close(protea_run_log *l);

/* Of the run, all its calls together. */
double protea_run_log_seconds(const protea_run_log *l);
/* Of this call's steps; 0 before the first. */
double protea_run_log_images_per_second(const protea_run_log *l);

void protea_run_log_epoch_begins(protea_run_log *l);
/* A step is done, in `seconds` of which `waiting` went by for data. At the end of an interval its means go to health. */
void protea_run_log_step(protea_run_log *l, protea_health *health, const protea_step_out *out, double seconds, double waiting);
/* knn_top1, val_accuracy < 0: not measured. */
void protea_run_log_epoch_ends(protea_run_log *l, protea_health *health, double knn_top1, double val_accuracy);
/* Of the epoch that a call before this one ended without (l->past): goes into that epoch's line. */
void protea_run_log_late_knn(const protea_run_log *l, double knn_top1);

#endif
