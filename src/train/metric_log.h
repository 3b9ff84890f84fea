/* metrics.jsonl: one JSON object a line, per log interval and per epoch. And the running means that fill it. */
#ifndef PROTEA_TRAIN_METRIC_LOG_H
#define PROTEA_TRAIN_METRIC_LOG_H

#include "method/method.h"

/* Means of the losses and metrics of some steps; begins as zeros. */
typedef struct protea_means {
    protea_step_out sum;
    int64_t n;
} protea_means;
/* Metrics are matched by name; more than PROTEA_MAX_METRICS names are dropped. */
void protea_means_add(protea_means *m, const protea_step_out *step);
/* NaN where nothing was added. */
protea_step_out protea_means_get(const protea_means *m);

typedef struct protea_metric_line {
    const char *kind;        /* "step", "epoch" */
    int64_t step, epoch;     /* steps done in the run; the epoch of the last of them, from 1 */
    protea_step_out mean;    /* of the interval */
    double lr;
    double images_per_second, wait_share; /* share of the time spent waiting for data, 0..1 */
    double seconds;          /* of training, over all parts of a resumed run */
    double knn_top1;         /* negative: not measured */
    double val_accuracy;     /* of the images held out; negative: not measured */
    int64_t skipped_updates; /* non-finite steps so far */
    const char *warning;     /* or NULL */
} protea_metric_line;

/* What the last line says. */
typedef struct protea_metric_past {
    double seconds;
    bool epoch_without_knn;  /* it is of an epoch that ends at this step, and has no kNN */
} protea_metric_past;

typedef struct protea_metric_log protea_metric_log;
/* Appends to path, after cutting everything from the first line that is torn or lies past after_step.
 * *past: of the lines that stay. Errors: PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_metric_log_open(protea_metric_log **out, const char *path, int64_t after_step, protea_metric_past *past);
/* A full disk never stops training: a line that cannot be written is lost. */
void protea_metric_log_write(protea_metric_log *log, const protea_metric_line *line);
/* Adds what was measured late to the last line, which is an epoch's. */
void protea_metric_log_add_knn(const char *path, double knn_top1);
void protea_metric_log_close(protea_metric_log *log); /* accepts NULL */

#endif
