/* Proves: whichever allocation of a training run fails, the run ends with the memory status and one line, or ends as if
 * nothing had failed; what was saved before stands, and the run goes on to the bytes of one that never met a fault. */
#include "support/heap_faults.h"
#include "support/fault_train.h"

enum { TRIES = 60 }; /* see heap_faults_stride */

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
    return fault_go_on_with(faults_on, faults_off);
}

static void no_allocation_is_fatal(void **state)
{
    (void)state;
    int bad = 0;
    fault_copy_run("run");
    assert_ok(go_on_with_faults(0, false));
    long allocations = atomic_load(&heap_faults.seen), stride = heap_faults_stride(allocations, TRIES);
    for (long n = 1, turn = 0; n <= allocations; n += stride, turn++) {
        bool stays = turn % 2 == 1;
        fault_copy_run("run");
        protea_status status = go_on_with_faults(n, stays);
        bad += !fault_ended_well(status, PROTEA_ERR_MEMORY, stays ? "an allocation and all after" : "an allocation", n);
    }
    print_message("%ld allocations, every %ldth failed\n", allocations, stride);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_allocation_is_fatal) };
    return cmocka_run_group_tests(tests, fault_train_enter, temp_folder_leave);
}
