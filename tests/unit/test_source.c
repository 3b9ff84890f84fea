/* Proves: folder, tar, compressed tar and CIFAR give the same pixels, order and labels; the class rule, ::SUB and limit;
 * hostile trees and damaged archives are survived or refused, never followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "data/source.h"
#include "support/small_sets.h"

static const char *const tree[] = { "cat/1.png", "cat/2.png", "dog/1.png", "dog/10.png", "dog/2.png", "emu/x.png" };
enum { TREE = 6 };

static void write_tar(const char *path, const char *format, const char *filter)
{
    write_tar_of(path, format, filter, tree, TREE);
}

/* The tree, whatever holds it: names end alike, labels cat dog emu, pixels by position. */
static void assert_is_tree(protea_source *s)
{
    const int32_t labels[TREE] = { 0, 0, 1, 1, 1, 2 };
    protea_image image = { 0 };
    assert_int_equal(protea_source_count(s), TREE);
    assert_int_equal(protea_source_n_classes(s), 3);
    assert_string_equal(protea_source_class(s, 0), "cat");
    assert_string_equal(protea_source_class(s, 2), "emu");
    for (int i = 0; i < TREE; i++) {
        const char *name = protea_source_name(s, i);
        assert_string_equal(name + strlen(name) - strlen(tree[i]), tree[i]);
        assert_int_equal(protea_source_label(s, i), labels[i]);
        for (int again = 0; again < 2; again++) { /* from the file, then from memory */
            assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
            assert_int_equal(image.w * 10 + image.h, 64);
            assert_int_equal(image.px[71], (uint8_t)(i * 37 + 71 * 3));
        }
    }
    protea_image_release(&image);
}

/* ---- tests */

static void one_set_many_holders(void **state)
{
    (void)state;
    const char *const formats[] = { "ustar", "pax", "gnutar", "v7tar" };
    for (int i = 0; i < TREE; i++) {
        char path[64];
        snprintf(path, sizeof path, "photos/%s", tree[i]);
        write_png(path, i);
    }
    protea_source *s = open_set("photos");
    assert_string_equal(protea_source_kind(s), "folder");
    assert_is_tree(s);
    char fingerprint[33];
    snprintf(fingerprint, sizeof fingerprint, "%s", protea_source_fingerprint(s));
    protea_source_close(s);
    for (int i = 0; i < 4; i++) {
        write_tar("plain.tar", formats[i], "none");
        s = open_set("plain.tar");
        assert_string_equal(protea_source_kind(s), "tar");
        assert_is_tree(s);
        assert_null(protea_source_warning(s));
        assert_string_equal(protea_source_fingerprint(s), fingerprint);
        protea_source_close(s);
    }
    const char *const filters[] = { "gzip", "xz", "zstd" };
    for (int i = 0; i < 3; i++) {
        write_tar("packed", "pax", filters[i]);
        s = open_set("packed");
        assert_is_tree(s);
        assert_true(protea_source_memory(s) > 3000);
        protea_source_close(s);
    }
}

static void sub_takes_a_part(void **state)
{
    (void)state;
    write_png("split/train/a/1.png", 1);
    write_png("split/train/b/1.png", 2);
    write_png("split/test/a/1.png", 3);
    write_png("split/test/c/1.png", 4);
    protea_source *s = open_set("split");
    assert_int_equal(protea_source_n_classes(s), 3); /* a of both parents is one class */
    protea_source_close(s);
    s = open_set("split::train/");
    assert_int_equal(protea_source_count(s), 2);
    assert_string_equal(protea_source_name(s, 1), "train/b/1.png");
    assert_string_equal(protea_source_class(s, 1), "b");
    protea_source_close(s);
    s = open_set("split::train/a");
    assert_int_equal(protea_source_n_classes(s), 0);
    assert_int_equal(protea_source_label(s, 0), -1);
    protea_source_close(s);
    assert_not_opened("split::tra", PROTEA_ERR_INPUT, "none under 'tra'");
    assert_not_opened("nothing::tra", PROTEA_ERR_INPUT, "no such data set");
    write_png("odd::name/a/1.png", 1);
    s = open_set("odd::name");
    assert_int_equal(protea_source_count(s), 1);
    protea_source_close(s);
}

static void what_is_a_class(void **state)
{
    (void)state;
    write_png("flat/1.png", 1);
    write_png("flat/2.png", 2);
    protea_source *s = open_set("flat");
    assert_int_equal(protea_source_n_classes(s), 0);
    protea_source_close(s);
    write_png("mixed/a/1.png", 1);
    write_png("mixed/b/deeper/2.png", 2);
    s = open_set("mixed");
    assert_int_equal(protea_source_n_classes(s), 0);
    protea_source_close(s);
    write_png("classes/b/1.png", 1);
    write_png("classes/a-b/2.png", 2); /* bytewise: a-b before a/ as paths, a before a-b as names */
    write_png("classes/a/3.png", 2);
    s = open_set("classes");
    assert_string_equal(protea_source_class(s, 0), "a");
    assert_string_equal(protea_source_class(s, 1), "a-b");
    assert_string_equal(protea_source_name(s, 0), "a-b/2.png");
    assert_int_equal(protea_source_label(s, 0), 1);
    protea_source_close(s);
    protea_source_opts opts = protea_source_opts_default();
    opts.no_labels = true;
    s = open_with("classes", &opts);
    assert_int_equal(protea_source_n_classes(s), 0);
    protea_source_close(s);
}

static void limit_is_even_and_repeatable(void **state)
{
    (void)state;
    const int sizes[3] = { 9, 2, 5 };
    for (int f = 0; f < 3; f++)
        for (int i = 0; i < sizes[f]; i++) {
            char path[64];
            snprintf(path, sizeof path, "uneven/f%d/%d.png", f, i);
            write_png(path, i);
        }
    protea_source_opts opts = protea_source_opts_default();
    for (int64_t limit = 1; limit <= 16; limit++) {
        int count[3] = { 0 };
        opts.limit = limit;
        opts.seed = 5;
        protea_source *s = open_with("uneven", &opts), *again = open_with("uneven", &opts);
        assert_int_equal(protea_source_count(s), limit);
        for (int64_t i = 0; i < limit; i++) {
            count[protea_source_label(s, i)]++;
            assert_string_equal(protea_source_name(s, i), protea_source_name(again, i));
        }
        for (int f = 0; f < 3; f++)
            for (int g = 0; g < 3; g++) /* no folder falls behind another unless it is used up */
                assert_true(count[f] >= count[g] - 1 || count[f] == sizes[f]);
        protea_source_close(s);
        protea_source_close(again);
    }
    opts.limit = 6;
    protea_source *one = open_with("uneven", &opts);
    int differing = 0;
    for (opts.seed = 6; opts.seed < 12; opts.seed++) {
        protea_source *other = open_with("uneven", &opts);
        differing += strcmp(protea_source_fingerprint(one), protea_source_fingerprint(other)) != 0;
        protea_source_close(other);
    }
    assert_true(differing > 0);
    protea_source_close(one);
}

static void hostile_trees(void **state)
{
    (void)state;
    write_png("wild/good/1.png", 1);
    write_png("wild/good/line\nfeed \x1b[31m\xff.png", 2);
    write_png("wild/good/named_as.txt", 3);              /* by content */
    write_png("wild/.hidden/4.png", 4);
    write_png("wild/good/._5.png", 5);
    write_file("wild/good/readme.txt", "hello, this is text", 19);
    write_file("wild/good/page.jpg", "<!DOCTYPE html>", 15);
    write_file("wild/good/empty.jpg", "", 0);
    assert_int_equal(mkfifo("wild/good/pipe.jpg", 0644), 0);
    assert_int_equal(mkfifo("wild/good/pipe", 0644), 0);
    assert_int_equal(symlink("/dev/zero", "wild/good/zero.png"), 0);
    assert_int_equal(symlink("nowhere", "wild/good/dangling.png"), 0);
    assert_int_equal(symlink("..", "wild/good/loop"), 0);
    assert_int_equal(symlink("self", "wild/self"), 0);
    assert_int_equal(symlink("good", "wild/again"), 0);
    write_png("elsewhere/linked/6.png", 6);
    assert_int_equal(symlink("../elsewhere/linked", "wild/linked"), 0);
    assert_int_equal(symlink("../elsewhere/linked", "wild/linked2"), 0);
    protea_source *s = open_set("wild");
    protea_image image = { 0 };
    int good = 0, bad = 0;
    for (int64_t i = 0; i < protea_source_count(s); i++) {
        protea_status status = protea_source_read(s, i, &image);
        assert_true(status == PROTEA_OK || status == PROTEA_ERR_INPUT);
        assert_null(strchr(protea_last_error(), '\n'));
        good += status == PROTEA_OK;
        bad += status != PROTEA_OK;
    }
    assert_int_equal(good, 4); /* 1, line feed, named_as.txt, linked/6 */
    assert_int_equal(bad, 5);  /* page, empty, pipe.jpg, zero, dangling */
    assert_string_equal(protea_source_name(s, protea_source_count(s) - 1), "linked/6.png");
    protea_image_release(&image);
    protea_source_close(s);
}

static void vanished_and_empty(void **state)
{
    (void)state;
    write_png("going/a/1.png", 1);
    write_png("going/b/1.png", 2);
    protea_source *s = open_set("going");
    protea_image image = { 0 };
    unlink("going/a/1.png");
    assert_int_equal(protea_source_read(s, 0, &image), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "going/a/1.png: cannot be opened: No such file"));
    assert_int_equal(protea_source_read(s, 1, &image), PROTEA_OK);
    unlink("going/b/1.png"); /* small pictures stay in memory once they are read */
    assert_int_equal(protea_source_read(s, 1, &image), PROTEA_OK);
    protea_image_release(&image);
    protea_source_close(s);
    mkdir("hollow", 0755);
    assert_not_opened("hollow", PROTEA_ERR_INPUT, "holds no images");
    write_file("text.txt", "hello", 5);
    assert_not_opened("text.txt", PROTEA_ERR_INPUT, "none of the 1 paths it lists is there, the first being hello");
    write_file("text", "hello", 5);
    assert_not_opened("text", PROTEA_ERR_INPUT, "wanted a folder");
    assert_not_opened("missing", PROTEA_ERR_INPUT, "no such data set");
    assert_int_equal(mkfifo("fifo", 0644), 0);
    assert_not_opened("fifo", PROTEA_ERR_INPUT, "is a FIFO");
}

static void tar_names(void **state)
{
    (void)state;
    static char deep[400];
    memset(deep, 'n', sizeof deep - 1);
    memcpy(deep, "a/", 2);
    memcpy(deep + 395, ".png", 5);
    const char *const names[] = { "./b/1.png", deep, "b/1.png", "b/.hidden.png", "b/note.txt" };
    const char *const formats[] = { "pax", "gnutar" };
    for (int i = 0; i < 2; i++) {
        write_tar_of("names.tar", formats[i], "none", names, 5);
        protea_source *s = open_set("names.tar");
        protea_image image = { 0 };
        assert_int_equal(protea_source_count(s), 3); /* the later b/1.png replaces the first; note.txt is a picture by content */
        assert_string_equal(protea_source_name(s, 0), deep);
        assert_int_equal(protea_source_read(s, 1, &image), PROTEA_OK);
        assert_int_equal(image.px[0], 2 * 37);
        protea_image_release(&image);
        protea_source_close(s);
    }
}

static size_t load(const char *path, uint8_t *bytes, size_t most)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, most, f);
    fclose(f);
    return len;
}

static uint8_t original[1 << 20], copy[1 << 20];

static void cut_tars_give_what_is_whole(void **state)
{
    (void)state;
    write_tar("whole.tar", "ustar", "none");
    size_t len = load("whole.tar", original, sizeof original);
    int64_t last = 0;
    for (size_t cut = 700; cut < len; cut += 333) {
        write_file("cut.tar", original, cut);
        protea_source_opts opts = protea_source_opts_default();
        protea_source *s;
        if (protea_source_open(&s, "cut.tar", &opts) != PROTEA_OK)
            continue;
        protea_image image = { 0 };
        int64_t n = protea_source_count(s);
        assert_true(n >= last);
        for (last = 0; last < n; last++)
            assert_int_equal(protea_source_read(s, last, &image), PROTEA_OK);
        if (n < TREE && cut % 512 != 0)
            assert_non_null(strstr(protea_source_warning(s), "images before it are used"));
        protea_image_release(&image);
        protea_source_close(s);
    }
    assert_int_equal(last, TREE);
}

static void fix_checksum(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static void lying_tars(void **state)
{
    (void)state;
    write_tar("whole.tar", "ustar", "none");
    size_t len = load("whole.tar", original, sizeof original);
    uint8_t *second = copy + 1024; /* each member is one block of header and one of data */
    memcpy(copy, original, len);
    second[0] ^= 1; /* checksum */
    write_file("lying.tar", copy, len);
    protea_source *s = open_set("lying.tar");
    assert_int_equal(protea_source_count(s), 1);
    assert_non_null(strstr(protea_source_warning(s), "header at byte 1024 has a wrong checksum"));
    protea_source_close(s);
    const char *const sizes[] = {
        "77777777777", "zzzzzzzzzzz", "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x01\0\0\0\0\0\0\0\0\0\x10",
    };
    for (int i = 0; i < 5; i++) {
        memcpy(copy, original, len);
        memcpy(second + 124, sizes[i], 12);
        fix_checksum(second);
        write_file("lying.tar", copy, len);
        s = open_set("lying.tar");
        assert_int_equal(protea_source_count(s), 1);
        assert_non_null(protea_source_warning(s));
        protea_source_close(s);
    }
    memcpy(copy, original, len);
    memset(second + 124, 0, 12); /* a true size in base 256 is taken */
    second[124] = 0x80;
    unsigned size = (unsigned)strtoul((const char *)original + 1024 + 124, NULL, 8);
    second[134] = (uint8_t)(size >> 8);
    second[135] = (uint8_t)size;
    fix_checksum(second);
    write_file("base256.tar", copy, len);
    s = open_set("base256.tar");
    assert_is_tree(s);
    protea_source_close(s);
}

/* Links and devices in a tar are passed over whatever they claim. */
static void tar_links_are_ignored(void **state)
{
    (void)state;
    write_tar("whole.tar", "ustar", "none");
    size_t len = load("whole.tar", original, sizeof original);
    memmove(original + 512, original, len);
    memset(original, 0, 512);
    snprintf((char *)original, 100, "cat/0.png");
    memcpy(original + 124, "00000000000", 12);
    memcpy(original + 157, "/etc/passwd", 12);
    original[156] = '2';
    fix_checksum(original);
    write_file("link.tar", original, len + 512);
    protea_source *s = open_set("link.tar");
    assert_is_tree(s);
    protea_source_close(s);
}

static void random_damage_to_tars(void **state)
{
    (void)state;
    write_tar("whole.tar", "pax", "none");
    size_t len = load("whole.tar", original, sizeof original);
    protea_rng rng = protea_rng_make(3, PROTEA_RNG_TEST, 0, 0, 0);
    protea_image image = { 0 };
    for (int round = 0; round < 300; round++) {
        memcpy(copy, original, len);
        uint8_t *header = copy + 512 * protea_rng_below(&rng, len / 512);
        for (int k = 0; k < 3; k++)
            header[protea_rng_below(&rng, 512)] = (uint8_t)protea_rng_u32(&rng);
        fix_checksum(header);
        write_file("random.tar", copy, len);
        protea_source_opts opts = protea_source_opts_default();
        protea_source *s;
        if (protea_source_open(&s, "random.tar", &opts) != PROTEA_OK)
            continue;
        for (int64_t i = 0; i < protea_source_count(s); i++)
            protea_source_read(s, i, &image);
        protea_source_close(s);
    }
    protea_image_release(&image);
}

static void packed_tars_have_limits(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    static char text[MANY][16];
    const char *names[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "%06d.png", i * 7919);
        names[i] = text[i];
    }
    write_tar_of("big.tar.gz", "ustar", "gzip", names, MANY);
    size_t len = load("big.tar.gz", original, sizeof original);
    protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    opts.limits.max_memory = 2048;
    assert_int_equal(protea_source_open(&s, "big.tar.gz", &opts), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "unpack it to a plain tar"));
    write_file("cut.tar.gz", original, len - 60);
    s = open_set("cut.tar.gz");
    assert_in_range(protea_source_count(s), MANY / 2, MANY - 1);
    assert_non_null(strstr(protea_source_warning(s), "damaged after"));
    protea_source_close(s);
    write_file("not.gz", "\x1f\x8b\x08 this is no gzip stream at all", 33);
    assert_not_opened("not.gz", PROTEA_ERR_INPUT, "not.gz");
}

enum { RECORD = 3073 };

static void cifar_files(void **state)
{
    (void)state;
    static uint8_t records[20 * RECORD];
    for (int i = 0; i < 20; i++) {
        records[i * RECORD] = (uint8_t)(i % 10);
        for (int k = 1; k < RECORD; k++)
            records[i * RECORD + k] = (uint8_t)(i + k / 1024 * 50);
    }
    write_file("cifar/data_batch_1.bin", records, 10 * RECORD);
    write_file("cifar/data_batch_2.bin", records + 10 * RECORD, 10 * RECORD);
    write_file("cifar/test_batch.bin", records, 5 * RECORD);
    protea_image image = { 0 };
    protea_source *s = open_set("cifar");
    assert_string_equal(protea_source_kind(s), "cifar10");
    assert_int_equal(protea_source_count(s), 20);
    assert_int_equal(protea_source_n_classes(s), 10);
    assert_string_equal(protea_source_class(s, 9), "truck");
    assert_string_equal(protea_source_name(s, 13), "data_batch_2.bin/cat/00003.png");
    assert_int_equal(protea_source_label(s, 13), 3);
    assert_int_equal(protea_source_read(s, 13, &image), PROTEA_OK);
    assert_int_equal(image.px[0], 13);
    assert_int_equal(image.px[4], 13 + 50);
    protea_source_close(s);
    s = open_set("cifar/test_batch.bin");
    assert_int_equal(protea_source_count(s), 5);
    protea_source_close(s);
    protea_image_release(&image);
    write_file("short/data_batch_1.bin", records, 10 * RECORD - 1);
    assert_not_opened("short", PROTEA_ERR_INPUT, "whole CIFAR-10 records");
    assert_not_opened("short/data_batch_1.bin", PROTEA_ERR_INPUT, "wanted a folder");
    records[RECORD] = 10;
    write_file("label/data_batch_1.bin", records, 10 * RECORD);
    assert_not_opened("label", PROTEA_ERR_INPUT, "record 1 has label 10");
}

static void bad_images_are_remembered(void **state)
{
    (void)state;
    write_png("flat/1.png", 1);
    write_png("flat/2.png", 2);
    write_png("flat/3.png", 2);
    protea_source *s = open_set("flat");
    const protea_skip *list;
    assert_int_equal(protea_source_skip(s, 2, "late"), PROTEA_OK);
    assert_int_equal(protea_source_skip(s, 0, "early"), PROTEA_OK);
    assert_int_equal(protea_source_skip(s, 2, "again"), PROTEA_OK);
    assert_int_equal(protea_source_skipped(s, &list), 2);
    assert_int_equal(list[0].index, 0);
    assert_string_equal(list[1].reason, "late");
    assert_true(protea_source_is_bad(s, 2));
    assert_false(protea_source_is_bad(s, 1));
    protea_source_close(s);
}

static void short_memory_is_an_error(void **state)
{
    (void)state;
    write_tar("packed.tar.xz", "pax", "xz");
    write_png("again/a/1.png", 1);
    write_png("again/b/1.png", 1);
    assert_int_equal(symlink("../flat", "again/c"), 0);
    const char *const specs[] = { "packed.tar.xz", "again", "synth:shapes,n=20", "cifar" };
    for (int k = 0; k < 4; k++) {
        protea_status status = PROTEA_ERR_MEMORY;
        for (long n = 1; n < 80 && status != PROTEA_OK; n++) {
            protea_source_opts opts = protea_source_opts_default();
            protea_source *s;
            protea_alloc_fail_after(n, 0);
            status = protea_source_open(&s, specs[k], &opts);
            protea_alloc_fail_after(0, 0);
            assert_true(status == PROTEA_OK || status == PROTEA_ERR_MEMORY);
            protea_source_close(s);
        }
        assert_int_equal(status, PROTEA_OK);
    }
}

/* Real photographs, where they lie beside the checkout. */
static void real_archives(void **state)
{
    (void)state;
    static const struct { const char *file; int64_t n; int classes, side; } sets[] = {
        { "cifar10-test.tar.xz", 10000, 10, 32 }, { "pacs128-photo.tar.xz", 1670, 7, 128 } };
    protea_image image = { 0 };
    for (int k = 0; k < 2; k++) {
        char path[512];
        snprintf(path, sizeof path, TEST_DATA "/../../../shared/data/%s", sets[k].file);
        if (access(path, R_OK) != 0)
            skip();
        protea_source *s = open_set(path);
        assert_int_equal(protea_source_count(s), sets[k].n);
        assert_int_equal(protea_source_n_classes(s), sets[k].classes);
        for (int64_t i = 0; i < sets[k].n; i += 7) {
            assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
            assert_int_equal(image.w, sets[k].side);
        }
        protea_source_close(s);
    }
    protea_image_release(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_set_many_holders), cmocka_unit_test(sub_takes_a_part), cmocka_unit_test(what_is_a_class),
        cmocka_unit_test(limit_is_even_and_repeatable), cmocka_unit_test(hostile_trees), cmocka_unit_test(vanished_and_empty),
        cmocka_unit_test(tar_names), cmocka_unit_test(cut_tars_give_what_is_whole), cmocka_unit_test(lying_tars),
        cmocka_unit_test(tar_links_are_ignored), cmocka_unit_test(random_damage_to_tars),
        cmocka_unit_test(packed_tars_have_limits), cmocka_unit_test(cifar_files), cmocka_unit_test(bad_images_are_remembered),
        cmocka_unit_test(short_memory_is_an_error), cmocka_unit_test(real_archives),
    };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}
