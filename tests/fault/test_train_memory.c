/* Proves: whichever allocation of a training run fails, the run ends with the memory status and one line, or ends as if
 * nothing had failed; what was saved before stands, and the run goes on to the bytes of one that never met a fault. */
#include "support/heap_faults.h"
#include "support/fault_train.h"

enum { TRIES = 60 };

/* Nothing here cuts the power, so nothing is waited for. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

static long fault_at;
static bool fault_stays;

static void faults_on(void)
{
    heap_faults_after(fault_at, fault_stays);
}

static void faults_off(void)
{
    heap_faults_off();
}

/* Goes on in run while allocation n fails, and all after it where `stays`. */
static protea_status go_on_with_faults(long n, bool stays)
{
    fault_at = n;
    fault_stays = stays;
    toy_faults_on = faults_on;
    toy_faults_off = faults_off;
    protea_status status = fault_go_on("run");
    toy_faults_on = toy_faults_off = NULL;
    return status;
}

static int enter(void **state)
{
    if (temp_folder_enter(state) != 0)
        return 1;
    fault_train_begin();
    return 0;
}

static bool ended_well(protea_status status, long n, bool sticky)
{
    char message[1024];
    snprintf(message, sizeof message, "%s", protea_last_error());
    bool good = status == PROTEA_OK || (status == PROTEA_ERR_MEMORY && fault_message_is_good());
    bool metrics = fault_keeps_metrics(), end = fault_goes_on();
    if (!good || !metrics || !end)
        print_error("allocation %ld%s: status %s: %s%s%s\n", n, sticky ? " and all after" : "", protea_status_name(status), message,
                    metrics ? "" : "; metrics lost", end ? "" : "; another end");
    return good && metrics && end;
}

static void no_allocation_is_fatal(void **state)
{
    (void)state;
    int bad = 0;
    const char *given = getenv("FAULT_TRIES"); /* 0: all */
    fault_copy_run("run");
    assert_ok(go_on_with_faults(0, false));
    long allocations = atomic_load(&heap_faults.seen), tries = given != NULL ? strtol(given, NULL, 10) : TRIES;
    long stride = tries > 0 && allocations > tries ? allocations / tries : 1;
    for (long n = 1, turn = 0; n <= allocations; n += stride, turn++) {
        fault_copy_run("run");
        bad += !ended_well(go_on_with_faults(n, turn % 2 == 1), n, turn % 2 == 1);
    }
    print_message("%ld allocations, every %ldth failed\n", allocations, stride);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_allocation_is_fatal) };
    return cmocka_run_group_tests(tests, enter, temp_folder_leave);
}
