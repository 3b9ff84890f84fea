/* Proves: the guard stays quiet on healthy models, on streams of few classes and on source models that are poor themselves,
 * and finds models that answer one class, that turn to noise, that have drifted; it forgets what lies behind its window. */
#include <math.h>
#include <stdlib.h>

#include "eval/guard.h"
#include "support/test_context.h"

enum { CLASSES = 10, BATCH = 50 };

static const protea_guard_opts defaults = { .guard = 1, .diversity = .7, .entropy = .5, .drift = 1, .window = 500 };

/* Predictions that are sure, with probability p, of one of the first `classes` classes in turn. */
static void fill(float *rows, int classes, float p)
{
    for (int i = 0; i < BATCH; i++)
        for (int c = 0; c < CLASSES; c++)
            rows[i * CLASSES + c] = c == i % classes ? p : (1 - p) / (CLASSES - 1);
}

typedef struct side { int classes; float p; } side;

static bool sick_after(protea_guard *g, int batches, side adapted, side source, double drift)
{
    float a[BATCH * CLASSES], s[BATCH * CLASSES];
    bool sick = false;
    fill(a, adapted.classes, adapted.p);
    fill(s, source.classes, source.p);
    for (int b = 0; b < batches; b++) {
        protea_guard_watch(g, a, s, BATCH);
        char text[160] = "";
        sick = !(protea_guard_strain(g, drift, text, sizeof text) <= 1);
        assert_true(text[0] != 0); /* it says what it found */
    }
    return sick;
}

static bool sick(int batches, side adapted, side source, double drift)
{
    protea_guard g;
    assert_ok(protea_guard_init(&g, &defaults, CLASSES));
    bool found = sick_after(&g, batches, adapted, source, drift);
    protea_guard_release(&g);
    return found;
}

static void healthy_models_are_left_alone(void **state)
{
    (void)state;
    assert_false(sick(40, (side){ 10, .9f }, (side){ 10, .8f }, 0));
    assert_false(sick(40, (side){ 10, .99f }, (side){ 10, .3f }, .9)); /* surer than the source: that is adaptation */
    assert_false(sick(40, (side){ 1, .9f }, (side){ 1, .9f }, 0));     /* the stream shows one class */
    assert_false(sick(40, (side){ 2, .9f }, (side){ 1, .9f }, 0));     /* the source sees nothing */
    assert_false(sick(40, (side){ 10, .1f }, (side){ 10, .12f }, 0));  /* both are noise */
}

static void one_class_is_found(void **state)
{
    (void)state;
    assert_true(sick(40, (side){ 1, .99f }, (side){ 10, .8f }, 0));
    assert_true(sick(40, (side){ 6, .99f }, (side){ 10, .9f }, 0));
    assert_false(sick(40, (side){ 8, .99f }, (side){ 10, .9f }, 0));
}

static void noise_is_found(void **state)
{
    (void)state;
    assert_true(sick(40, (side){ 10, .12f }, (side){ 10, .9f }, 0));
    assert_false(sick(40, (side){ 10, .8f }, (side){ 10, .9f }, 0));
}

static void drift_is_found_at_once(void **state)
{
    (void)state;
    assert_true(sick(1, (side){ 10, .9f }, (side){ 10, .9f }, 1.01));
    assert_true(sick(1, (side){ 10, .9f }, (side){ 10, .9f }, (double)NAN));
    assert_false(sick(1, (side){ 10, .9f }, (side){ 10, .9f }, 1));
}

/* Strain grows with the fault, so that a state can be told to be well before it is sick. */
static void strain_grows(void **state)
{
    double before = -1;
    char text[PROTEA_GUARD_TEXT];
    float a[BATCH * CLASSES], s[BATCH * CLASSES];
    (void)state;
    fill(s, 10, .9f);
    for (int classes = 10; classes >= 1; classes--) {
        protea_guard g;
        fill(a, classes, .9f);
        assert_ok(protea_guard_init(&g, &defaults, CLASSES));
        for (int b = 0; b < 20; b++)
            protea_guard_watch(&g, a, s, BATCH);
        double strain = protea_guard_strain(&g, 0, text, sizeof text);
        assert_true(strain > before);
        before = strain;
        protea_guard_release(&g);
    }
}

static void a_few_images_are_no_evidence(void **state)
{
    (void)state;
    assert_false(sick(4, (side){ 1, .99f }, (side){ 10, .9f }, 0));
    assert_true(sick(8, (side){ 1, .99f }, (side){ 10, .9f }, 0));
}

static void the_window_slides(void **state)
{
    protea_guard g;
    (void)state;
    assert_ok(protea_guard_init(&g, &defaults, CLASSES));
    assert_true(sick_after(&g, 40, (side){ 1, .99f }, (side){ 10, .9f }, 0));
    assert_false(sick_after(&g, 40, (side){ 10, .9f }, (side){ 10, .9f }, 0));
    assert_true(sick_after(&g, 40, (side){ 1, .99f }, (side){ 10, .9f }, 0));
    protea_guard_restart(&g);
    assert_false(protea_guard_is_awake(&g));
    assert_false(sick_after(&g, 4, (side){ 1, .99f }, (side){ 10, .9f }, 0));
    protea_guard_release(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_models_are_left_alone),
        cmocka_unit_test(one_class_is_found),
        cmocka_unit_test(noise_is_found),
        cmocka_unit_test(drift_is_found_at_once),
        cmocka_unit_test(strain_grows),
        cmocka_unit_test(a_few_images_are_no_evidence),
        cmocka_unit_test(the_window_slides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
