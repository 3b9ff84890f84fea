/* The loop: batches in, checkpoints and metrics out. */
#include "train/trainer.h"

#include <stdio.h>

#include "base/clock.h"
#include "comm/comm.h"
#include "train/record.h"
#include "train/run_log.h"
#include "train/skip_list.h"
#include "train/time_limit.h"
#include "train/train_step.h"

typedef struct loop {
    const protea_trainer *t;
    protea_train_state state;
    protea_health health;
    protea_run_log log;
    double started, first_began;   /* clock when this call and its first step began */
    int64_t saved_step;            /* of the newest checkpoint; -1: none of this state */
    double knn_top1;
} loop;

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

/* Of a run that goes on: what its last epoch was stopped without. And of one that trains no more: an initialised network, or a
 * run that had ended. */
static protea_status measure_late_knn(loop *l)
{
    bool late = l->log.past.epoch_without_knn;
    if (!late && l->state.now.step < l->state.total_steps)
        return PROTEA_OK;
    PROTEA_TRY(measure_knn(l));
    if (late && l->knn_top1 >= 0)
        protea_run_log_late_knn(&l->log, l->knn_top1);
    return PROTEA_OK;
}

/* Of the images held out; the best model so far is kept. A resumed run must choose as one that never stopped, so this is
 * measured also when the user asks to stop. */
static protea_status validate(loop *l, double *accuracy)
{
    protea_train_state *s = &l->state;
    const protea_train_hooks *hooks = l->t->train_hooks;
    bool last = s->now.step >= s->total_steps;
    *accuracy = -1;
    if (hooks == NULL || hooks->validate == NULL || !(last || s->now.epoch % l->t->val_freq == 0))
        return PROTEA_OK;
    PROTEA_TRY(hooks->validate(hooks->self, l->t->cx, s->backbone, protea_train_state_classifier(s), accuracy));
    if (!(*accuracy > s->best_accuracy))
        return PROTEA_OK;
    s->best_accuracy = *accuracy;
    s->best_epoch = (s->now.step - 1) / s->now.steps_per_epoch + 1;
    return protea_record_save_model(s);
}

/* ---- epochs */

static protea_status begin_epoch(loop *l)
{
    protea_train_state *s = &l->state;
    int64_t first = s->now.step % s->now.steps_per_epoch;
    protea_run_log_epoch_begins(&l->log);
    /* Once an epoch: what it changes is saved with the method, so an epoch that goes on does not begin again. */
    if (first == 0 && s->t->ops->epoch_begin != NULL) {
        PROTEA_TRY(protea_loader_start(s->loader, s->now.epoch, 0));
        PROTEA_TRY(s->t->ops->epoch_begin(s->t->cx, s->method, &s->now));
    }
    return protea_loader_start(s->loader, s->now.epoch, first);
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
    protea_run_log_step(&l->log, &l->health, &out, protea_seconds() - began, protea_loader_waited(s->loader));
    protea_time_limit_follow(s, s->now.step - l->log.first_step, protea_seconds() - l->first_began,
                             protea_run_log_seconds(&l->log));
    return PROTEA_OK;
}

/* The line is written before the checkpoint, so that a run killed between the two measures the epoch again. Who is asked to
 * stop measures no kNN any more: the resumed run does. */
static protea_status end_epoch(loop *l, bool stop)
{
    const protea_train_state *s = &l->state;
    bool last = s->now.step >= s->total_steps;
    double accuracy;
    l->knn_top1 = -1;
    if (last || !stop)
        PROTEA_TRY(measure_knn(l));
    PROTEA_TRY(validate(l, &accuracy));
    protea_run_log_epoch_ends(&l->log, &l->health, l->knn_top1, accuracy);
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
    PROTEA_TRY(measure_late_knn(l));
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
    PROTEA_TRY(protea_record_best(&l->state, file));
    PROTEA_TRY(protea_skip_list_read(l->t->run, l->t->source));
    protea_train_state_move(&l->state, step);
    protea_log(l->t->cx, PROTEA_LOG_INFO, "going on at step %lld of %lld", (long long)step, (long long)l->state.total_steps);
    return PROTEA_OK;
}

/* Opens the state, from the checkpoint if there is one, and all that the loop writes to. */
static protea_status begin(loop *l, const protea_st_file *file)
{
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
    protea_rundir_keep(l->t->run);
    PROTEA_TRY(protea_rundir_write_config(l->t->run, l->t->options));
    return protea_run_log_open(&l->log, &l->state, l->started);
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
    *r = (protea_train_result){
        .epochs = s->now.epoch,
        .steps = s->now.step,
        .images = s->now.step * s->now.batch_size,
        .loss = protea_means_get(&l->log.epoch.means).loss,
        .seconds = protea_run_log_seconds(&l->log),
        .images_per_second = protea_run_log_images_per_second(&l->log),
        .knn_top1 = l->knn_top1,
        .val_accuracy = s->best_accuracy,
        .best_epoch = s->best_epoch,
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
    *result = (protea_train_result){ .knn_top1 = -1, .val_accuracy = -1 };
    protea_status status = open_and_begin(&l);
    if (status == PROTEA_OK) {
        status = run_epochs(&l);
        fill_result(&l, result);
    }
    protea_train_state_close(&l.state);
    protea_run_log_close(&l.log);
    return list_skipped(t, status);
}
