/* Proves: every generated set is a function of (seed, index), has ten even classes, that a seed changes images and not classes,
 * that nearest neighbours in pixels know little of the class (of scenes next to nothing), and that wrong specifications are
 * refused. */
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

static const char *const kinds[] = { "shapes", "scenes" };
enum { KINDS = sizeof kinds / sizeof *kinds };

/* synth:KIND and what follows it. */
static protea_source *open_kind(const char *kind, const char *rest)
{
    char spec[128];
    snprintf(spec, sizeof spec, "synth:%s%s", kind, rest);
    return open_set(spec);
}

static void classes_are_even(const char *kind)
{
    int count[10] = { 0 };
    char first[64];
    protea_source *s = open_kind(kind, ",n=200");
    assert_string_equal(protea_source_kind(s), "synth");
    assert_int_equal(protea_source_n_classes(s), 10);
    for (int64_t i = 0; i < 200; i++)
        count[protea_source_label(s, i)]++;
    for (int c = 0; c < 10; c++)
        assert_int_equal(count[c], 20);
    snprintf(first, sizeof first, "synth/%s/bars/000000.png", kind);
    assert_string_equal(protea_source_name(s, 0), first);
    assert_string_equal(protea_source_class(s, 9), "triangle");
    protea_source_close(s);
}

static void a_seed_changes_images_not_classes(const char *kind)
{
    protea_source *a = open_kind(kind, ",n=100,seed=3"), *b = open_kind(kind, ",n=100,seed=4");
    protea_source *again = open_kind(kind, ",seed=3,n=50,size=32");
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

static void other_sizes(const char *kind)
{
    protea_image x = { 0 };
    for (int size = 8; size <= 200; size += 64) {
        char rest[64];
        snprintf(rest, sizeof rest, ",n=30,size=%d", size);
        protea_source *s = open_kind(kind, rest);
        for (int64_t i = 0; i < 30; i++)
            assert_int_equal(protea_source_read(s, i, &x), PROTEA_OK);
        assert_int_equal(x.w, size);
        protea_source_close(s);
    }
    protea_image_release(&x);
}

static void every_kind(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        classes_are_even(kinds[k]);
        a_seed_changes_images_not_classes(kinds[k]);
        other_sizes(kinds[k]);
    }
}

enum { N = 1500, VALUES = 32 * 32 * 3 };

/* The share of images whose nearest neighbour by squared distance over the whole picture is of their class. */
static double nearest_by_pixels(const char *kind)
{
    static uint8_t px[N][VALUES];
    protea_source *s = open_kind(kind, ",n=1500");
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
    protea_image_release(&x);
    protea_source_close(s);
    return (double)hits / queries;
}

static void pixels_know_little(void **state)
{
    (void)state;
    double shapes = nearest_by_pixels("shapes"), scenes = nearest_by_pixels("scenes"); /* chance is a tenth */
    print_message("nearest neighbours in pixels: shapes %.3f, scenes %.3f\n", shapes, scenes);
    assert_true(shapes < 0.4); /* measured: about a third */
    assert_true(scenes < 0.2); /* measured: about a sixth */
}

static void wrong_specifications(void **state)
{
    (void)state;
    const char *const specs[][2] = {
        { "synth:shape", "synth:shapes synth:scenes" }, { "synth:shapes,n=0", "n is '0'" }, { "synth:shapes,n=", "n is ''" },
        { "synth:shapes,n=5x", "n is '5x'" },     { "synth:shapes,size=4", "wanted 8 to 4096" },
        { "synth:shapes,k=4", "'k=4' is not known" }, { "synth:", "synth:shapes synth:scenes" },
        { "synth:shapes,", "'' is not known" },
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
        cmocka_unit_test(every_kind), cmocka_unit_test(pixels_know_little), cmocka_unit_test(wrong_specifications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
