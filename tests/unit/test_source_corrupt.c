/* Proves: a set seen through a corruption has its source's order, names and labels, each image what protea_corrupt makes of
 * it, whatever was read before; fingerprints tell corruptions apart; what is not there is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "data/source_corrupt.h"

enum { N = 12 };

static protea_source *open_synth(void)
{
    const protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    assert_int_equal(protea_source_open(&s, "synth:shapes,n=12,size=24", &opts), PROTEA_OK);
    return s;
}

static void images_are_corrupted_one_by_one(void **state)
{
    (void)state;
    protea_source *inner = open_synth(), *s;
    protea_image want = { 0 }, got = { 0 };
    int id = protea_corruption_find("gaussian_noise");
    assert_int_equal(protea_source_corrupted(&s, inner, id, 3, 5), PROTEA_OK);
    assert_int_equal(protea_source_count(s), N);
    assert_int_equal(protea_source_n_classes(s), protea_source_n_classes(inner));
    for (int64_t k = 0; k < 2 * N; k++) {
        int64_t i = k * 5 % N;
        assert_string_equal(protea_source_name(s, i), protea_source_name(inner, i));
        assert_int_equal(protea_source_label(s, i), protea_source_label(inner, i));
        protea_rng rng = protea_corrupt_rng(5, id, 3, i);
        assert_int_equal(protea_source_read(inner, i, &want), PROTEA_OK);
        assert_int_equal(protea_corrupt(&want, id, 3, &rng), PROTEA_OK);
        assert_int_equal(protea_source_read(s, i, &got), PROTEA_OK);
        assert_memory_equal(got.px, want.px, 24 * 24 * 3);
    }
    assert_string_equal(protea_source_class(s, 0), protea_source_class(inner, 0));
    protea_image_release(&want);
    protea_image_release(&got);
    protea_source_close(s);
    protea_source_close(inner);
}

static void fingerprints_differ(void **state)
{
    (void)state;
    const struct { int id, severity; uint64_t seed; } cases[] = { { 0, 1, 1 }, { 0, 2, 1 }, { 1, 1, 1 }, { 0, 1, 2 } };
    enum { CASES = sizeof cases / sizeof *cases };
    protea_source *inner = open_synth(), *s[CASES];
    for (int i = 0; i < CASES; i++) {
        assert_int_equal(protea_source_corrupted(&s[i], inner, cases[i].id, cases[i].severity, cases[i].seed), PROTEA_OK);
        assert_string_not_equal(protea_source_fingerprint(s[i]), protea_source_fingerprint(inner));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(protea_source_fingerprint(s[i]), protea_source_fingerprint(s[k]));
    }
    for (int i = 0; i < CASES; i++)
        protea_source_close(s[i]);
    protea_source_close(inner);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    protea_source *inner = open_synth(), *s;
    assert_int_equal(protea_source_corrupted(&s, inner, PROTEA_CORRUPTIONS, 1, 0), PROTEA_ERR_USAGE);
    assert_null(s);
    assert_int_equal(protea_source_corrupted(&s, inner, 0, 6, 0), PROTEA_ERR_USAGE);
    assert_null(s);
    protea_source_close(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_corrupted_one_by_one),
        cmocka_unit_test(fingerprints_differ),
        cmocka_unit_test(what_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
