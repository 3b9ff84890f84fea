#include "train/metric_log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/json_text.h"

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

/* Whether a line is of a step up to the one given, and what it says. What is no line of metrics does not stay; want of memory
 * must not look like one. */
static protea_status look_at_line(const char *line, size_t len, int64_t after_step, bool *stays, protea_metric_past *past)
{
    json_t *json;
    if (protea_json_parse(&json, line, len, 0, "metrics") == PROTEA_ERR_MEMORY)
        return PROTEA_ERR_MEMORY;
    const json_t *step = json_object_get(json, "step");
    *stays = json_is_integer(step) && json_integer_value(step) <= after_step;
    if (*stays) {
        const char *kind = json_string_value(json_object_get(json, "kind"));
        past->seconds = json_number_value(json_object_get(json, "seconds"));
        past->epoch_without_knn = kind != NULL && strcmp(kind, "epoch") == 0 && json_integer_value(step) == after_step &&
                                  json_object_get(json, "knn_top1") == NULL;
    }
    json_decref(json);
    return PROTEA_OK;
}

/* *keep: length of the part of the file that stays. */
static protea_status find_cut(FILE *file, int64_t after_step, long *keep, protea_metric_past *past)
{
    protea_status status = PROTEA_OK;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len = 0;
    bool stays = true;
    *keep = 0;
    while (status == PROTEA_OK && stays && (len = getline(&line, &capacity, file)) > 0 && line[len - 1] == '\n') {
        status = look_at_line(line, (size_t)len, after_step, &stays, past);
        *keep += stays ? (long)len : 0;
    }
    free(line);
    if (status == PROTEA_OK && len < 0 && !feof(file))
        return protea_fail(protea_errno_status(PROTEA_ERR_IO), "metrics: cannot be read: %s", strerror(errno));
    return status;
}

static protea_status open_and_cut(protea_metric_log *log, const char *path, int64_t after_step, protea_metric_past *past)
{
    long keep;
    log->file = fopen(path, "a+e");
    if (log->file != NULL) {
        rewind(log->file);
        PROTEA_TRY(find_cut(log->file, after_step, &keep, past));
    }
    if (log->file == NULL || ftruncate(fileno(log->file), keep) != 0)
        return protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: cannot be written: %s", path, strerror(errno));
    return PROTEA_OK;
}

protea_status protea_metric_log_open(protea_metric_log **out, const char *path, int64_t after_step, protea_metric_past *past)
{
    protea_metric_log *log;
    *past = (protea_metric_past){ 0 };
    *out = NULL;
    PROTEA_TRY(protea_new(&log, 1, sizeof *log, "metric log"));
    protea_status status = open_and_cut(log, path, after_step, past);
    if (status == PROTEA_OK)
        *out = log;
    else
        protea_metric_log_close(log);
    return status;
}

void protea_metric_log_close(protea_metric_log *log)
{
    if (log == NULL)
        return;
    if (log->file != NULL)
        fclose(log->file);
    protea_free(log);
}

/* JSON knows no NaN or infinity: such a number is left out. 0, or -1 where memory ran out, as for all that follow. */
static int put_number(json_t *json, const char *key, double value)
{
    return isfinite(value) ? json_object_set_new(json, key, json_real(value)) : 0;
}

static int fill(json_t *json, const protea_metric_line *line)
{
    int bad = json_object_set_new(json, "kind", json_string(line->kind));
    bad |= json_object_set_new(json, "step", json_integer(line->step));
    bad |= json_object_set_new(json, "epoch", json_integer(line->epoch));
    bad |= put_number(json, "loss", line->mean.loss);
    bad |= put_number(json, "lr", line->lr);
    for (int i = 0; i < line->mean.n_metrics; i++)
        bad |= put_number(json, line->mean.metric[i].name, line->mean.metric[i].value);
    bad |= put_number(json, "images_per_second", line->images_per_second);
    bad |= put_number(json, "wait_share", line->wait_share);
    bad |= put_number(json, "seconds", line->seconds);
    if (line->knn_top1 >= 0)
        bad |= put_number(json, "knn_top1", line->knn_top1);
    if (line->val_accuracy >= 0)
        bad |= put_number(json, "val_accuracy", line->val_accuracy);
    if (line->skipped_updates > 0)
        bad |= json_object_set_new(json, "skipped_updates", json_integer(line->skipped_updates));
    if (line->warning != NULL)
        bad |= json_object_set_new(json, "warning", json_string(line->warning));
    return bad;
}

void protea_metric_log_write(protea_metric_log *log, const protea_metric_line *line)
{
    json_t *json = json_object();
    bool whole = fill(json, line) == 0;
    char *text;
    protea_json_print(&text, whole ? json : NULL, JSON_COMPACT | JSON_REAL_PRECISION(8), "metrics");
    json_decref(json);
    if (text != NULL)
        fprintf(log->file, "%s\n", text);
    fflush(log->file);
    free(text);
}

/* In one piece over the line's end, so that a kill at any moment leaves the line whole, with it or without. */
void protea_metric_log_add_knn(const char *path, double knn_top1)
{
    char end[48];
    int length = snprintf(end, sizeof end, ",\"knn_top1\":%.8g}\n", knn_top1), fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t written = size > 2 ? pwrite(fd, end, (size_t)length, size - 2) : 0;
    (void)written; /* what a full disk does not take is lost, as a line is */
    close(fd);
}
