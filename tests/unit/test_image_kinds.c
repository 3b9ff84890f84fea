/* Proves: pictures of every kind that people have (tests/data/kinds.ref, by tools/oracle/kinds.py) come out as Pillow's pixels, and
 * the same through a folder, a tar (plain or packed) and a list; with the EXIF orientation applied where that is asked for;
 * damaged EXIF is as none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "image/orientation.h"
#include "support/records.h"
#include "support/small_sets.h"

enum { KINDS = 53 };

static void add_to_tar(struct archive *a, const char *name, protea_cursor file)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)file.left);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, file.at, file.left), (la_ssize_t)file.left);
    archive_entry_free(e);
}

static struct archive *begin_tar(const char *path, bool packed)
{
    struct archive *a = archive_write_new();
    archive_write_set_format_ustar(a);
    if (packed)
        assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    return a;
}

/* The files of the reference as kinds/, kinds.tar, kinds.tar.gz and kinds.txt. */
static void write_sets(void)
{
    protea_cursor left = { records, records_len }, body;
    const char *name;
    FILE *list = fopen("kinds.txt", "w");
    struct archive *plain = begin_tar("kinds.tar", false), *packed = begin_tar("kinds.tar.gz", true);
    assert_non_null(list);
    while (records_next(&left, &name, &body)) {
        char path[64];
        if (strncmp(name, "file ", 5) != 0)
            continue;
        snprintf(path, sizeof path, "kinds/%s", name + 5);
        write_file(path, body.at, body.left);
        fprintf(list, "%s\n", path);
        add_to_tar(plain, path, body);
        add_to_tar(packed, path, body);
    }
    fclose(list);
    assert_int_equal(archive_write_free(plain), ARCHIVE_OK);
    assert_int_equal(archive_write_free(packed), ARCHIVE_OK);
}

static int enter(void **state)
{
    if (records_load(TEST_DATA "/kinds.ref") != 0 || temp_folder_enter(state) != 0)
        return -1;
    write_sets();
    return 0;
}

static bool has(const char *wanted)
{
    protea_cursor left = { records, records_len }, body;
    const char *name;
    while (records_next(&left, &name, &body))
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

static void assert_all(const char *spec, bool exif)
{
    protea_source_opts opts = protea_source_opts_default();
    opts.limits.exif = exif;
    protea_source *s = open_with(spec, &opts);
    protea_image image = { 0 };
    for (int64_t i = 0; i < protea_source_count(s); i++) {
        char record[64];
        const char *name = strrchr(protea_source_name(s, i), '/');
        name = name != NULL ? name + 1 : protea_source_name(s, i);
        if (protea_source_read(s, i, &image) != PROTEA_OK)
            fail_msg("%s", protea_last_error());
        snprintf(record, sizeof record, "turned %s", name);
        if (!exif || !has(record))
            snprintf(record, sizeof record, "pixels %s", name);
        assert_near(&image, record, 0);
    }
    protea_image_release(&image);
    protea_source_close(s);
}

static void every_kind_through_every_source(void **state)
{
    (void)state;
    protea_source *s = open_set("kinds");
    assert_int_equal(protea_source_count(s), KINDS);
    protea_source_close(s);
    for (int exif = 0; exif < 2; exif++) {
        assert_all("kinds", exif);
        assert_all("kinds.tar", exif);
        assert_all("kinds.tar.gz", exif);
        assert_all("kinds.txt", exif);
    }
}

static void orientations_are_found(void **state)
{
    (void)state;
    char name[32];
    for (int turn = 1; turn <= 8; turn++) {
        snprintf(name, sizeof name, "file exif%d.jpg", turn);
        protea_cursor file = find(name);
        assert_int_equal(protea_image_orientation(file.at, file.left), turn);
    }
    protea_cursor file = find("file exif8_big_endian.jpg");
    assert_int_equal(protea_image_orientation(file.at, file.left), 8);
    file = find("file 444.jpg");
    assert_int_equal(protea_image_orientation(file.at, file.left), 1);
}

/* Cut anywhere, with any byte changed: some orientation, and no byte past the end (the sanitizers look). */
static void damaged_exif_does_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = { "file exif6.jpg", "file exif6.png", "file exif6.webp", "file exif8_big_endian.jpg" };
    for (int k = 0; k < 4; k++) {
        protea_cursor file = find(names[k]);
        for (size_t i = 0; i < file.left; i++) {
            uint8_t *copy = malloc(i + 1); /* of its own size, so that the sanitizer sees its end */
            memcpy(copy, file.at, i + 1);
            copy[i] ^= 0xff;
            int turn = protea_image_orientation(copy, i + 1);
            assert_in_range(turn, 1, 8);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_through_every_source), cmocka_unit_test(orientations_are_found),
        cmocka_unit_test(damaged_exif_does_no_harm),
    };
    return cmocka_run_group_tests(tests, enter, temp_folder_leave);
}
