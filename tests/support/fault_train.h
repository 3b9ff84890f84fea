/* A run that was stopped after its first epoch, and going on with it while something fails: nothing that was saved is lost,
 * and once nothing fails any more it ends with the bytes of a run that never met a fault. */
#ifndef PROTEA_TESTS_SUPPORT_FAULT_TRAIN_H
#define PROTEA_TESTS_SUPPORT_FAULT_TRAIN_H

#include <dirent.h>

#include "base/file.h"
#include "support/faults.h"
#include "support/toy_run.h"

static inline void fault_copy_run(const char *to)
{
    fault_remove(to);
    assert_int_equal(mkdir(to, 0777), 0);
    DIR *dir = opendir("begun");
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char from[512], path[512], *bytes;
        size_t len;
        if (e->d_type != DT_REG)
            continue;
        snprintf(from, sizeof from, "begun/%.255s", e->d_name);
        snprintf(path, sizeof path, "%s/%.255s", to, e->d_name);
        assert_ok(protea_file_read(&bytes, &len, from, 1 << 28));
        write_file(path, bytes, len);
        protea_free(bytes);
    }
    closedir(dir);
}

/* Goes on with the run in dir to its end. */
static inline protea_status fault_go_on(const char *dir)
{
    protea_train_result result;
    return toy_run(dir, "epochs 2 resume true log_freq 3", &result, NULL);
}

/* The same in run, while what `on` sets fails, until `off`. */
static inline protea_status fault_go_on_with(void (*on)(void), void (*off)(void))
{
    toy_faults_on = on;
    toy_faults_off = off;
    protea_status status = fault_go_on("run");
    toy_faults_on = toy_faults_off = NULL;
    return status;
}

/* A group's beginning: a folder of its own with the run that was stopped and the one that never met a fault. */
static inline int fault_train_enter(void **state)
{
    protea_train_result result;
    if (temp_folder_enter(state) != 0)
        return 1;
    protea_set_threads(1); /* so little work is done sooner alone */
    assert_ok(toy_run("begun", "epochs 1 log_freq 3", &result, NULL));
    fault_copy_run("whole");
    assert_ok(fault_go_on("whole"));
    return 0;
}

static inline bool fault_same(const char *a, const char *b)
{
    char *x, *y;
    size_t x_len, y_len;
    assert_ok(protea_file_read(&x, &x_len, a, 1 << 28));
    if (protea_file_read(&y, &y_len, b, 1 << 28) != PROTEA_OK)
        y = NULL;
    bool same = y != NULL && x_len == y_len && memcmp(x, y, x_len) == 0;
    protea_free(x);
    protea_free(y);
    return same;
}

/* Whether the run ends, or has ended, as the whole one did. */
static inline bool fault_goes_on(void)
{
    protea_status status = fault_go_on("run");
    if (status != PROTEA_OK)
        print_error("going on without faults: %s\n", protea_last_error());
    return status == PROTEA_OK && fault_same("whole/checkpoint.safetensors", "run/checkpoint.safetensors") &&
           fault_same("whole/encoder.safetensors", "run/encoder.safetensors") &&
           access("run/checkpoint.safetensors.tmp", F_OK) != 0 && access("run/encoder.safetensors.tmp", F_OK) != 0;
}

/* Every line of metrics of the first epoch is still there. */
static inline bool fault_keeps_metrics(void)
{
    char *before, *after;
    size_t len, more;
    assert_ok(protea_file_read(&before, &len, "begun/metrics.jsonl", 1 << 20));
    if (protea_file_read(&after, &more, "run/metrics.jsonl", 1 << 20) != PROTEA_OK)
        after = NULL;
    bool kept = after != NULL && more >= len && memcmp(before, after, len) == 0;
    protea_free(before);
    protea_free(after);
    return kept;
}

/* Whether going on in run ended with `error` and a good line, or as if nothing had failed, and nothing is lost that was saved.
 * Says on standard error how it did not, when `what` number n failed. */
static inline bool fault_ended_well(protea_status status, protea_status error, const char *what, long n)
{
    char message[1024];
    snprintf(message, sizeof message, "%s", protea_last_error());
    bool good = status == PROTEA_OK || (status == error && fault_message_is_good());
    bool metrics = fault_keeps_metrics(), end = fault_goes_on();
    if (!good || !metrics || !end)
        print_error("%s, number %ld: status %s: %s%s%s\n", what, n, protea_status_name(status), message,
                    metrics ? "" : "; metrics lost", end ? "" : "; another end");
    return good && metrics && end;
}

#endif
