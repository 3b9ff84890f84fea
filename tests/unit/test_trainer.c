/* Proves: a run that is stopped at any step, killed at any moment, or that lost its newest checkpoint ends, once resumed,
 * with the bytes of one that never stopped, for 0, 1 and 4 loader threads, and with its kNN measured; an epoch begins once;
 * changed options are refused by name; a step that is not finite changes no weight and five in a row end the run with the last
 * good checkpoint intact; a collapsed run says so; a full disk keeps the old checkpoint; a time limit counts steps apart from
 * what epochs begin with; a rate for another batch is scaled to the run's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "format/safetensors.h"
#include "support/toy_run.h"

enum { EPOCHS = 4, STEPS = EPOCHS * TOY_STEPS_PER_EPOCH };

/* In memory where there is such a place: hundreds of checkpoints are written. */
static char base[64];
static protea_train_result result;

static int make_base(void **state)
{
    (void)state;
    protea_set_threads(1); /* OpenMP's pool does not survive a fork */
    snprintf(base, sizeof base, "%s/protea_trainer_XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(base) == NULL || chdir(base) != 0)
        return -1;
    return toy_run("whole", "", &result, NULL) != PROTEA_OK;
}

static int remove_base(void **state)
{
    char command[80];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", base);
    return system(command);
}

static void assert_same_file(const char *a, const char *b, const char *name)
{
    char path[256], *x, *y;
    size_t n, m;
    snprintf(path, sizeof path, "%s/%s", a, name);
    assert_ok(protea_file_read(&x, &n, path, 64 << 20));
    snprintf(path, sizeof path, "%s/%s", b, name);
    assert_ok(protea_file_read(&y, &m, path, 64 << 20));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    protea_free(x);
    protea_free(y);
}

static void assert_like_whole(const char *dir)
{
    assert_same_file("whole", dir, PROTEA_RUN_CHECKPOINT);
    assert_same_file("whole", dir, PROTEA_RUN_ENCODER);
}

/* A value of the method's memory in a checkpoint. */
static float memory_of(const char *path, int i)
{
    protea_st_file *f;
    assert_ok(protea_st_open(&f, path));
    float value = protea_f32(protea_st_find(f, "toy.memory"))[i];
    protea_st_close(f);
    return value;
}

static void a_run_counts_its_steps(void **state)
{
    (void)state;
    assert_int_equal(result.steps, STEPS);
    assert_int_equal(result.epochs, EPOCHS);
    assert_int_equal(result.images, STEPS * TOY_BATCH);
    assert_true(memory_of("whole/" PROTEA_RUN_CHECKPOINT, 0) == STEPS);
    assert_true(memory_of("whole/" PROTEA_RUN_CHECKPOINT, 1) == EPOCHS);
    assert_true(memory_of("whole/" PROTEA_RUN_PREVIOUS, 0) == STEPS - TOY_STEPS_PER_EPOCH);
}

static void stopped_at_any_step(void **state)
{
    (void)state;
    static const int steps[] = { 1, 6, 7, 23 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char dir[32], flags[64];
        snprintf(dir, sizeof dir, "stop%d", steps[i]);
        snprintf(flags, sizeof flags, "stop_at %d", steps[i]);
        assert_int_equal(toy_run(dir, flags, &result, NULL), PROTEA_STOPPED);
        assert_int_equal(result.steps, steps[i]);
        assert_true(result.stopped);
        assert_int_equal(toy_run(dir, "resume true", &result, NULL), PROTEA_OK);
        assert_false(result.stopped);
        assert_like_whole(dir);
    }
}

static void stopped_again_and_again(void **state)
{
    (void)state;
    assert_int_equal(toy_run("often", "stop_at 1", &result, NULL), PROTEA_STOPPED);
    for (int step = 2; step < STEPS; step += 5) {
        char flags[64];
        snprintf(flags, sizeof flags, "resume true stop_at %d", step);
        assert_int_equal(toy_run("often", flags, &result, NULL), PROTEA_STOPPED);
    }
    assert_int_equal(toy_run("often", "resume true", &result, NULL), PROTEA_OK);
    assert_like_whole("often");
}

/* How many lines of a run's metrics have this in them. */
static int lines_with(const char *path, const char *text)
{
    char line[1024];
    int n = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        n += strstr(line, text) != NULL;
    fclose(f);
    return n;
}

/* kNN is due after epochs 2 and 4. */
static void what_a_stop_left_unmeasured_is_measured_later(void **state)
{
    (void)state;
    toy_log log = { "" };
    toy_knn_top1 = 0.25;
    assert_int_equal(toy_run("knn", "knn_freq 2 stop_at 12", &result, NULL), PROTEA_STOPPED);
    assert_int_equal(lines_with("knn/" PROTEA_RUN_METRICS, "knn_top1"), 0);
    toy_knn_top1 = 0.5;
    assert_int_equal(toy_run("knn", "knn_freq 2 resume true stop_at 18", &result, &log), PROTEA_STOPPED);
    assert_int_equal(lines_with("knn/" PROTEA_RUN_METRICS, "\"knn_top1\":0.5}"), 1);
    assert_int_equal(lines_with("knn/" PROTEA_RUN_METRICS, "\"kind\":\"epoch\",\"step\":12"), 1);
    assert_non_null(strstr(log.text, "epoch 2/4  kNN top1 0.5000"));
    assert_int_equal(toy_run("knn", "knn_freq 2 resume true", &result, NULL), PROTEA_OK); /* of epoch 3 none is due */
    assert_int_equal(lines_with("knn/" PROTEA_RUN_METRICS, "knn_top1"), 2);
    assert_int_equal(lines_with("knn/" PROTEA_RUN_METRICS, "\"kind\":\"epoch\""), EPOCHS);
    toy_knn_top1 = -1;
}

static void killed_at_any_moment(void **state)
{
    (void)state;
    protea_rng rng = protea_rng_make(3, PROTEA_RNG_TEST, 0, 0, 0);
    int kills = 0;
    for (int round = 0; round < 40; round++) {
        pid_t child = fork();
        if (child == 0)
            _exit(toy_run("killed", "resume true sleep_us 3000", &result, NULL) == PROTEA_OK ? 0 : 1);
        usleep((useconds_t)(2000 + protea_rng_below(&rng, 150000)));
        kill(child, SIGKILL);
        int how;
        waitpid(child, &how, 0);
        if (WIFEXITED(how)) {
            assert_int_equal(WEXITSTATUS(how), 0);
            break;
        }
        kills++;
    }
    assert_true(kills > 0);
    assert_int_equal(toy_run("killed", "resume true", &result, NULL), PROTEA_OK);
    assert_like_whole("killed");
    assert_int_equal(access("killed/" PROTEA_RUN_CHECKPOINT ".tmp", F_OK), -1);
}

static void loader_threads_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(toy_run("one", "workers 1", &result, NULL), PROTEA_OK);
    assert_int_equal(toy_run("four", "workers 4", &result, NULL), PROTEA_OK);
    assert_same_file("whole", "one", PROTEA_RUN_ENCODER);
    assert_same_file("whole", "four", PROTEA_RUN_ENCODER);
    assert_true(memory_of("whole/" PROTEA_RUN_CHECKPOINT, 2) == memory_of("one/" PROTEA_RUN_CHECKPOINT, 2));
    assert_true(memory_of("whole/" PROTEA_RUN_CHECKPOINT, 2) == memory_of("four/" PROTEA_RUN_CHECKPOINT, 2));
}

static void flip_a_bit(const char *path)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, -100, SEEK_END);
    int c = fgetc(f);
    fseek(f, -100, SEEK_END);
    fputc(c ^ 4, f);
    fclose(f);
}

static void a_damaged_checkpoint_falls_back(void **state)
{
    (void)state;
    toy_log log = { "" };
    assert_int_equal(toy_run("damaged", "stop_at 14", &result, NULL), PROTEA_STOPPED);
    flip_a_bit("damaged/" PROTEA_RUN_CHECKPOINT);
    assert_int_equal(toy_run("damaged", "resume true", &result, &log), PROTEA_OK);
    assert_non_null(strstr(log.text, "warning: damaged/" PROTEA_RUN_CHECKPOINT));
    assert_non_null(strstr(log.text, "generation before it, step 12"));
    assert_like_whole("damaged");
    flip_a_bit("damaged/" PROTEA_RUN_CHECKPOINT);
    flip_a_bit("damaged/" PROTEA_RUN_PREVIOUS);
    assert_int_equal(toy_run("damaged", "resume true", &result, NULL), PROTEA_ERR_INPUT);
}

static void resume_without_a_checkpoint_starts(void **state)
{
    (void)state;
    assert_int_equal(toy_run("fresh", "resume true", &result, NULL), PROTEA_OK);
    assert_like_whole("fresh");
    assert_int_equal(toy_run("fresh", "", &result, NULL), PROTEA_ERR_USAGE);
    assert_int_equal(toy_run("fresh", "resume true", &result, NULL), PROTEA_OK); /* a run that had ended */
    assert_like_whole("fresh");
    assert_int_equal(toy_run("fresh", "overwrite true", &result, NULL), PROTEA_OK);
    assert_like_whole("fresh");
}

static void changed_options_are_refused_by_name(void **state)
{
    (void)state;
    toy_log log = { "" };
    assert_int_equal(toy_run("changed", "stop_at 8", &result, NULL), PROTEA_STOPPED);
    assert_int_equal(toy_run("changed", "resume true lr 0.2", &result, NULL), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "lr: 0.1, now 0.2"));
    assert_int_equal(toy_run("changed", "resume true pull 2", &result, NULL), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "pull"));
    assert_int_equal(toy_run("changed", "resume true size_crops 8", &result, NULL), PROTEA_ERR_USAGE);
    assert_int_equal(toy_run("changed", "resume true epochs 1", &result, NULL), PROTEA_ERR_USAGE);
    assert_int_equal(toy_run("changed", "resume true epochs 5 log_freq 3", &result, &log), PROTEA_OK);
    assert_int_equal(result.steps, 5 * TOY_STEPS_PER_EPOCH);
}

static void a_bad_step_changes_no_weight(void **state)
{
    (void)state;
    toy_log log = { "" };
    assert_int_equal(toy_run("bad", "nan_from 3 nan_to 6", &result, &log), PROTEA_OK);
    assert_non_null(strstr(log.text, "step 4: loss nan"));
    assert_int_equal(toy_run("frozen", "epochs 1 nan_from 2 nan_to 5 checkpoint_freq 1", &result, NULL), PROTEA_OK);
    assert_int_equal(toy_run("short", "stop_at 2 epochs 1", &result, NULL), PROTEA_STOPPED);
    protea_st_file *a, *b;
    assert_ok(protea_st_open(&a, "frozen/" PROTEA_RUN_CHECKPOINT));
    assert_ok(protea_st_open(&b, "short/" PROTEA_RUN_CHECKPOINT));
    assert_memory_equal(protea_st_find(a, "toy.w")->data, protea_st_find(b, "toy.w")->data, TOY_WEIGHTS * sizeof(float));
    protea_st_close(a);
    protea_st_close(b);
}

static void a_step_that_fails_is_a_bad_step(void **state)
{
    (void)state;
    toy_log log = { "" };
    assert_int_equal(toy_run("bad fails", "fails true nan_from 3 nan_to 6", &result, &log), PROTEA_OK);
    assert_non_null(strstr(log.text, "step 4: toy: not finite"));
    assert_same_file("bad", "bad fails", PROTEA_RUN_CHECKPOINT);
    assert_int_equal(toy_run("row fails", "fails true nan_from 8 nan_to 12", &result, NULL), PROTEA_ERR_DIVERGED);
    assert_non_null(strstr(protea_last_error(), "to step 13 could not be used: toy: not finite"));
    assert_true(memory_of("row fails/" PROTEA_RUN_CHECKPOINT, 0) == TOY_STEPS_PER_EPOCH);
}

static void five_bad_steps_end_the_run(void **state)
{
    (void)state;
    assert_int_equal(toy_run("diverged", "nan_from 8 nan_to 12", &result, NULL), PROTEA_ERR_DIVERGED);
    assert_non_null(strstr(protea_last_error(), "--lr"));
    assert_true(memory_of("diverged/" PROTEA_RUN_CHECKPOINT, 0) == TOY_STEPS_PER_EPOCH);
    assert_int_equal(toy_run("diverged", "resume true", &result, NULL), PROTEA_OK);
    assert_like_whole("diverged");
}

static void a_collapsed_run_says_so(void **state)
{
    (void)state;
    toy_log log = { "" };
    assert_int_equal(toy_run("ill", "pull 0 epochs 30 log_freq 5", &result, &log), PROTEA_ERR_DIVERGED);
    assert_non_null(strstr(protea_last_error(), "try rest"));
    char *first = strstr(log.text, "the toy is ill");
    assert_non_null(first);
    assert_null(strstr(first + 1, "the toy is ill")); /* told once */
    assert_int_equal(result.steps, 30 * TOY_STEPS_PER_EPOCH);
    assert_true(memory_of("ill/" PROTEA_RUN_CHECKPOINT, 0) == 30 * TOY_STEPS_PER_EPOCH);
}

static void no_epochs_gives_an_initialised_network(void **state)
{
    (void)state;
    assert_int_equal(toy_run("untrained", "epochs 0", &result, NULL), PROTEA_OK);
    assert_int_equal(result.steps, 0);
    assert_true(memory_of("untrained/" PROTEA_RUN_CHECKPOINT, 0) == 0);
    assert_int_equal(access("untrained/" PROTEA_RUN_ENCODER, F_OK), 0);
}

static void a_full_disk_keeps_the_old_checkpoint(void **state)
{
    (void)state;
    assert_int_equal(toy_run("full", "stop_at 6", &result, NULL), PROTEA_STOPPED);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = { 1 << 20, 1 << 20 };
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit((int)toy_run("full", "resume true", &result, NULL));
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), PROTEA_ERR_IO);
    assert_true(memory_of("full/" PROTEA_RUN_CHECKPOINT, 0) == 6);
    assert_int_equal(toy_run("full", "resume true", &result, NULL), PROTEA_OK);
    assert_like_whole("full");
}

static void a_time_limit_shortens_the_run(void **state)
{
    (void)state;
    double minutes = 1.0 / 60;
    char flags[128];
    snprintf(flags, sizeof flags, "epochs 1000 checkpoint_freq 1000 sleep_us 10000 max_minutes %g", minutes);
    assert_int_equal(toy_run("limited", flags, &result, NULL), PROTEA_OK);
    assert_true(result.steps > 5 && result.steps < 110);
    assert_true(result.seconds < 20); /* all its epochs would take over 60 */
}

/* What an epoch begins with is not taken for a step, though it reads the epoch's batches. */
static void a_time_limit_knows_steps_from_epochs(void **state)
{
    (void)state;
    toy_log log = { "" };
    const char *flags = "epochs 1000 checkpoint_freq 1000 sleep_us 10000 reads true max_minutes 0.05";
    assert_int_equal(toy_run("begins", flags, &result, &log), PROTEA_OK);
    const char *told = strstr(log.text, "a step takes ");
    assert_non_null(told);
    double seconds = strtod(told + strlen("a step takes "), NULL);
    assert_true(seconds >= 0.01 && seconds < 0.3);
    assert_true(result.seconds < 20);
}

static float weight_of(const char *path)
{
    protea_st_file *f;
    assert_ok(protea_st_open(&f, path));
    float value = protea_f32(protea_st_find(f, "toy.w"))[3];
    protea_st_close(f);
    return value;
}

/* 0.05 for four images is 0.1 for the eight of a step. */
static void a_rate_is_for_so_many_images(void **state)
{
    (void)state;
    assert_int_equal(toy_run("scaled", "lr 0.05 lr_batch 4", &result, NULL), PROTEA_OK);
    assert_true(weight_of("scaled/" PROTEA_RUN_CHECKPOINT) == weight_of("whole/" PROTEA_RUN_CHECKPOINT));
    assert_int_equal(toy_run("unscaled", "lr 0.05", &result, NULL), PROTEA_OK);
    assert_true(weight_of("unscaled/" PROTEA_RUN_CHECKPOINT) != weight_of("whole/" PROTEA_RUN_CHECKPOINT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_counts_its_steps), cmocka_unit_test(stopped_at_any_step), cmocka_unit_test(stopped_again_and_again),
        cmocka_unit_test(what_a_stop_left_unmeasured_is_measured_later),
        cmocka_unit_test(killed_at_any_moment), cmocka_unit_test(loader_threads_do_not_matter),
        cmocka_unit_test(a_damaged_checkpoint_falls_back), cmocka_unit_test(resume_without_a_checkpoint_starts),
        cmocka_unit_test(changed_options_are_refused_by_name), cmocka_unit_test(a_bad_step_changes_no_weight),
        cmocka_unit_test(a_step_that_fails_is_a_bad_step),
        cmocka_unit_test(five_bad_steps_end_the_run), cmocka_unit_test(a_collapsed_run_says_so),
        cmocka_unit_test(no_epochs_gives_an_initialised_network), cmocka_unit_test(a_full_disk_keeps_the_old_checkpoint),
        cmocka_unit_test(a_time_limit_shortens_the_run), cmocka_unit_test(a_time_limit_knows_steps_from_epochs),
        cmocka_unit_test(a_rate_is_for_so_many_images),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
