/* Proves: a share takes its part of every class, rounded and never nothing, a number just that many; choices follow the seed and
 * are nested; a list takes what it names, by path or by a file's name; labels and pictures are those of the whole set. What
 * cannot be had is refused by name: too few images, classes left out, names that are unknown, of several or there twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/labelled_part.h"
#include "support/small_sets.h"

enum { OF_A = 3, OF_B = 40, OF_C = 250 };

/* Three classes of 3, 40 and 250 images; b/shared.png and c/shared.png have one name. */
static int make_set(void **state)
{
    static const struct { const char *class; int n; } classes[] = { { "a", OF_A }, { "b", OF_B - 1 }, { "c", OF_C - 1 } };
    char path[64];
    if (temp_folder_enter(state) != 0)
        return 1;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < classes[k].n; i++) {
            snprintf(path, sizeof path, "set/%s/%s%03d.png", classes[k].class, classes[k].class, i);
            write_png(path, 50 * k + i);
        }
    write_png("set/b/shared.png", 1);
    write_png("set/c/shared.png", 2);
    return 0;
}

static protea_status open_part(protea_source **part, protea_source *whole, const char *labels, uint64_t seed)
{
    protea_part_wish wish;
    assert_int_equal(protea_part_wish_read(&wish, labels), PROTEA_OK);
    return protea_labelled_part_open(part, whole, &wish, seed, "set");
}

static protea_source *part_of(protea_source *whole, const char *labels, uint64_t seed)
{
    protea_source *part;
    if (open_part(&part, whole, labels, seed) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return part;
}

static void check_counts(const char *labels, int a, int b, int c)
{
    protea_source *whole = open_set("set"), *part = part_of(whole, labels, 1);
    int found[3] = { 0 };
    for (int64_t i = 0; i < protea_source_count(part); i++) {
        found[protea_source_label(part, i)]++;
        assert_int_equal(protea_source_name(part, i)[0], "abc"[protea_source_label(part, i)]);
    }
    assert_int_equal(found[0], a);
    assert_int_equal(found[1], b);
    assert_int_equal(found[2], c);
    protea_source_close(part);
    protea_source_close(whole);
}

static void each_class_gives_its_part(void **state)
{
    (void)state;
    check_counts("1%", 1, 1, 3); /* 0.03, 0.4 and 2.5, rounded, one at least */
    check_counts("10%", 1, 4, 25);
    check_counts("50%", 2, 20, 125);
    check_counts("100%", OF_A, OF_B, OF_C);
    check_counts("3", 3, 3, 3);
}

static bool has(const protea_source *set, const char *name)
{
    for (int64_t i = 0; i < protea_source_count(set); i++)
        if (strcmp(protea_source_name(set, i), name) == 0)
            return true;
    return false;
}

static int64_t in_common(const protea_source *a, const protea_source *b)
{
    int64_t n = 0;
    for (int64_t i = 0; i < protea_source_count(a); i++)
        n += has(b, protea_source_name(a, i));
    return n;
}

static void choices_follow_the_seed(void **state)
{
    (void)state;
    protea_source *whole = open_set("set"), *some = part_of(whole, "10%", 7), *again = part_of(whole, "10%", 7);
    protea_source *fewer = part_of(whole, "4%", 7), *other = part_of(whole, "10%", 8);
    assert_string_equal(protea_source_fingerprint(some), protea_source_fingerprint(again));
    assert_int_equal(in_common(fewer, some), protea_source_count(fewer));
    assert_true(in_common(other, some) < 15); /* of 30; by chance about three */
    protea_source_close(some), protea_source_close(again), protea_source_close(fewer), protea_source_close(other);
    protea_source_close(whole);
}

static void assert_same_picture(const protea_source *a, int64_t i, const protea_source *b, int64_t j)
{
    protea_image x = { 0 }, y = { 0 };
    assert_int_equal(protea_source_read(a, i, &x), PROTEA_OK);
    assert_int_equal(protea_source_read(b, j, &y), PROTEA_OK);
    assert_memory_equal(x.px, y.px, 3 * (size_t)(x.w * x.h));
    protea_image_release(&x);
    protea_image_release(&y);
}

static void a_list_takes_what_it_names(void **state)
{
    static const char list[] = "c/c007.png\r\n\n  \nb001.png \na/a002.png\nc/shared.png";
    static const char *const wanted[] = { "a/a002.png", "b/b001.png", "c/c007.png", "c/shared.png" };
    (void)state;
    write_file("list.txt", list, strlen(list));
    protea_source *whole = open_set("set"), *part = part_of(whole, "list.txt", 1);
    assert_int_equal(protea_source_count(part), 4);
    for (int64_t i = 0; i < 4; i++) {
        assert_string_equal(protea_source_name(part, i), wanted[i]);
        assert_int_equal(protea_source_class(part, protea_source_label(part, i))[0], wanted[i][0]);
    }
    assert_same_picture(part, 0, whole, 2);
    assert_int_equal(protea_source_n_classes(part), 3);
    protea_source_close(part);
    protea_source_close(whole);
}

static void check_refused(const char *labels, const char *words)
{
    protea_source *whole = open_set("set"), *part;
    assert_int_equal(open_part(&part, whole, labels, 1), PROTEA_ERR_INPUT);
    assert_null(part);
    if (strstr(protea_last_error(), words) == NULL)
        fail_msg("message '%s' lacks '%s'", protea_last_error(), words);
    protea_source_close(whole);
}

static void check_list_refused(const char *list, const char *words)
{
    write_file("bad.txt", list, strlen(list));
    check_refused("bad.txt", words);
}

static void what_cannot_be_had(void **state)
{
    (void)state;
    check_refused("4", "its class a has 3 images, 4 wanted");
    check_refused("nothing.txt", "nothing.txt");
    check_list_refused("a/a000.png\nb/b000.png\n", "names no image of the class c of set");
    check_list_refused("\n", "names no image of the class a");
    check_list_refused("", "names no image of the class a");
    check_list_refused("a/a000.png\na/a009.png\n", "line 2: a/a009.png is no image of set");
    check_list_refused("\nshared.png\n", "line 2: several images of set are called shared.png");
    check_list_refused("a/a000.png\n\na000.png\n", "line 3: a/a000.png is named a second time");
    write_file("zeros.txt", "a\0b", 3);
    check_refused("zeros.txt", "NUL");
}

static void no_classes_no_part(void **state)
{
    (void)state;
    protea_source *whole = open_set("set/a"), *part;
    assert_int_equal(open_part(&part, whole, "10%", 1), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "no classes"));
    protea_source_close(whole);
    write_file("some.csv", "set/a/a000.png,x\nset/a/a001.png,\nset/a/a002.png,y\n", 50);
    whole = open_set("some.csv");
    part = part_of(whole, "1", 1); /* an image without a label is in no class */
    assert_int_equal(protea_source_count(part), 2);
    protea_source_close(part);
    write_file("bad.txt", "a001.png\n", 9);
    assert_int_equal(open_part(&part, whole, "bad.txt", 1), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "has no class"));
    protea_source_close(whole);
}

static void wishes_that_are_none(void **state)
{
    static const char *const none[] = { "", "0", "0%", "-3%", "101%", "nan%", "00000", "99999999999999999999" };
    protea_part_wish wish;
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(protea_part_wish_read(&wish, none[i]), PROTEA_ERR_USAGE);
    assert_int_equal(protea_part_wish_read(&wish, "12.5%"), PROTEA_OK);
    assert_float_equal(wish.share, .125, 1e-12);
    assert_int_equal(protea_part_wish_read(&wish, "./40"), PROTEA_OK);
    assert_string_equal(wish.list, "./40");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_gives_its_part), cmocka_unit_test(choices_follow_the_seed),
        cmocka_unit_test(a_list_takes_what_it_names), cmocka_unit_test(what_cannot_be_had),
        cmocka_unit_test(no_classes_no_part), cmocka_unit_test(wishes_that_are_none),
    };
    return cmocka_run_group_tests(tests, make_set, temp_folder_leave);
}
