#include "train/metric_log.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct protea_metric_log { FILE *file; };

static double *slot_of(protea_step_out *sum, const char *name)
{
    for (int i = 0; i < sum->n_metrics; i++)
        if (strcmp(sum->metric[i].name, name) == 0)
            return &sum->metric[i].value;
    if (sum->n_metrics == PROTEA_MAX_METRICS)
        return NULL;
    protea_metric *fresh = &sum->metric[sum->n_metrics++];
    *fresh = (protea_metric){ .name = name };
    return &fresh->value;
}

void protea_means_add(protea_means *m, const protea_step_out *step)
{
    m->sum.loss += step->loss;
    for (int i = 0; i < step->n_metrics; i++) {
        double *slot = slot_of(&m->sum, step->metric[i].name);
        if (slot != NULL)
            *slot += step->metric[i].value;
    }
    m->n++;
}

protea_step_out protea_means_get(const protea_means *m)
{
    protea_step_out mean = m->sum;
    mean.loss = m->n > 0 ? m->sum.loss / (double)m->n : (double)NAN;
    for (int i = 0; i < mean.n_metrics; i++)
        mean.metric[i].value /= (double)m->n;
    return mean;
}

/* Length of the part of the file that stays. */
static long find_cut(FILE *file, int64_t after_step, double *seconds)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    long keep = 0;
    while ((len = getline(&line, &capacity, file)) > 0 && line[len - 1] == '\n') {
        json_t *json = json_loadb(line, (size_t)len, 0, NULL);
        const json_t *step = json_object_get(json, "step");
        bool stays = json_is_integer(step) && json_integer_value(step) <= after_step;
        if (stays)
            *seconds = json_number_value(json_object_get(json, "seconds"));
        json_decref(json);
        if (!stays)
            break;
        keep += (long)len;
    }
    free(line);
    return keep;
}

protea_status protea_metric_log_open(protea_metric_log **out, const char *path, int64_t after_step, double *seconds)
{
    protea_metric_log *log;
    *seconds = 0;
    *out = NULL;
    PROTEA_TRY(protea_new(&log, 1, sizeof *log, "metric log"));
    log->file = fopen(path, "a+e");
    if (log->file != NULL)
        rewind(log->file);
    if (log->file == NULL || ftruncate(fileno(log->file), find_cut(log->file, after_step, seconds)) != 0) {
        protea_status status = protea_fail(PROTEA_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
        protea_metric_log_close(log);
        return status;
    }
    *out = log;
    return PROTEA_OK;
}

void protea_metric_log_close(protea_metric_log *log)
{
    if (log == NULL)
        return;
    if (log->file != NULL)
        fclose(log->file);
    protea_free(log);
}

/* JSON knows no NaN or infinity: such a number is left out. */
static void put_number(json_t *json, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(json, key, json_real(value));
}

void protea_metric_log_write(protea_metric_log *log, const protea_metric_line *line)
{
    json_t *json = json_object();
    json_object_set_new(json, "kind", json_string(line->kind));
    json_object_set_new(json, "step", json_integer(line->step));
    json_object_set_new(json, "epoch", json_integer(line->epoch));
    put_number(json, "loss", line->mean.loss);
    put_number(json, "lr", line->lr);
    for (int i = 0; i < line->mean.n_metrics; i++)
        put_number(json, line->mean.metric[i].name, line->mean.metric[i].value);
    put_number(json, "images_per_second", line->images_per_second);
    put_number(json, "wait_share", line->wait_share);
    put_number(json, "seconds", line->seconds);
    if (line->knn_top1 >= 0)
        put_number(json, "knn_top1", line->knn_top1);
    if (line->val_accuracy >= 0)
        put_number(json, "val_accuracy", line->val_accuracy);
    if (line->skipped_updates > 0)
        json_object_set_new(json, "skipped_updates", json_integer(line->skipped_updates));
    if (line->warning != NULL)
        json_object_set_new(json, "warning", json_string(line->warning));
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(8));
    json_decref(json);
    if (text != NULL)
        fprintf(log->file, "%s\n", text);
    fflush(log->file);
    free(text);
}
