/* Proves: a run directory is made with its parents, locked against a second process until its holder is gone (killed
 * too), refused when it holds something else, found unwritable at once, and left as it was when a start fails; metrics are
 * cut after a step; means match metrics by name; a warning is told once per cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/health.h"
#include "train/metric_log.h"
#include "train/rundir.h"

static char base[] = "/tmp/protea_rundir_XXXXXX";

static int make_base(void **state)
{
    (void)state;
    return mkdtemp(base) == NULL || chdir(base) != 0;
}

static int remove_base(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", base);
    return system(command);
}

static void touch(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void a_failed_start_leaves_nothing(void **state)
{
    (void)state;
    protea_rundir *run;
    assert_int_equal(protea_rundir_open(&run, "x/y/run", false, false), PROTEA_OK);
    protea_rundir_log(run, PROTEA_LOG_INFO, "a line");
    assert_true(is_there("x/y/run/train.log"));
    protea_rundir_close(run);
    assert_true(is_there("x/y") && !is_there("x/y/run"));
}

static void what_is_kept_is_refused_next_time(void **state)
{
    (void)state;
    protea_rundir *run;
    assert_int_equal(protea_rundir_open(&run, "kept", false, false), PROTEA_OK);
    protea_rundir_keep(run);
    touch("kept/config.yaml");
    touch("kept/checkpoint.safetensors.tmp"); /* of a killed save */
    protea_rundir_close(run);
    assert_int_equal(protea_rundir_open(&run, "kept", false, false), PROTEA_ERR_USAGE);
    assert_null(run);
    assert_non_null(strstr(protea_last_error(), "--resume"));
    assert_int_equal(protea_rundir_open(&run, "kept", true, false), PROTEA_OK);
    protea_rundir_close(run);
    assert_true(is_there("kept/config.yaml") && !is_there("kept/checkpoint.safetensors.tmp"));
    touch("kept/notes.txt");
    assert_int_equal(protea_rundir_open(&run, "kept", false, true), PROTEA_OK);
    protea_rundir_close(run);
    assert_true(is_there("kept/notes.txt") && !is_there("kept/config.yaml"));
}

static void other_peoples_directories_are_left_alone(void **state)
{
    (void)state;
    protea_rundir *run;
    mkdir("photos", 0777);
    touch("photos/a.jpg");
    assert_int_equal(protea_rundir_open(&run, "photos", false, false), PROTEA_ERR_USAGE);
    assert_true(!is_there("photos/.lock"));
    assert_int_equal(protea_rundir_open(&run, "photos/a.jpg", false, false), PROTEA_ERR_IO);
}

static void an_unwritable_place_is_found_at_once(void **state)
{
    (void)state;
    protea_rundir *run;
    assert_int_equal(protea_rundir_open(&run, "/proc/nowhere/run", false, false), PROTEA_ERR_IO);
    assert_non_null(strstr(protea_last_error(), "/proc/nowhere"));
    char *name = malloc(6000);
    memset(name, 'a', 5999);
    name[5999] = 0;
    assert_int_not_equal(protea_rundir_open(&run, name, false, false), PROTEA_OK);
    free(name);
}

/* A child holds the lock until it is killed; *child its process. */
static void hold_lock(const char *path, pid_t *child)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    *child = fork();
    if (*child == 0) {
        protea_rundir *run;
        protea_status status = protea_rundir_open(&run, path, true, false);
        if (status == PROTEA_OK && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
}

static void the_lock_dies_with_its_holder(void **state)
{
    (void)state;
    protea_rundir *run;
    pid_t child;
    char who[32];
    hold_lock("locked", &child);
    snprintf(who, sizeof who, "process %ld", (long)child);
    for (int flags = 0; flags < 4; flags++) {
        assert_int_equal(protea_rundir_open(&run, "locked", flags & 1, flags & 2), PROTEA_ERR_BUSY);
        assert_non_null(strstr(protea_last_error(), who));
        assert_non_null(strstr(protea_last_error(), "host "));
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(protea_rundir_open(&run, "locked", false, false), PROTEA_OK);
    protea_rundir_close(run);
}

static protea_metric_line line_at(int64_t step)
{
    protea_metric_line line = { .kind = "step", .step = step, .epoch = 1, .seconds = 2.5 * (double)step, .knn_top1 = -1,
                                .mean = { .loss = step == 3 ? (double)NAN : 1.5, .n_metrics = 1, .metric = { { "m", 0.25 } } } };
    return line;
}

static int count_lines(const char *path)
{
    FILE *f = fopen(path, "r");
    int n = 0;
    for (int c = fgetc(f); c != EOF; c = fgetc(f))
        n += c == '\n';
    fclose(f);
    return n;
}

static void metrics_are_cut_after_the_checkpoint(void **state)
{
    (void)state;
    protea_metric_log *log;
    protea_metric_past past;
    assert_int_equal(protea_metric_log_open(&log, "m.jsonl", 0, &past), PROTEA_OK);
    assert_true(past.seconds == 0);
    for (int64_t step = 1; step <= 6; step++) {
        protea_metric_line line = line_at(step);
        protea_metric_log_write(log, &line);
    }
    protea_metric_log_close(log);
    FILE *f = fopen("m.jsonl", "a");
    fputs("{\"kind\":\"st", f); /* torn by a kill */
    fclose(f);
    assert_int_equal(protea_metric_log_open(&log, "m.jsonl", 6, &past), PROTEA_OK);
    protea_metric_log_close(log);
    assert_int_equal(count_lines("m.jsonl"), 6);
    assert_int_equal(protea_metric_log_open(&log, "m.jsonl", 4, &past), PROTEA_OK);
    assert_true(past.seconds == 10);
    protea_metric_line line = line_at(5);
    protea_metric_log_write(log, &line);
    protea_metric_log_close(log);
    assert_int_equal(count_lines("m.jsonl"), 5);
    assert_int_equal(protea_metric_log_open(&log, "/proc/nowhere/m", 4, &past), PROTEA_ERR_IO);
}

static void means_match_by_name(void **state)
{
    (void)state;
    protea_means m = { 0 };
    assert_true(isnan(protea_means_get(&m).loss));
    protea_step_out a = { .loss = 1, .n_metrics = 2, .metric = { { "x", 1 }, { "y", 10 } } };
    protea_step_out b = { .loss = 3, .n_metrics = 2, .metric = { { "y", 30 }, { "x", 2 } } };
    protea_means_add(&m, &a);
    protea_means_add(&m, &b);
    protea_step_out mean = protea_means_get(&m);
    assert_true(mean.loss == 2 && mean.n_metrics == 2 && mean.metric[0].value == 1.5 && mean.metric[1].value == 20);
}

static bool sick_above_one(const void *self, const protea_step_out *mean, char *text, size_t size)
{
    (void)self;
    snprintf(text, size, "%s %.3f", mean->loss > 5 ? "very ill" : "ill", mean->loss);
    return mean->loss > 1;
}

static void each_cause_is_told_once(void **state)
{
    (void)state;
    const protea_method_ops ops = { .sick = sick_above_one };
    protea_health h = protea_health_start(&ops, NULL);
    const double losses[] = { 0.5, 2, 2.5, 0.5, 2, 9, 9.5 };
    const bool told[] = { false, true, false, false, false, true, false };
    for (int i = 0; i < 7; i++) {
        protea_step_out mean = { .loss = losses[i] };
        assert_int_equal(protea_health_interval(&h, &mean, 50 * i) != NULL, told[i]);
    }
    assert_int_equal(h.sick_since, 200);
    assert_int_equal(protea_health_verdict(&h, 299), PROTEA_OK);
    assert_int_equal(protea_health_verdict(&h, 350), PROTEA_ERR_DIVERGED);
    assert_non_null(strstr(protea_last_error(), "very ill"));
}

static void bad_steps_are_counted(void **state)
{
    (void)state;
    const protea_method_ops ops = { 0 };
    protea_health h = protea_health_start(&ops, NULL);
    const double bad[][2] = { { (double)NAN, 1 }, { (double)INFINITY, 1 }, { 1, (double)NAN }, { -(double)INFINITY, 1 } };
    bool update;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(protea_health_step(&h, bad[i][0], bad[i][1], i, "", &update), PROTEA_OK);
        assert_false(update);
    }
    assert_int_equal(protea_health_step(&h, 1, 1, 5, "", &update), PROTEA_OK);
    assert_true(update);
    for (int i = 0; i < 4; i++)
        assert_int_equal(protea_health_step(&h, (double)NAN, 1, 6, "", &update), PROTEA_OK);
    assert_int_equal(protea_health_step(&h, (double)NAN, 1, 7, "", &update), PROTEA_ERR_DIVERGED);
    assert_int_equal(h.bad_total, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_start_leaves_nothing), cmocka_unit_test(what_is_kept_is_refused_next_time),
        cmocka_unit_test(other_peoples_directories_are_left_alone), cmocka_unit_test(an_unwritable_place_is_found_at_once),
        cmocka_unit_test(the_lock_dies_with_its_holder), cmocka_unit_test(metrics_are_cut_after_the_checkpoint),
        cmocka_unit_test(means_match_by_name), cmocka_unit_test(each_cause_is_told_once),
        cmocka_unit_test(bad_steps_are_counted),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
