/* The loop: batches in, checkpoints and metrics out. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "comm/comm.h"
#include "train/metric_log.h"
#include "train/record.h"
#include "train/skip_list.h"
#include "train/time_limit.h"
#include "train/train_step.h"

static const double report_interval = 0.2, line_interval = 15; /* seconds between progress reports, and between log lines */

/* Where the time of some steps went, in seconds. */
typedef struct step_clock {
    double all, waiting; /* waiting: for data, part of all */
} step_clock;

typedef struct loop {
    const protea_trainer *t;
    protea_train_state state;
    protea_health health;
    protea_metric_log *log;
    protea_means interval, epoch;
    double started, before;        /* clock when this call began; seconds of the run before it */
    double first_began;            /* clock when its first step began */
    step_clock call_clock, interval_clock, epoch_clock;
    double reported, logged;       /* clock */
    int64_t first_step;            /* of this call */
    int64_t saved_step;            /* of the newest checkpoint; -1: none of this state */
    double knn_top1;
} loop;

static int64_t images_of(const loop *l, int64_t steps)
{
    return steps * l->state.now.batch_size;
}

static double run_seconds(const loop *l)
{
    return l->before + protea_seconds() - l->started;
}

/* ---- telling */

static protea_metric_line make_line(const loop *l, const char *kind, const protea_means *means, const step_clock *clock)
{
    const protea_train_state *s = &l->state;
    return (protea_metric_line){
        .kind = kind,
        .step = s->now.step,
        .epoch = (s->now.step - 1) / s->now.steps_per_epoch + 1,
        .mean = protea_means_get(means),
        .lr = protea_schedule_lr(&s->schedule, s->now.step - 1),
        .images_per_second = (double)images_of(l, means->n) / clock->all,
        .wait_share = clock->waiting / clock->all,
        .seconds = run_seconds(l),
        .knn_top1 = -1,
        .skipped_updates = l->health.bad_total,
    };
}

static void log_line(loop *l, const protea_metric_line *line)
{
    char knn[32] = "";
    if (line->knn_top1 >= 0)
        snprintf(knn, sizeof knn, "  kNN top1 %.4f", line->knn_top1);
    protea_log(l->t->cx, PROTEA_LOG_INFO, "epoch %lld/%lld  step %lld/%lld  loss %.4f  lr %.4g  %.0f images/s%s",
               (long long)line->epoch, (long long)l->state.now.n_epochs, (long long)line->step, (long long)l->state.total_steps,
               line->mean.loss, line->lr, line->images_per_second, knn);
    l->logged = protea_seconds();
}

static void report_progress(loop *l, double loss)
{
    const protea_train_state *s = &l->state;
    const protea_hooks *hooks = l->t->hooks;
    double now = protea_seconds();
    int64_t done = s->now.step - l->first_step, in_epoch = (s->now.step - 1) % s->now.steps_per_epoch + 1;
    if (hooks->progress == NULL || now - l->reported < report_interval)
        return;
    char stage[64], note[64];
    snprintf(stage, sizeof stage, "epoch %lld/%lld", (long long)((s->now.step - 1) / s->now.steps_per_epoch + 1),
             (long long)s->now.n_epochs);
    snprintf(note, sizeof note, "loss %.3f lr %.3g", loss, protea_schedule_lr(&s->schedule, s->now.step - 1));
    protea_report report = { .stage = stage, .done = (double)images_of(l, in_epoch),
                             .total = (double)images_of(l, s->now.steps_per_epoch), .unit = "images",
                             .rate = (double)images_of(l, done) / l->call_clock.all,
                             .seconds_left = (double)(s->total_steps - s->now.step) * l->call_clock.all / (double)done,
                             .note = note };
    hooks->progress(hooks->cookie, &report);
    l->reported = now;
}

static void end_interval(loop *l)
{
    int64_t first = l->state.now.step - l->interval.n;
    protea_metric_line line = make_line(l, "step", &l->interval, &l->interval_clock);
    line.warning = protea_health_interval(&l->health, &line.mean, first);
    if (line.warning != NULL)
        protea_log(l->t->cx, PROTEA_LOG_WARN, "step %lld: %s", (long long)line.step, line.warning);
    protea_metric_log_write(l->log, &line);
    if (protea_seconds() - l->logged >= line_interval)
        log_line(l, &line);
    protea_means_reset(&l->interval);
    l->interval_clock = (step_clock){ 0 };
}

/* ---- stopping and saving */

static protea_status asked_to_stop(const loop *l, bool *stop)
{
    protea_comm *comm = l->t->cx->comm;
    double flag = l->t->hooks->stop != NULL && *l->t->hooks->stop != 0;
    if (comm->size > 1)
        PROTEA_TRY(comm->max_f64(comm, &flag, 1)); /* all ranks stop at the same step */
    *stop = flag != 0;
    return PROTEA_OK;
}

static protea_status save(loop *l)
{
    if (l->saved_step == l->state.now.step)
        return PROTEA_OK;
    PROTEA_TRY(protea_skip_list_write(l->t->run, l->t->source));
    PROTEA_TRY(protea_record_save(&l->state));
    l->saved_step = l->state.now.step;
    return PROTEA_OK;
}

static protea_status measure_knn(loop *l)
{
    const protea_train_hooks *hooks = l->t->train_hooks;
    int64_t epoch = l->state.now.epoch, freq = l->t->opts->knn_freq;
    bool last = l->state.now.step >= l->state.total_steps;
    if (hooks == NULL || hooks->knn == NULL || !(last || (freq > 0 && epoch % freq == 0)))
        return PROTEA_OK;
    return hooks->knn(hooks->self, l->t->cx, l->state.backbone, &l->knn_top1);
}

/* ---- epochs */

static protea_status begin_epoch(loop *l)
{
    protea_train_state *s = &l->state;
    int64_t first = s->now.step % s->now.steps_per_epoch;
    protea_means_reset(&l->epoch);
    l->epoch_clock = (step_clock){ 0 };
    /* Once an epoch: what it changes is saved with the method, so an epoch that goes on does not begin again. */
    if (first == 0 && s->t->ops->epoch_begin != NULL) {
        PROTEA_TRY(protea_loader_start(s->loader, s->now.epoch, 0));
        PROTEA_TRY(s->t->ops->epoch_begin(s->t->cx, s->method, &s->now));
    }
    return protea_loader_start(s->loader, s->now.epoch, first);
}

static void add_clock(step_clock *sum, const step_clock *more)
{
    sum->all += more->all;
    sum->waiting += more->waiting;
}

static protea_status next_step(loop *l)
{
    protea_train_state *s = &l->state;
    double began = protea_seconds();
    const protea_batch *batch;
    protea_step_out out;
    PROTEA_TRY(protea_loader_next(s->loader, &batch));
    if (batch == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "the loader ended an epoch at step %lld", (long long)s->now.step);
    PROTEA_TRY(protea_train_step(s, batch, &l->health, &out));
    step_clock spent = { protea_seconds() - began, protea_loader_waited(s->loader) };
    add_clock(&l->call_clock, &spent);
    add_clock(&l->interval_clock, &spent);
    add_clock(&l->epoch_clock, &spent);
    if (isfinite(out.loss)) {
        protea_means_add(&l->interval, &out);
        protea_means_add(&l->epoch, &out);
    }
    protea_time_limit_follow(s, s->now.step - l->first_step, protea_seconds() - l->first_began, run_seconds(l));
    report_progress(l, out.loss);
    if (s->now.step % l->t->opts->log_freq == 0)
        end_interval(l);
    return PROTEA_OK;
}

/* The line is written before the checkpoint, so that a run killed between the two measures the epoch again. Who is asked to
 * stop measures nothing more. */
static protea_status end_epoch(loop *l, bool stop)
{
    const protea_train_state *s = &l->state;
    bool last = s->now.step >= s->total_steps;
    l->knn_top1 = -1;
    if (last || !stop)
        PROTEA_TRY(measure_knn(l));
    protea_metric_line line = make_line(l, "epoch", &l->epoch, &l->epoch_clock);
    line.knn_top1 = l->knn_top1;
    protea_metric_log_write(l->log, &line);
    log_line(l, &line);
    if (last && l->interval.n > 0)
        end_interval(l);
    /* In a row of bad steps the good checkpoint is left to stand: a resume should not go on from the middle of it. */
    bool due = s->now.epoch % l->t->opts->checkpoint_freq == 0 && l->health.bad_in_a_row == 0;
    return last || due ? save(l) : PROTEA_OK;
}

static protea_status run_epoch(loop *l, bool *stop)
{
    protea_train_state *s = &l->state;
    PROTEA_TRY(begin_epoch(l));
    do {
        PROTEA_TRY(next_step(l));
        PROTEA_TRY(asked_to_stop(l, stop));
    } while (s->now.step < s->total_steps && s->now.step % s->now.steps_per_epoch != 0 && !*stop);
    bool ended = s->now.step >= s->total_steps || s->now.step % s->now.steps_per_epoch == 0;
    return ended ? end_epoch(l, *stop) : PROTEA_OK;
}

static protea_status run_epochs(loop *l)
{
    bool stop;
    if (l->state.now.step >= l->state.total_steps) /* nothing to train: an initialised network, or a run that had ended */
        PROTEA_TRY(measure_knn(l));
    PROTEA_TRY(asked_to_stop(l, &stop));
    l->first_began = protea_seconds();
    while (l->state.now.step < l->state.total_steps && !stop)
        PROTEA_TRY(run_epoch(l, &stop));
    PROTEA_TRY(save(l));
    if (l->state.now.step < l->state.total_steps)
        return protea_fail(PROTEA_STOPPED, "stopped at step %lld of %lld; the state is saved, and the same command with --resume "
                           "goes on", (long long)l->state.now.step, (long long)l->state.total_steps);
    return protea_health_verdict(&l->health, l->state.now.step);
}

/* ---- beginning and end */

static protea_status restore(loop *l, const protea_st_file *file)
{
    int64_t step;
    PROTEA_TRY(protea_checkpoint_number(file, "protea.step", &step));
    if (step > l->state.total_steps)
        return protea_fail(PROTEA_ERR_USAGE, "--epochs %lld: the run has come to step %lld already, %lld wanted at most",
                           (long long)l->t->opts->epochs, (long long)step, (long long)l->state.total_steps);
    PROTEA_TRY(protea_checkpoint_restore(file, protea_train_state_visit_saved, &l->state));
    PROTEA_TRY(protea_skip_list_read(l->t->run, l->t->source));
    protea_train_state_move(&l->state, step);
    protea_log(l->t->cx, PROTEA_LOG_INFO, "going on at step %lld of %lld", (long long)step, (long long)l->state.total_steps);
    return PROTEA_OK;
}

/* Opens the state, from the checkpoint if there is one, and all that the loop writes to. */
static protea_status begin(loop *l, const protea_st_file *file)
{
    char path[PROTEA_PATH_MAX];
    int64_t steps;
    if (file != NULL)
        PROTEA_TRY(protea_record_check(l->t, file));
    PROTEA_TRY(protea_record_total(l->t, file, &steps));
    if (file == NULL && l->t->opts->max_minutes > 0 && l->t->opts->epochs > 0)
        PROTEA_TRY(protea_time_limit_measure(l->t, l->started, &steps));
    PROTEA_TRY(protea_train_state_open(&l->state, l->t, steps));
    l->health = protea_health_start(l->t->ops, l->state.method);
    if (file != NULL)
        PROTEA_TRY(restore(l, file));
    if (l->t->opts->epochs > 0)
        PROTEA_TRY(protea_train_state_plan(&l->state));
    PROTEA_TRY(protea_record_room(&l->state));
    l->first_step = l->state.now.step;
    protea_rundir_keep(l->t->run);
    PROTEA_TRY(protea_record_config(l->t));
    PROTEA_TRY(protea_rundir_file(l->t->run, path, PROTEA_RUN_METRICS));
    return protea_metric_log_open(&l->log, path, l->state.now.step, &l->before);
}

static protea_status open_and_begin(loop *l)
{
    protea_st_file *file = NULL;
    if (l->t->opts->resume)
        PROTEA_TRY(protea_checkpoint_open(l->t->cx, &file, protea_rundir_path(l->t->run)));
    protea_status status = begin(l, file);
    protea_st_close(file);
    return status;
}

static void fill_result(const loop *l, protea_train_result *r)
{
    const protea_train_state *s = &l->state;
    int64_t steps = s->now.step - l->first_step;
    *r = (protea_train_result){
        .epochs = s->now.epoch,
        .steps = s->now.step,
        .images = images_of(l, s->now.step),
        .loss = l->epoch.n > 0 ? protea_means_get(&l->epoch).loss : (double)NAN,
        .seconds = run_seconds(l),
        .images_per_second = l->call_clock.all > 0 ? (double)images_of(l, steps) / l->call_clock.all : 0,
        .knn_top1 = l->knn_top1,
        .stopped = s->now.step < s->total_steps,
    };
}

/* The list of images that could not be used, also of a run that failed because there were too many. */
static protea_status list_skipped(const protea_trainer *t, protea_status status)
{
    int64_t n = protea_source_skipped(t->source, NULL);
    if (n > 0)
        protea_log(t->cx, PROTEA_LOG_WARN, "%lld of %lld images could not be used: see %s/%s", (long long)n,
                   (long long)protea_source_count(t->source), protea_rundir_path(t->run), PROTEA_RUN_SKIPPED);
    if (status != PROTEA_OK) { /* whose message stays the last one */
        char why[1024];
        snprintf(why, sizeof why, "%s", protea_last_error());
        protea_skip_list_write(t->run, t->source);
        return protea_fail_text(status, why);
    }
    return protea_skip_list_write(t->run, t->source);
}

protea_status protea_train_run(const protea_trainer *t, protea_train_result *result)
{
    loop l = { .t = t, .started = protea_seconds(), .saved_step = -1, .knn_top1 = -1 };
    *result = (protea_train_result){ .knn_top1 = -1 };
    protea_status status = open_and_begin(&l);
    if (status == PROTEA_OK) {
        status = run_epochs(&l);
        fill_result(&l, result);
    }
    protea_train_state_close(&l.state);
    protea_metric_log_close(l.log);
    return list_skipped(t, status);
}
