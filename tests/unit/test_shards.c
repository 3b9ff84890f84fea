/* Proves: braces stand for the names that shells make of them; tars named so are one set with one order, one set of classes and
 * the pixels of the files; a shard that is missing, no tar, or changed is said, and damage in one leaves the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/braces.h"
#include "support/small_sets.h"

/* words: the names, each followed by a blank. */
static void assert_names(const char *pattern, const char *words)
{
    protea_braces b;
    char all[512] = "";
    size_t len = 0;
    assert_int_equal(protea_braces_parse(&b, pattern), PROTEA_OK);
    for (int64_t i = 0; i < b.n; i++) {
        char *name;
        assert_int_equal(protea_braces_name(&name, &b, i), PROTEA_OK);
        len += (size_t)snprintf(all + len, sizeof all - len, "%s ", name);
        protea_free(name);
    }
    assert_string_equal(all, words);
}

static void braces_are_the_shells(void **state)
{
    (void)state;
    assert_names("s-{008..011}.tar", "s-008.tar s-009.tar s-010.tar s-011.tar ");
    assert_names("{9..11}", "9 10 11 ");
    assert_names("{3..1}", "3 2 1 ");
    assert_names("{7..7}x", "7x ");
    assert_names("{1..010}{a}", "001{a} 002{a} 003{a} 004{a} 005{a} 006{a} 007{a} 008{a} 009{a} 010{a} ");
    assert_names("{train,val}-{0..1}", "train-0 train-1 val-0 val-1 ");
    assert_names("a{,b}c", "ac abc ");
    assert_names("{a}{1..}{..2}{x..z}{", "{a}{1..}{..2}{x..z}{ ");
    assert_names("{{1..2}", "{1 {2 ");
}

static void too_many_names_are_refused(void **state)
{
    (void)state;
    protea_braces b;
    assert_int_equal(protea_braces_parse(&b, "{0..999999}"), PROTEA_ERR_INPUT);
    assert_int_equal(protea_braces_parse(&b, "{1..999}{1..999}"), PROTEA_ERR_INPUT);
    assert_int_equal(protea_braces_parse(&b, "{1..1}{1..1}{1..1}{1..1}{1..1}{1..1}{1..1}{1..1}{1..1}"), PROTEA_ERR_INPUT);
    assert_names("{0000000000..1}", "{0000000000..1} ");
}

/* One shard holds one class, as sorted shards often do. */
static const char *const first[] = { "cat/1.png", "cat/2.png" };
static const char *const second[] = { "cat/1.png", "dog/3.png", "dog/4.png" };

static void shards_are_one_set(void **state)
{
    (void)state;
    static const char *const names[] = { "s-00.tar/cat/1.png", "s-00.tar/cat/2.png", "s-01.tar/cat/1.png", "s-01.tar/dog/3.png",
                                         "s-01.tar/dog/4.png" };
    const uint8_t number[] = { 0, 1, 0, 1, 2 };
    write_tar_of("s-00.tar", "ustar", "none", first, 2);
    write_tar_of("s-01.tar", "pax", "gzip", second, 3);
    protea_source *s = open_set("s-{00..01}.tar");
    protea_image image = { 0 };
    assert_string_equal(protea_source_kind(s), "tar");
    assert_int_equal(protea_source_count(s), 5);
    assert_int_equal(protea_source_n_classes(s), 2);
    assert_string_equal(protea_source_class(s, 1), "dog");
    assert_null(protea_source_warning(s));
    for (int i = 0; i < 5; i++) {
        assert_string_equal(protea_source_name(s, i), names[i]);
        assert_int_equal(protea_source_label(s, i), i >= 3);
        assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
        assert_int_equal(image.px[0], (uint8_t)(number[i] * 37));
    }
    protea_image_release(&image);
    protea_source_close(s);
    s = open_set("s-{00..01}.tar::dog");
    assert_int_equal(protea_source_count(s), 2);
    protea_source_close(s);
}

static void folders_in_braces_tell_shards_apart(void **state)
{
    (void)state;
    mkdir("deep", 0755);
    mkdir("deep/a", 0755);
    mkdir("deep/b", 0755);
    static const char *const flat[] = { "1.png", "2.png" };
    write_tar_of("deep/a/x.tar", "ustar", "none", flat, 2);
    write_tar_of("deep/b/x.tar", "ustar", "none", flat, 2);
    protea_source *s = open_set("deep/{a,b}/x.tar");
    assert_int_equal(protea_source_count(s), 4);
    assert_int_equal(protea_source_n_classes(s), 0); /* a shard is no class */
    assert_string_equal(protea_source_name(s, 3), "b/x.tar/2.png");
    protea_source_close(s);
}

static void bad_shards_are_said(void **state)
{
    (void)state;
    write_tar_of("t-0.tar", "ustar", "none", first, 2);
    assert_not_opened("t-{0..1}.tar", PROTEA_ERR_INPUT, "t-1.tar: cannot be opened: No such file");
    write_file("t-1.tar", "hello", 5);
    assert_not_opened("t-{0..1}.tar", PROTEA_ERR_INPUT, "t-1.tar: is no tar");
    write_tar_of("t-1.tar", "ustar", "none", second, 3);
    write_tar_of("t-2.tar", "ustar", "none", second, 3);
    assert_int_equal(truncate("t-1.tar", 1500), 0);
    assert_int_equal(truncate("t-2.tar", 1500), 0);
    protea_source *s = open_set("t-{0..2}.tar");
    protea_image image = { 0 };
    assert_int_equal(protea_source_count(s), 4);
    assert_non_null(strstr(protea_source_warning(s), "t-1.tar: cut off"));
    assert_non_null(strstr(protea_source_warning(s), "1 more archives are damaged"));
    assert_int_equal(truncate("t-0.tar", 100), 0);
    assert_int_equal(protea_source_read(s, 0, &image), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "is not the file that was opened before"));
    assert_int_equal(protea_source_read(s, 2, &image), PROTEA_OK);
    protea_image_release(&image);
    protea_source_close(s);
}

/* Whichever allocation fails: an error or a set, and nothing leaks. */
static void short_memory_is_an_error(void **state)
{
    (void)state;
    protea_status status = PROTEA_ERR_MEMORY;
    write_tar_of("m-0.tar", "ustar", "gzip", first, 2);
    write_tar_of("m-1.tar", "ustar", "none", second, 3);
    for (long n = 1; n < 80 && status != PROTEA_OK; n++) {
        protea_source_opts opts = protea_source_opts_default();
        protea_source *s;
        protea_alloc_fail_after(n, 0);
        status = protea_source_open(&s, "m-{0,1}.tar", &opts);
        protea_alloc_fail_after(0, 0);
        assert_true(status == PROTEA_OK || status == PROTEA_ERR_MEMORY);
        protea_source_close(s);
    }
    assert_int_equal(status, PROTEA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braces_are_the_shells), cmocka_unit_test(too_many_names_are_refused),
        cmocka_unit_test(shards_are_one_set),    cmocka_unit_test(folders_in_braces_tell_shards_apart),
        cmocka_unit_test(bad_shards_are_said),   cmocka_unit_test(short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}
