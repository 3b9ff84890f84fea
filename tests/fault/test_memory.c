/* Proves: whichever allocation of a job fails, in the library or in one below it, the job ends with the memory status and
 * one line, or (where what was wanted is not worth failing for) with its whole result; nothing leaks (in builds with
 * AddressSanitizer), nothing crashes. */
#include "support/heap_faults.h"
#include "support/fault_jobs.h"

enum { TRIES = 12 }; /* of a job: see heap_faults_stride */

/* Whether the run after allocation n failed ended well. Says on standard error how it did not. */
static bool ended_well(protea_status status, const char *text, const json_t *whole, const fault_job *f, long n, bool sticky)
{
    if (status == PROTEA_ERR_MEMORY && fault_message_is_good() && text == NULL)
        return true;
    if (status == PROTEA_OK) {
        json_t *result = fault_result(text);
        bool same = json_equal(result, whole) != 0;
        if (!same)
            print_error("%s: allocation %ld: another result: %s\n", f->verb, n, text);
        json_decref(result);
        return same;
    }
    print_error("%s: allocation %ld%s: status %s: %s\n", f->verb, n, sticky ? " and all after" : "",
                protea_status_name(status), protea_last_error());
    return false;
}

static void fail_each(const fault_job *f)
{
    char *text;
    int bad = 0;
    if (f->output != NULL)
        fault_remove(f->output);
    heap_faults_after(0, false);
    protea_status status = fault_run(f, &text);
    long allocations = heap_faults_off(), stride = heap_faults_stride(allocations, TRIES);
    assert_ok(status);
    json_t *whole = fault_result(text);
    free(text);
    for (long n = 1; n <= allocations; n += stride)
        for (int sticky = 0; sticky < 2; sticky++) {
            if (f->output != NULL)
                fault_remove(f->output);
            protea_fail(PROTEA_OK, "%s", "");
            heap_faults_after(n, sticky);
            status = fault_run(f, &text);
            heap_faults_off();
            bad += !ended_well(status, text, whole, f, n, sticky);
            free(text);
        }
    json_decref(whole);
    print_message("%s: %ld allocations, every %ldth failed\n", f->verb, allocations, stride);
    assert_int_equal(bad, 0);
}

static void inspect(void **state)
{
    (void)state;
    static const char *const sets[] = { "set", "packed.tar.xz", "list.csv", "classifier.safetensors", "synth:shapes,n=12,size=8" };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        fail_each(&(fault_job){ "inspect", NULL, { sets[i] }, NULL, "" });
}

static void synth(void **state)
{
    (void)state;
    fail_each(&(fault_job){ "synth", "shapes", { NULL }, "out", "n 12 size 8" });
    fail_each(&(fault_job){ "synth", "shapes", { NULL }, "out.tar", "n 12 size 8" });
}

static void embed(void **state)
{
    (void)state;
    fail_each(&(fault_job){ "embed", NULL, { "classifier.safetensors", "set" }, "out.npy", FAULT_MACHINE });
    fail_each(&(fault_job){ "embed", NULL, { "pixels", "packed.tar.xz" }, "out.npy", FAULT_MACHINE });
}

static void predict(void **state)
{
    (void)state;
    fail_each(&(fault_job){ "predict", NULL, { "classifier.safetensors", "set" }, "out.csv", FAULT_MACHINE "no_labels true" });
}

static void cluster(void **state)
{
    (void)state;
    fail_each(&(fault_job){ "cluster", NULL, { "pixels", "set" }, "out", FAULT_MACHINE "clusters 3" });
}

static void kmeans(void **state)
{
    (void)state;
    char *text;
    const fault_job rows = { "embed", NULL, { "pixels", "synth:shapes,n=60,size=8" }, "rows.npy", FAULT_MACHINE };
    assert_ok(fault_run(&rows, &text));
    free(text);
    fail_each(&(fault_job){ "kmeans", NULL, { "rows.npy" }, "out", "threads 1 clusters 3 init kmeans++" });
}

static void adapt(void **state)
{
    (void)state;
    fail_each(&(fault_job){ "adapt", "tsd", { "classifier.safetensors", "set" }, "out",
                            FAULT_MACHINE "no_labels true batch_size 4" });
}

/* The whole job once more; tests/fault/test_train_memory.c looks closer at the loop and what it saves. */
static void train(void **state)
{
    (void)state;
    fail_each(&(fault_job){ "train", "swav", { "synth:shapes,n=16,size=8" }, "out", FAULT_MACHINE
                            "arch resnet18-w16 batch_size 8 size_crops 8 nmb_crops 2 min_scale_crops 0.3 max_scale_crops 1 "
                            "nmb_prototypes 6 hidden_mlp 8 feat_dim 4 workers 0 epochs 1" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect), cmocka_unit_test(synth),  cmocka_unit_test(embed), cmocka_unit_test(predict),
        cmocka_unit_test(cluster), cmocka_unit_test(kmeans), cmocka_unit_test(adapt),
        cmocka_unit_test(train),
    };
    return cmocka_run_group_tests(tests, fault_enter, temp_folder_leave);
}
