/* Proves: whichever call that makes a file last fails in a training run (open, write, flush, fsync, close, rename, link), the
 * run ends with the I/O status and one line that names the file, or ends as if nothing had failed; what was saved before
 * stands, and the run goes on to the bytes of one that never met a fault. The same where a file may not grow beyond a size,
 * and for a directory that has become read-only. */
#include "support/file_faults.h"
#include "support/fault_train.h"

#include <signal.h>
#include <sys/resource.h>

static long fault_at;
static bool fault_stays;
static int fault_errno;

static void faults_on(void)
{
    file_faults_after(fault_at, fault_stays, fault_errno);
}

static void faults_off(void)
{
    file_faults_off();
}

/* Goes on in run while call n fails, and all after it where `stays`. */
static protea_status go_on_with_faults(long n, bool stays, int error)
{
    fault_at = n;
    fault_stays = stays;
    fault_errno = error;
    return fault_go_on_with(faults_on, faults_off);
}

static int enter(void **state)
{
    signal(SIGXFSZ, SIG_IGN); /* as the command does: a file that may not grow is an error like a full disk */
    return fault_train_enter(state);
}

static void each_call_may_fail(void **state)
{
    (void)state;
    int bad = 0, failed = 0;
    fault_copy_run("run");
    assert_ok(go_on_with_faults(0, false, EIO));
    long calls = file_faults.seen;
    for (long n = 1; n <= calls; n++) {
        fault_copy_run("run");
        protea_status status = go_on_with_faults(n, false, n % 2 ? EIO : ENOSPC);
        failed += status != PROTEA_OK;
        bad += !fault_ended_well(status, PROTEA_ERR_IO, file_faults.failed, n);
    }
    print_message("%ld calls, %d of them end a run when they fail\n", calls, failed);
    assert_int_equal(bad, 0);
    assert_true(failed > 10);
}

static void a_read_only_directory(void **state)
{
    (void)state;
    fault_copy_run("run");
    assert_int_equal(go_on_with_faults(1, true, EROFS), PROTEA_ERR_IO);
    assert_non_null(strstr(protea_last_error(), "run: the run directory cannot be"));
    assert_true(file_faults.seen < 4); /* found before anything else is begun */
    assert_true(fault_keeps_metrics() && fault_goes_on());
}

static void files_that_may_not_grow(void **state)
{
    (void)state;
    struct rlimit all, some;
    struct stat info;
    int bad = 0;
    enum { TRIES = 16, SMALL = 20000 }; /* what is not worth failing for is smaller */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    assert_int_equal(stat("whole/checkpoint.safetensors", &info), 0);
    for (long n = 0; n < TRIES; n++) {
        fault_copy_run("run");
        some = all;
        some.rlim_cur = (rlim_t)(SMALL + (info.st_size + SMALL) * n / TRIES);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &some), 0);
        protea_status status = fault_go_on("run");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
        bool fits = (off_t)some.rlim_cur >= info.st_size;
        bad += !fault_ended_well(status, PROTEA_ERR_IO, "a limit", n) || (status == PROTEA_OK && !fits);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_may_fail), cmocka_unit_test(a_read_only_directory), cmocka_unit_test(files_that_may_not_grow),
    };
    return cmocka_run_group_tests(tests, enter, temp_folder_leave);
}
