/* Proves: each ailment is found from the curves and settings that show it, and a healthy run is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/doctor.h"

enum { POINTS = 40, EPOCHS = 20, MOST = 8 };

/* A run of 1,000 images that is as it should be. */
typedef struct fake {
    protea_run_record record;
    protea_setting setting[MOST];
    protea_curve curve[MOST];
    double x[POINTS], y[MOST][POINTS];
} fake;

static void set(fake *f, const char *key, const char *value)
{
    for (int i = 0; i < f->record.n_settings; i++)
        if (strcmp(f->setting[i].key, key) == 0) {
            f->setting[i].value = (char *)(uintptr_t)value;
            return;
        }
    f->setting[f->record.n_settings++] = (protea_setting){ (char *)(uintptr_t)key, (char *)(uintptr_t)value, NULL };
}

/* The curve's values; made where there is none. */
static double *curve(fake *f, const char *name)
{
    for (int i = 0; i < f->record.n_curves; i++)
        if (strcmp(f->curve[i].name, name) == 0)
            return f->y[i];
    int at = f->record.n_curves++;
    f->curve[at] = (protea_curve){ .name = (char *)(uintptr_t)name, .x = f->x, .y = f->y[at], .n = POINTS };
    return f->y[at];
}

static void fill(double *y, double first, double last)
{
    for (int i = 0; i < POINTS; i++)
        y[i] = first + (last - first) * i / (POINTS - 1);
}

static fake *healthy(void)
{
    static fake f;
    f = (fake){ .record = { .steps = 200, .epochs = EPOCHS, .in_epochs = true } };
    f.record.setting = f.setting;
    f.record.curve = f.curve;
    for (int i = 0; i < POINTS; i++)
        f.x[i] = (double)(i + 1) * EPOCHS / POINTS;
    set(&f, "kind", "swav");
    set(&f, "batch_size", "100");
    set(&f, "epochs", "20");
    set(&f, "nmb_prototypes", "50");
    fill(curve(&f, "loss"), 3.9, 2);
    fill(curve(&f, "loss_over_ln_k"), 1, 0.5);
    fill(curve(&f, "embedding_std"), 0.9, 0.95);
    fill(curve(&f, "prototypes_used"), 40, 45);
    return &f;
}

static bool is_found(const fake *f, const char *what)
{
    protea_findings found;
    protea_doctor_examine(&found, &f->record, 0, 0);
    for (int i = 0; i < found.n; i++) {
        assert_true(strlen(found.item[i].why) > 10 && strlen(found.item[i].remedy) > 4);
        if (strstr(found.item[i].what, what) != NULL)
            return true;
    }
    return false;
}

static void want(const fake *f, const char *what)
{
    if (!is_found(f, what))
        fail_msg("\"%s\" wanted among the findings", what);
}

static void nothing_wrong(void **state)
{
    (void)state;
    protea_findings found;
    const fake *f = healthy();
    protea_doctor_examine(&found, &f->record, 2, 50);
    assert_int_equal(found.n, 0);
    const protea_run_record empty = { 0 };
    protea_doctor_examine(&found, &empty, 0, 0);
    assert_int_equal(found.n, 0);
}

static void from_curves(void **state)
{
    (void)state;
    fake *f = healthy();
    fill(curve(f, "embedding_std"), 0.1, 0);
    want(f, "collapsed");
    f = healthy();
    fill(curve(f, "loss_over_ln_k"), 1, 0.999);
    want(f, "stuck at ln K");
    f = healthy();
    fill(curve(f, "loss"), 3.9, 3.89);
    want(f, "hardly falls");
    f = healthy();
    fill(curve(f, "loss"), 2, 3);
    want(f, "rises");
    f = healthy();
    curve(f, "loss")[25] += 2;
    want(f, "spikes");
    f = healthy();
    fill(curve(f, "prototypes_used"), 20, 5);
    want(f, "unused");
    f = healthy();
    fill(curve(f, "largest_cluster"), 0.1, 0.8);
    want(f, "one cluster");
    f = healthy();
    fill(curve(f, "wait_share"), 0.1, 0.6);
    want(f, "waits for images");
    f = healthy();
    fill(curve(f, "knn_top1"), 0.6, 0.5);
    want(f, "got worse");
}

/* What is a collapse, and what a start, differs. */
static void by_method(void **state)
{
    (void)state;
    fake *f = healthy();
    fill(curve(f, "embedding_std"), 0.2, 0.06); /* 0.08 over the last quarter */
    assert_false(is_found(f, "collapsed"));
    set(f, "kind", "simsiam");
    want(f, "collapsed");
    f = healthy();
    set(f, "kind", "moco");
    fill(curve(f, "loss_over_ln_k"), 1, 0.999);
    want(f, "queries do not know their keys");
    f = healthy();
    set(f, "kind", "deepcluster-v2");
    fill(curve(f, "clusters_used"), 30, 30);
    assert_false(is_found(f, "clusters go unused"));
    fill(curve(f, "clusters_used"), 30, 10);
    want(f, "clusters go unused");
}

/* Minutes may end a run before its epochs; a length may be a share of it. */
static void by_time(void **state)
{
    (void)state;
    fake *f = healthy();
    set(f, "epochs", "200");
    want(f, "has not ended");
    set(f, "max_minutes", "30");
    f->record.seconds = 300;
    want(f, "has not ended");
    f->record.seconds = 1700;
    assert_false(is_found(f, "has not ended"));
    set(f, "queue_length", "60");
    set(f, "epoch_queue_starts", "50%"); /* epoch 10 of the 20 that fitted */
    double *loss = curve(f, "loss");
    for (int i = POINTS / 2; i < POINTS; i++)
        loss[i] = 3.2;
    want(f, "queue came too early");
    set(f, "max_minutes", "0");
    set(f, "epochs", "20");
    want(f, "queue came too early");
}

static void from_settings(void **state)
{
    (void)state;
    fake *f = healthy();
    set(f, "nmb_prototypes", "101"); /* 1,000 images */
    want(f, "too few images");
    want(f, "blurred");
    f = healthy();
    set(f, "queue_length", "60");
    set(f, "nmb_prototypes", "30");
    set(f, "epoch_queue_starts", "10");
    double *loss = curve(f, "loss");
    fill(loss, 3.9, 2);
    for (int i = POINTS / 2; i < POINTS; i++)
        loss[i] = 3.2;
    want(f, "queue came too early");
    f = healthy();
    set(f, "epochs", "30");
    want(f, "has not ended");
    f = healthy();
    f->record.warning = (char *)(uintptr_t)"beware of the dog";
    want(f, "warning");
    f = healthy();
    f->record.steps = 0;
    want(f, "nothing was logged");
    f = healthy();
    char *skipped[2] = { (char *)(uintptr_t)"a.jpg", (char *)(uintptr_t)"is empty" };
    f->record.skipped = skipped;
    f->record.n_skipped = 1;
    want(f, "could not be used");
}

static void doubles(void **state)
{
    (void)state;
    protea_findings found;
    const fake *f = healthy();
    protea_doctor_examine(&found, &f->record, 20, 50);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.item[0].what, "prototypes are doubles of others");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_wrong), cmocka_unit_test(from_curves),
                                        cmocka_unit_test(by_method), cmocka_unit_test(by_time),
                                        cmocka_unit_test(from_settings), cmocka_unit_test(doubles) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
