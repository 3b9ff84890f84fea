/* Small data sets on disk, and opening them. */
#ifndef PROTEA_TESTS_SUPPORT_SMALL_SETS_H
#define PROTEA_TESTS_SUPPORT_SMALL_SETS_H

#include <archive.h>
#include <archive_entry.h>

#include "base/alloc.h"
#include "data/source.h"
#include "support/temp_folder.h"

/* A 6 x 4 PNG whose pixels come from the number. */
static inline void make_png(int number, uint8_t **bytes, size_t *len)
{
    protea_image image = { 0 };
    assert_int_equal(protea_image_reserve(&image, 6, 4), PROTEA_OK);
    for (int i = 0; i < 72; i++)
        image.px[i] = (uint8_t)(number * 37 + i * 3);
    assert_int_equal(protea_image_encode_png(bytes, len, &image), PROTEA_OK);
    protea_image_release(&image);
}

static inline void write_png(const char *path, int number)
{
    uint8_t *bytes;
    size_t len;
    make_png(number, &bytes, &len);
    write_file(path, bytes, len);
    protea_free(bytes);
}

/* Member i is the picture of number i. format: of archive_write_set_format_by_name; filter: "none", "gzip", "xz", "zstd". */
static inline void write_tar_of(const char *path, const char *format, const char *filter, const char *const *names, int n)
{
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
    if (strcmp(filter, "none") != 0)
        assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (int i = 0; i < n; i++) {
        uint8_t *bytes;
        size_t len;
        make_png(i, &bytes, &len);
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, names[i]);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)len);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, bytes, len), (la_ssize_t)len);
        archive_entry_free(e);
        protea_free(bytes);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static inline protea_source *open_with(const char *spec, const protea_source_opts *opts)
{
    protea_source *s;
    if (protea_source_open(&s, spec, opts) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return s;
}

static inline protea_source *open_set(const char *spec)
{
    protea_source_opts opts = protea_source_opts_default();
    return open_with(spec, &opts);
}

static inline void assert_not_opened(const char *spec, protea_status status, const char *words)
{
    protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    assert_int_equal(protea_source_open(&s, spec, &opts), status);
    assert_null(s);
    if (strstr(protea_last_error(), words) == NULL)
        fail_msg("message '%s' lacks '%s'", protea_last_error(), words);
}

#endif
