/* Proves: the public API of a classifier that adapts. Images that come one by one end in the same state as batches; saved,
 * loaded and continued is continued; reset restores; predict changes nothing; what cannot be used leaves all as it was; the
 * guard brings back a model that was driven off. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <protea/adapt.h>

#include "base/file.h"
#include "support/test_context.h"
#include "support/temp_folder.h"
#include "support/tiny_classifier.h"

enum { SIDE = 8, CLASSES = 6, BATCH = 8, IMAGES = 40 };

static const char *const MODEL = "model.safetensors";
static uint8_t pixels[IMAGES][SIDE * SIDE * 3];
static protea_frame frames[IMAGES];

static int set_up(void **state)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    if (temp_folder_enter(state) != 0)
        return 1;
    tiny_classifier_write(MODEL, CLASSES, SIDE);
    for (int i = 0; i < IMAGES; i++) {
        int base = (int)protea_rng_below(&rng, 200);
        for (size_t k = 0; k < sizeof pixels[i]; k++)
            pixels[i][k] = (uint8_t)(base + (int)(k / SIDE % 3) * 10 + (int)protea_rng_below(&rng, 36));
        frames[i] = (protea_frame){ .rgb = pixels[i], .width = SIDE, .height = SIDE };
    }
    return 0;
}

/* settings: key, value, ... NULL. */
static protea_adaptation *opened(const char *algorithm, const char *const *settings)
{
    protea_adaptation *a;
    assert_ok(protea_adaptation_new(&a, algorithm));
    assert_ok(protea_options_set(protea_adaptation_options(a), "batch_size", "8", PROTEA_FROM_FLAG));
    for (; settings != NULL && *settings != NULL; settings += 2)
        assert_ok(protea_options_set(protea_adaptation_options(a), settings[0], settings[1], PROTEA_FROM_FLAG));
    assert_ok(protea_adaptation_open(a, MODEL, NULL));
    return a;
}

/* The bytes of its state as a file. *out: owned. */
static size_t state_of(protea_adaptation *a, char **out)
{
    size_t len;
    assert_ok(protea_adaptation_save(a, "state.safetensors"));
    assert_ok(protea_file_read(out, &len, "state.safetensors", 1 << 28));
    return len;
}

static void assert_same_state(protea_adaptation *a, protea_adaptation *b)
{
    char *x, *y;
    size_t n = state_of(a, &x), m = state_of(b, &y);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    protea_free(x);
    protea_free(y);
}

static const char *const algorithms[] = { "bn", "tent", "pl" };
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

static void one_by_one_is_as_in_batches(void **state)
{
    static const int portions[] = { 1, 5, 2, 11, 8, 13 }; /* IMAGES in all */
    (void)state;
    for (int k = 0; k < ALGORITHMS; k++) {
        protea_adaptation *a = opened(algorithms[k], NULL), *b = opened(algorithms[k], NULL);
        protea_prediction whole[IMAGES], parts[IMAGES];
        assert_ok(protea_adaptation_adapt(a, frames, IMAGES, whole));
        for (int done = 0, i = 0; done < IMAGES; done += portions[i++])
            assert_ok(protea_adaptation_adapt(b, frames + done, portions[i], parts + done));
        assert_same_state(a, b);
        assert_int_equal(whole[7].label, parts[7].label); /* it completed a batch both times */
        assert_true(whole[7].probability == parts[7].probability);
        protea_adaptation_free(a);
        protea_adaptation_free(b);
    }
}

static void waiting_images_are_predicted_at_once(void **state)
{
    protea_adaptation *a = opened("tent", NULL);
    protea_adaptation_status s;
    protea_prediction now[BATCH - 1], asked[BATCH - 1];
    float p[(BATCH - 1) * CLASSES];
    (void)state;
    assert_ok(protea_adaptation_adapt(a, frames, BATCH, NULL));
    assert_ok(protea_adaptation_predict(a, frames + BATCH, BATCH - 1, asked, p));
    assert_ok(protea_adaptation_adapt(a, frames + BATCH, BATCH - 1, now));
    assert_memory_equal(now, asked, sizeof now);
    for (int i = 0; i < BATCH - 1; i++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++)
            sum += (double)p[i * CLASSES + c];
        assert_true(fabs(sum - 1) < 1e-5);
        assert_true(p[i * CLASSES + now[i].label] == now[i].probability);
    }
    protea_adaptation_ask(a, &s);
    assert_int_equal(s.images, 2 * BATCH - 1);
    assert_int_equal(s.waiting, BATCH - 1);
    assert_int_equal(s.batches, 1);
    assert_int_equal(s.updates, 1);
    assert_ok(protea_adaptation_flush(a));
    protea_adaptation_ask(a, &s);
    assert_int_equal(s.waiting, 0);
    assert_int_equal(s.batches, 2);
    protea_adaptation_free(a);
}

static void saved_and_loaded_it_continues(void **state)
{
    (void)state;
    for (int k = 0; k < ALGORITHMS; k++) {
        protea_adaptation *a = opened(algorithms[k], NULL), *b = opened(algorithms[k], NULL);
        protea_prediction x[IMAGES], y[IMAGES];
        assert_ok(protea_adaptation_adapt(a, frames, 21, NULL)); /* five wait */
        assert_ok(protea_adaptation_save(a, "saved.safetensors"));
        assert_ok(protea_adaptation_adapt(b, frames + 30, 9, NULL));
        assert_ok(protea_adaptation_load(b, "saved.safetensors"));
        assert_same_state(a, b);
        assert_ok(protea_adaptation_adapt(a, frames + 21, 19, x));
        assert_ok(protea_adaptation_adapt(b, frames + 21, 19, y));
        assert_memory_equal(x, y, 19 * sizeof *x);
        assert_same_state(a, b);
        protea_adaptation_free(a);
        protea_adaptation_free(b);
    }
}

static void reset_restores(void **state)
{
    protea_adaptation *a = opened("tent", NULL);
    float before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    (void)state;
    assert_ok(protea_adaptation_predict(a, frames, IMAGES, NULL, before));
    assert_ok(protea_adaptation_adapt(a, frames, IMAGES - 3, NULL));
    assert_ok(protea_adaptation_predict(a, frames, IMAGES, NULL, after));
    assert_memory_not_equal(before, after, sizeof before);
    assert_ok(protea_adaptation_reset(a));
    assert_ok(protea_adaptation_predict(a, frames, IMAGES, NULL, after));
    assert_memory_equal(before, after, sizeof before);
    protea_adaptation_free(a);
}

/* Rows apart, sizes of every kind, values instead of pixels. */
static void frames_come_in_many_forms(void **state)
{
    static uint8_t wide[SIDE * (SIDE * 3 + 13)];
    static float values[3 * SIDE * SIDE];
    protea_adaptation *a = opened("bn", NULL);
    protea_prediction p[3];
    (void)state;
    for (int y = 0; y < SIDE; y++)
        memcpy(wide + y * (SIDE * 3 + 13), pixels[0] + y * SIDE * 3, SIDE * 3);
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        values[i] = ((float)pixels[0][i % (SIDE * SIDE) * 3 + i / (SIDE * SIDE)] / 255 - .5f) / .25f;
    const protea_frame same[3] = { frames[0], { .rgb = wide, .width = SIDE, .height = SIDE, .stride = SIDE * 3 + 13 },
                                   { .values = values } };
    assert_ok(protea_adaptation_predict(a, same, 3, p, NULL));
    assert_int_equal(p[0].label, p[1].label);
    assert_true(p[0].probability == p[1].probability);
    assert_true(fabsf(p[0].probability - p[2].probability) < 1e-4f);
    const protea_frame odd[2] = { { .rgb = pixels[0], .width = 1, .height = 1 }, { .rgb = pixels[0], .width = 25, .height = 3 } };
    assert_ok(protea_adaptation_predict(a, odd, 2, p, NULL));
    protea_adaptation_free(a);
}

static void what_cannot_be_used_changes_nothing(void **state)
{
    static float values[3 * SIDE * SIDE];
    protea_adaptation *a = opened("tent", NULL), *b = opened("tent", NULL);
    protea_frame bad[5] = { { .rgb = NULL, .width = 4, .height = 4 }, { .rgb = pixels[0], .width = 0, .height = 4 },
                            { .rgb = pixels[0], .width = 1 << 20, .height = 1 << 20 },
                            { .rgb = pixels[0], .width = 4, .height = 4, .stride = 11 }, { .values = values } };
    (void)state;
    values[77] = (float)NAN;
    assert_ok(protea_adaptation_adapt(a, frames, 3, NULL));
    assert_ok(protea_adaptation_adapt(b, frames, 3, NULL));
    for (int i = 0; i < 5; i++) {
        protea_frame call[BATCH];
        memcpy(call, frames, sizeof call);
        call[BATCH - 1] = bad[i];
        assert_int_equal(protea_adaptation_adapt(a, call, BATCH, NULL), PROTEA_ERR_INPUT);
        assert_int_equal(protea_adaptation_predict(a, call, BATCH, NULL, NULL), PROTEA_ERR_INPUT);
        assert_same_state(a, b);
    }
    protea_adaptation_free(a);
    protea_adaptation_free(b);
}

static void states_that_do_not_fit_are_refused(void **state)
{
    protea_adaptation *tent = opened("tent", NULL), *bn = opened("bn", NULL), *again = opened("tent", NULL);
    char *bytes;
    (void)state;
    assert_ok(protea_adaptation_adapt(tent, frames, 13, NULL));
    assert_ok(protea_adaptation_adapt(again, frames, 13, NULL));
    assert_ok(protea_adaptation_save(bn, "bn.safetensors"));
    size_t len = state_of(tent, &bytes);
    assert_int_equal(protea_adaptation_load(tent, "bn.safetensors"), PROTEA_ERR_INPUT);
    assert_int_equal(protea_adaptation_load(tent, MODEL), PROTEA_ERR_INPUT);
    assert_int_equal(protea_adaptation_load(tent, "nowhere"), PROTEA_ERR_INPUT);
    for (size_t cut = 0; cut < len; cut += len / 5) {
        write_file("cut.safetensors", bytes, cut);
        assert_int_equal(protea_adaptation_load(tent, "cut.safetensors"), PROTEA_ERR_INPUT);
    }
    protea_adaptation *small = opened("tent", (const char *const[]){ "batch_size", "4", NULL });
    assert_ok(protea_adaptation_save(tent, "five.safetensors"));
    assert_int_equal(protea_adaptation_load(small, "five.safetensors"), PROTEA_ERR_INPUT); /* five wait, four are a batch */
    assert_int_equal(protea_adaptation_save(tent, "/proc/nowhere/state"), PROTEA_ERR_IO);
    assert_same_state(tent, again);
    protea_free(bytes);
    protea_adaptation_free(tent);
    protea_adaptation_free(again);
    protea_adaptation_free(small);
    protea_adaptation_free(bn);
}

static void misuse_is_told(void **state)
{
    protea_adaptation *a;
    protea_prediction p;
    (void)state;
    assert_int_equal(protea_adaptation_new(&a, "tend"), PROTEA_ERR_USAGE);
    assert_null(a);
    assert_non_null(strstr(protea_last_error(), "tent"));
    assert_ok(protea_adaptation_new(&a, "tent"));
    assert_int_equal(protea_adaptation_adapt(a, frames, 1, &p), PROTEA_ERR_USAGE);
    assert_int_equal(protea_adaptation_save(a, "x"), PROTEA_ERR_USAGE);
    assert_int_equal(protea_adaptation_classes(a), 0);
    assert_int_equal(protea_adaptation_open(a, "nowhere", NULL), PROTEA_ERR_INPUT);
    assert_ok(protea_adaptation_open(a, MODEL, NULL));
    assert_int_equal(protea_adaptation_open(a, MODEL, NULL), PROTEA_ERR_USAGE);
    assert_int_equal(protea_adaptation_classes(a), CLASSES);
    assert_int_equal(protea_adaptation_image_size(a), SIDE);
    assert_string_equal(protea_adaptation_class(a, 2), "class 2");
    assert_string_equal(protea_adaptation_class(a, CLASSES), "");
    assert_string_equal(protea_adaptation_class(a, -1), "");
    protea_adaptation_free(a);
    protea_adaptation_free(NULL);
}

static void the_adapted_model_is_a_model(void **state)
{
    protea_adaptation *a = opened("tent", NULL), *b;
    float x[IMAGES * CLASSES], y[IMAGES * CLASSES];
    (void)state;
    assert_ok(protea_adaptation_adapt(a, frames, IMAGES, NULL));
    assert_ok(protea_adaptation_save_model(a, "adapted.safetensors"));
    assert_ok(protea_adaptation_new(&b, "source"));
    assert_ok(protea_adaptation_open(b, "adapted.safetensors", NULL));
    assert_ok(protea_adaptation_predict(a, frames, IMAGES, NULL, x));
    assert_ok(protea_adaptation_predict(b, frames, IMAGES, NULL, y));
    for (int i = 0; i < IMAGES * CLASSES; i++)
        assert_true(fabsf(x[i] - y[i]) < 1e-5f);
    protea_adaptation_free(a);
    protea_adaptation_free(b);
}

static int lines;
static void count_line(void *cookie, protea_log_level level, const char *line)
{
    (void)cookie;
    lines += level == PROTEA_LOG_WARN && strstr(line, "guard") != NULL;
}

/* A learning rate that no model survives: with the guard it is found, said, undone. */
static void the_guard_brings_it_back(void **state)
{
    static const char *const settings[] = { "lr", "1", "optimizer", "sgd", "update_param", "all", "guard", "true",
                                            "guard_window", "16", "guard_drift", "0.5", NULL };
    const protea_hooks hooks = { .log = count_line };
    protea_adaptation *a, *source = opened("source", NULL);
    protea_adaptation_status s;
    float x[IMAGES * CLASSES], y[IMAGES * CLASSES];
    (void)state;
    assert_ok(protea_adaptation_new(&a, "tent"));
    assert_ok(protea_options_set(protea_adaptation_options(a), "batch_size", "8", PROTEA_FROM_FLAG));
    for (int i = 0; settings[i] != NULL; i += 2)
        assert_ok(protea_options_set(protea_adaptation_options(a), settings[i], settings[i + 1], PROTEA_FROM_FLAG));
    assert_ok(protea_adaptation_open(a, MODEL, &hooks));
    for (int k = 0; k < 4; k++)
        assert_ok(protea_adaptation_adapt(a, frames, IMAGES, NULL));
    protea_adaptation_ask(a, &s);
    assert_true(s.rollbacks > 0);
    assert_int_equal(s.rollbacks, lines);
    assert_non_null(strstr(s.trouble, "back to"));
    assert_ok(protea_adaptation_reset(a));
    assert_ok(protea_adaptation_predict(a, frames, IMAGES, NULL, x));
    assert_ok(protea_adaptation_predict(source, frames, IMAGES, NULL, y));
    assert_memory_equal(x, y, sizeof x);
    protea_adaptation_free(a);
    protea_adaptation_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one_is_as_in_batches),
        cmocka_unit_test(waiting_images_are_predicted_at_once),
        cmocka_unit_test(saved_and_loaded_it_continues),
        cmocka_unit_test(reset_restores),
        cmocka_unit_test(frames_come_in_many_forms),
        cmocka_unit_test(what_cannot_be_used_changes_nothing),
        cmocka_unit_test(states_that_do_not_fit_are_refused),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(the_adapted_model_is_a_model),
        cmocka_unit_test(the_guard_brings_it_back),
    };
    return cmocka_run_group_tests(tests, set_up, temp_folder_leave);
}
