#include "train/run_log.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"

static const double report_interval = 0.2, line_interval = 15; /* seconds between progress reports, and between log lines */

protea_status protea_run_log_open(protea_run_log *l, const protea_train_state *s, double started)
{
    char path[PROTEA_PATH_MAX];
    *l = (protea_run_log){ .s = s, .started = started, .first_step = s->now.step, .val_accuracy = -1 };
    PROTEA_TRY(protea_rundir_file(s->t->run, path, PROTEA_RUN_METRICS));
    return protea_metric_log_open(&l->metrics, path, s->now.step, &l->past);
}

void protea_run_log_close(protea_run_log *l)
{
    protea_metric_log_close(l->metrics);
}

double protea_run_log_seconds(const protea_run_log *l)
{
    return l->past.seconds + protea_seconds() - l->started;
}

static void add_to_span(protea_span *span, const protea_step_out *out, double seconds, double waiting)
{
    span->steps++;
    span->seconds += seconds;
    span->waiting += waiting;
    if (isfinite(out->loss))
        protea_means_add(&span->means, out);
}

static int64_t images_of(const protea_run_log *l, int64_t steps)
{
    return steps * l->s->now.batch_size;
}

double protea_run_log_images_per_second(const protea_run_log *l)
{
    return l->call_seconds > 0 ? (double)images_of(l, l->s->now.step - l->first_step) / l->call_seconds : 0;
}

/* Of the step just done, from 1. */
static int64_t epoch_of(const protea_train_state *s)
{
    return (s->now.step - 1) / s->now.steps_per_epoch + 1;
}

/* ---- metrics and lines */

static protea_metric_line make_line(const protea_run_log *l, const protea_health *health, const char *kind,
                                    const protea_span *span)
{
    const protea_train_state *s = l->s;
    return (protea_metric_line){
        .kind = kind,
        .step = s->now.step,
        .epoch = epoch_of(s),
        .mean = protea_means_get(&span->means),
        .lr = protea_schedule_lr(&s->schedule, s->now.step - 1),
        .images_per_second = (double)images_of(l, span->steps) / span->seconds,
        .wait_share = span->waiting / span->seconds,
        .seconds = protea_run_log_seconds(l),
        .knn_top1 = -1,
        .val_accuracy = -1,
        .skipped_updates = health->bad_total,
    };
}

/* What the method says of its state beside the loss: codes, prototypes, embeddings. */
static void log_health(const protea_run_log *l, const protea_step_out *mean)
{
    char text[512] = "";
    size_t used = 0;
    for (int i = 0; i < mean->n_metrics && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %.3g", i > 0 ? "  " : "", mean->metric[i].name,
                                 mean->metric[i].value);
    if (used > 0)
        protea_log(l->s->t->cx, PROTEA_LOG_INFO, "health: %s", text);
}

static void log_line(protea_run_log *l, const protea_metric_line *line)
{
    const protea_train_state *s = l->s;
    char knn[32] = "", val[32] = "";
    if (line->knn_top1 >= 0)
        snprintf(knn, sizeof knn, "  kNN top1 %.4f", line->knn_top1);
    if (line->val_accuracy >= 0)
        snprintf(val, sizeof val, "  val accuracy %.4f", line->val_accuracy);
    protea_log(s->t->cx, PROTEA_LOG_INFO, "epoch %lld/%lld  step %lld/%lld  loss %.4f  lr %.4g  %.0f images/s%s%s",
               (long long)line->epoch, (long long)s->now.n_epochs, (long long)line->step, (long long)s->total_steps,
               line->mean.loss, line->lr, line->images_per_second, knn, val);
    log_health(l, &line->mean);
    l->logged = protea_seconds();
}

static void end_interval(protea_run_log *l, protea_health *health)
{
    protea_metric_line line = make_line(l, health, "step", &l->interval);
    line.warning = protea_health_interval(health, &line.mean, line.step - l->interval.steps);
    if (line.warning != NULL)
        protea_log(l->s->t->cx, PROTEA_LOG_WARN, "step %lld: %s", (long long)line.step, line.warning);
    protea_metric_log_write(l->metrics, &line);
    if (protea_seconds() - l->logged >= line_interval)
        log_line(l, &line);
    l->interval = (protea_span){ 0 };
}

/* ---- progress */

static void report_progress(protea_run_log *l, double loss)
{
    const protea_train_state *s = l->s;
    const protea_hooks *hooks = s->t->hooks;
    double now = protea_seconds();
    int64_t done = s->now.step - l->first_step, in_epoch = (s->now.step - 1) % s->now.steps_per_epoch + 1;
    if (hooks->progress == NULL || now - l->reported < report_interval)
        return;
    char stage[64], note[96], val[24] = "";
    snprintf(stage, sizeof stage, "epoch %lld/%lld", (long long)epoch_of(s), (long long)s->now.n_epochs);
    if (l->val_accuracy >= 0)
        snprintf(val, sizeof val, " val %.3f", l->val_accuracy);
    snprintf(note, sizeof note, "loss %.3f lr %.3g%s", loss, protea_schedule_lr(&s->schedule, s->now.step - 1), val);
    protea_report report = { .stage = stage, .done = (double)images_of(l, in_epoch),
                             .total = (double)images_of(l, s->now.steps_per_epoch), .unit = "images",
                             .rate = protea_run_log_images_per_second(l),
                             .seconds_left = (double)(s->total_steps - s->now.step) * l->call_seconds / (double)done,
                             .note = note };
    hooks->progress(hooks->cookie, &report);
    l->reported = now;
}

/* ---- what happens */

void protea_run_log_epoch_begins(protea_run_log *l)
{
    l->epoch = (protea_span){ 0 };
}

void protea_run_log_step(protea_run_log *l, protea_health *health, const protea_step_out *out, double seconds, double waiting)
{
    add_to_span(&l->interval, out, seconds, waiting);
    add_to_span(&l->epoch, out, seconds, waiting);
    l->call_seconds += seconds;
    report_progress(l, out->loss);
    if (l->s->now.step % l->s->t->opts->log_freq == 0)
        end_interval(l, health);
}

void protea_run_log_epoch_ends(protea_run_log *l, protea_health *health, double knn_top1, double val_accuracy)
{
    protea_metric_line line = make_line(l, health, "epoch", &l->epoch);
    line.knn_top1 = knn_top1;
    line.val_accuracy = val_accuracy;
    if (val_accuracy >= 0)
        l->val_accuracy = val_accuracy;
    protea_metric_log_write(l->metrics, &line);
    log_line(l, &line);
    if (l->s->now.step >= l->s->total_steps && l->interval.steps > 0)
        end_interval(l, health);
}

void protea_run_log_late_knn(const protea_run_log *l, double knn_top1)
{
    char path[PROTEA_PATH_MAX];
    if (protea_rundir_file(l->s->t->run, path, PROTEA_RUN_METRICS) == PROTEA_OK)
        protea_metric_log_add_knn(path, knn_top1);
    protea_log(l->s->t->cx, PROTEA_LOG_INFO, "epoch %lld/%lld  kNN top1 %.4f", (long long)epoch_of(l->s),
               (long long)l->s->now.n_epochs, knn_top1);
}
