/* Proves: synth:shapes is a function of (seed, index), has ten even classes, that a seed changes images and not classes,
 * that nearest neighbours in pixels know little of the class, and that wrong specifications are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/source.h"

static protea_source *open_set(const char *spec)
{
    protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    if (protea_source_open(&s, spec, &opts) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return s;
}

static void classes_are_even(void **state)
{
    (void)state;
    int count[10] = { 0 };
    protea_source *s = open_set("synth:shapes,n=200");
    assert_string_equal(protea_source_kind(s), "synth");
    assert_int_equal(protea_source_n_classes(s), 10);
    for (int64_t i = 0; i < 200; i++)
        count[protea_source_label(s, i)]++;
    for (int c = 0; c < 10; c++)
        assert_int_equal(count[c], 20);
    assert_string_equal(protea_source_name(s, 0), "synth/shapes/bars/000000.png");
    assert_string_equal(protea_source_class(s, 9), "triangle");
    protea_source_close(s);
}

static void a_seed_changes_images_not_classes(void **state)
{
    (void)state;
    protea_source *a = open_set("synth:shapes,n=100,seed=3"), *b = open_set("synth:shapes,n=100,seed=4");
    protea_source *again = open_set("synth:shapes,seed=3,n=50,size=32");
    protea_image x = { 0 }, y = { 0 };
    int equal = 0;
    assert_string_not_equal(protea_source_fingerprint(a), protea_source_fingerprint(b));
    for (int64_t i = 0; i < 100; i++) {
        assert_int_equal(protea_source_label(a, i), protea_source_label(b, i));
        assert_string_equal(protea_source_name(a, i), protea_source_name(b, i));
        assert_int_equal(protea_source_read(a, i, &x), PROTEA_OK);
        assert_int_equal(protea_source_read(b, i, &y), PROTEA_OK);
        equal += memcmp(x.px, y.px, 32 * 32 * 3) == 0;
    }
    assert_int_equal(equal, 0);
    assert_int_equal(protea_source_read(a, 0, &x), PROTEA_OK); /* an image does not depend on n */
    assert_int_equal(protea_source_read(again, 0, &y), PROTEA_OK);
    assert_memory_equal(x.px, y.px, 32 * 32 * 3);
    protea_image_release(&x);
    protea_image_release(&y);
    protea_source_close(a);
    protea_source_close(b);
    protea_source_close(again);
}

static void other_sizes(void **state)
{
    (void)state;
    protea_image x = { 0 };
    for (int size = 8; size <= 200; size += 64) {
        char spec[64];
        snprintf(spec, sizeof spec, "synth:shapes,n=30,size=%d", size);
        protea_source *s = open_set(spec);
        for (int64_t i = 0; i < 30; i++)
            assert_int_equal(protea_source_read(s, i, &x), PROTEA_OK);
        assert_int_equal(x.w, size);
        protea_source_close(s);
    }
    protea_image_release(&x);
}

enum { N = 1500, VALUES = 32 * 32 * 3 };

/* One nearest neighbour by squared distance over the whole picture. Chance is 0.1. */
static void pixels_know_little(void **state)
{
    (void)state;
    static uint8_t px[N][VALUES];
    protea_source *s = open_set("synth:shapes,n=1500");
    protea_image x = { 0 };
    int hits = 0, queries = 0;
    for (int i = 0; i < N; i++) {
        assert_int_equal(protea_source_read(s, i, &x), PROTEA_OK);
        memcpy(px[i], x.px, VALUES);
    }
    for (int i = 0; i < N; i += 7, queries++) {
        int64_t nearest = INT64_MAX, label = -1;
        for (int j = 0; j < N; j++) {
            int64_t sum = 0;
            for (int k = 0; k < VALUES && i != j; k++)
                sum += (px[i][k] - px[j][k]) * (px[i][k] - px[j][k]);
            if (i != j && sum < nearest) {
                nearest = sum;
                label = protea_source_label(s, j);
            }
        }
        hits += label == protea_source_label(s, i);
    }
    assert_true(hits < 0.4 * queries); /* measured: about a third; chance is a tenth */
    protea_image_release(&x);
    protea_source_close(s);
}

static void wrong_specifications(void **state)
{
    (void)state;
    const char *const specs[][2] = {
        { "synth:shape", "wanted synth:shapes" }, { "synth:shapes,n=0", "n is '0'" }, { "synth:shapes,n=", "n is ''" },
        { "synth:shapes,n=5x", "n is '5x'" },     { "synth:shapes,size=4", "wanted 8 to 4096" },
        { "synth:shapes,k=4", "'k=4' is not known" }, { "synth:", "wanted synth:shapes" }, { "synth:shapes,", "'' is not known" },
    };
    protea_source_opts opts = protea_source_opts_default();
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        protea_source *s;
        assert_int_equal(protea_source_open(&s, specs[i][0], &opts), PROTEA_ERR_USAGE);
        if (strstr(protea_last_error(), specs[i][1]) == NULL)
            fail_msg("'%s' lacks '%s'", protea_last_error(), specs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_even), cmocka_unit_test(a_seed_changes_images_not_classes), cmocka_unit_test(other_sizes),
        cmocka_unit_test(pixels_know_little), cmocka_unit_test(wrong_specifications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
