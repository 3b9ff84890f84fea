/* Proves: what a file may ask of us has a limit that its message names, and is refused before memory is taken; trees of links,
 * kernel files and names of any bytes are walked to an end, each folder once, and nothing of them is shown raw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <zlib.h>

#include "data/tar_index.h"
#include "format/npy.h"
#include "format/safetensors.h"
#include "image/decode.h"
#include "support/small_sets.h"

/* ---- limits */

static void write_gz_zeros(const char *path, size_t len)
{
    static const uint8_t zeros[1 << 16];
    gzFile f = gzopen(path, "wb9");
    assert_non_null(f);
    for (size_t done = 0; done < len; done += sizeof zeros)
        assert_int_equal(gzwrite(f, zeros, sizeof zeros), sizeof zeros);
    assert_int_equal(gzclose(f), Z_OK);
}

static void unpacking_stops_at_a_ratio(void **state)
{
    (void)state;
    write_gz_zeros("bomb.gz", 8 << 20);
    protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    opts.limits.max_memory = 64 << 20; /* so that a MiB is unpacked in any case */
    assert_int_equal(protea_source_open(&s, "bomb.gz", &opts), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "bomb.gz: unpacks to more than 500 times its size"));
    opts.limits.max_ratio = 2000;
    assert_int_equal(protea_source_open(&s, "bomb.gz", &opts), PROTEA_ERR_INPUT);
    assert_null(strstr(protea_last_error(), "times its size"));
    write_gz_zeros("small.gz", 1 << 20); /* many times its size, but little */
    opts = protea_source_opts_default();
    assert_int_equal(protea_source_open(&s, "small.gz", &opts), PROTEA_ERR_INPUT);
    assert_null(strstr(protea_last_error(), "times its size"));
}

/* A file of that size, of which only the beginning takes room on the disk. */
static void write_sparse(const char *path, const void *head, size_t len, int64_t size)
{
    write_file(path, head, len);
    assert_int_equal(truncate(path, size), 0);
}

static void npy_head(char out[static 128], const char *type, const char *shape)
{
    char text[100];
    int len = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    memset(out, ' ', 128);
    memcpy(out, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(out + 10, text, (size_t)len);
    out[127] = '\n';
}

static void sets_have_a_largest_size(void **state)
{
    (void)state;
    char head[128];
    npy_head(head, "|u1", "50000001, 1, 1, 3");
    write_sparse("many.npy", head, 128, 128 + 50000001ll * 3);
    assert_not_opened("many.npy", PROTEA_ERR_INPUT, "many.npy: 50000001 images found, at most 50000000 are read");
    const uint8_t idx[16] = { 0, 0, 8, 3, 0x02, 0xfa, 0xf0, 0x81, 0, 0, 0, 1, 0, 0, 0, 1 };
    write_sparse("many-idx", idx, 16, 16 + 50000001);
    assert_not_opened("many-idx", PROTEA_ERR_INPUT, "many-idx: 50000001 images found, at most 50000000 are read");
    write_sparse("many.bin", "", 0, 50000001ll * 3073);
    assert_not_opened("many.bin", PROTEA_ERR_INPUT, "many.bin: 50000001 images found, at most 50000000 are read");
    npy_head(head, "|u1", "1, 1, 1, 3");
    write_sparse("one.npy", head, 128, 131);
    npy_head(head, "<i8", "50000001,");
    write_sparse("one-labels.npy", head, 128, 128 + 50000001ll * 8);
    assert_not_opened("one.npy", PROTEA_ERR_INPUT, "one-labels.npy: 50000001 elements found, at most 50000000 wanted");
}

/* Sizes whose product fits in no signed number, with a last one of 0 that hides it. */
static void shapes_that_overflow_are_refused(void **state)
{
    (void)state;
    char head[128];
    protea_tensor t;
    npy_head(head, "|u1", "1099511627776, 8388608, 0");
    write_file("over.npy", head, 128);
    assert_int_equal(protea_npy_read(&t, "over.npy"), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "larger than any memory"));
    static const char json[] = "{\"w\":{\"dtype\":\"U8\",\"shape\":[1099511627776,8388608,0],\"data_offsets\":[0,0]}}";
    char file[8 + sizeof json] = { (char)(sizeof json - 1) };
    memcpy(file + 8, json, sizeof json - 1);
    write_file("over.safetensors", file, 8 + sizeof json - 1);
    protea_st_file *f;
    assert_int_equal(protea_st_open(&f, "over.safetensors"), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "a shape that cannot be"));
}

static void headers_have_limits(void **state)
{
    (void)state;
    protea_st_file *f;
    write_sparse("long.safetensors", "\x01\xe1\xf5\x05\0\0\0\0{", 9, 200000000);
    assert_int_equal(protea_st_open(&f, "long.safetensors"), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "a header of 100000001 bytes found, at most 100000000 are read"));
    static uint8_t tar[8192];
    snprintf((char *)tar, 100, "long");
    memcpy(tar + 124, "00004000001", 12); /* a MiB and one byte */
    tar[156] = 'x';
    unsigned sum = 8 * ' ';
    for (int i = 0; i < 512; i++)
        sum += tar[i];
    snprintf((char *)tar + 148, 8, "%06o", sum);
    write_sparse("pax.tar", tar, sizeof tar, 4 << 20);
    assert_not_opened("pax.tar", PROTEA_ERR_INPUT, "pax.tar");
    protea_catalog c = { 0 };
    char *damage;
    int fd = open("pax.tar", O_RDONLY);
    const protea_blob blob = { .fd = fd, .size = 4 << 20 };
    assert_int_equal(protea_tar_index(&c, &blob, "pax.tar", &damage), PROTEA_OK);
    assert_non_null(strstr(damage, "1048577 bytes about a member, at most 1048576 are read"));
    protea_free(damage);
    close(fd);
}

static void put32(uint8_t *out, uLong v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A PNG of 6 x 4 pixels with a text of that many zeros, compressed, before them. */
static size_t png_with_text(uint8_t *out, size_t zeros)
{
    uint8_t *png, *text = calloc(1, zeros);
    size_t len;
    uLongf packed = 1 << 20;
    make_png(1, &png, &len);
    memcpy(out, png, 33);
    memcpy(out + 37, "zTXtT\0\0", 7);
    assert_int_equal(compress2(out + 44, &packed, text, zeros, 9), Z_OK);
    put32(out + 33, packed + 3);
    put32(out + 44 + packed, crc32(0, out + 37, (uInt)packed + 7));
    memcpy(out + 48 + packed, png + 33, len - 33);
    free(text);
    protea_free(png);
    return len + 15 + packed;
}

static void texts_in_a_png_have_a_limit(void **state)
{
    (void)state;
    static uint8_t png[1 << 21];
    const protea_limits limits = protea_limits_default();
    protea_image image = { 0 };
    size_t len = png_with_text(png, 1 << 20);
    assert_int_equal(protea_image_decode(&image, png, len, "png", &limits), PROTEA_OK);
    len = png_with_text(png, 65 << 20);
    assert_int_equal(protea_image_decode(&image, png, len, "png", &limits), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "more than 64 MiB or 1000 chunks beside its pixels"));
    protea_image_release(&image);
}

/* ---- archives */

static void add_entry(struct archive *a, const char *name, const char *link, const uint8_t *bytes, size_t len)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, link != NULL ? AE_IFLNK : AE_IFREG);
    archive_entry_set_symlink(e, link);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)len);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (len > 0)
        assert_int_equal(archive_write_data(a, bytes, len), (la_ssize_t)len);
    archive_entry_free(e);
}

/* A name too long for a header stands in one of its own, and is that of the next member alone. */
static void a_long_name_is_one_members(void **state)
{
    (void)state;
    static char name[200];
    uint8_t *bytes;
    size_t len;
    memset(name, 'n', sizeof name - 1);
    memcpy(name + 195, ".png", 4);
    make_png(1, &bytes, &len);
    const char *const formats[] = { "gnutar", "pax" };
    for (int i = 0; i < 2; i++) {
        struct archive *a = archive_write_new();
        archive_write_set_format_by_name(a, formats[i]);
        assert_int_equal(archive_write_open_filename(a, "link.tar"), ARCHIVE_OK);
        add_entry(a, name, name, NULL, 0);
        add_entry(a, "plain.png", NULL, bytes, len);
        assert_int_equal(archive_write_free(a), ARCHIVE_OK);
        protea_source *s = open_set("link.tar");
        assert_int_equal(protea_source_count(s), 1);
        assert_string_equal(protea_source_name(s, 0), "plain.png");
        protea_source_close(s);
    }
    protea_free(bytes);
}

/* ---- trees */

static void assert_warned(const char *spec, int64_t n, const char *words)
{
    protea_source *s = open_set(spec);
    const char *warning = protea_source_warning(s);
    assert_int_equal(protea_source_count(s), n);
    if (words != NULL && (warning == NULL || strstr(warning, words) == NULL))
        fail_msg("warning '%s' lacks '%s'", warning != NULL ? warning : "", words);
    for (const char *c = warning; c != NULL && *c; c++)
        assert_false((unsigned char)*c < ' ' || *c == 0x7f);
    protea_source_close(s);
}

static void nets_of_links_end(void **state)
{
    (void)state;
    enum { FOLDERS = 40 };
    char from[64], to[64];
    for (int i = 0; i < FOLDERS; i++) { /* each folder links to each: walks without end, were one entered twice */
        snprintf(from, sizeof from, "net/f%02d/%d.png", i, i);
        write_png(from, i);
    }
    for (int i = 0; i < FOLDERS; i++)
        for (int k = 0; k < FOLDERS; k++) {
            snprintf(from, sizeof from, "net/f%02d/to%02d", i, k);
            snprintf(to, sizeof to, "../f%02d", k);
            assert_int_equal(symlink(to, from), 0);
        }
    assert_warned("net", FOLDERS, NULL);
}

static void the_kernels_files_are_left_out(void **state)
{
    (void)state;
    write_png("kernel/1.png", 1);
    assert_int_equal(symlink("/proc", "kernel/proc\x1b[31m"), 0);
    assert_warned("kernel", 1, "kernel/proc\\x1b[31m/: left out: its files are the kernel's own");
    assert_not_opened("/proc", PROTEA_ERR_INPUT, "holds no images");
}

static void deep_trees_end(void **state)
{
    (void)state;
    char path[512] = "deep";
    for (int i = 0; i < 70; i++)
        memcpy(path + strlen(path), "/d", 3);
    memcpy(path + strlen(path), "/1.png", 7);
    write_png(path, 1);
    write_png("deep/2.png", 2);
    assert_warned("deep", 1, "deeper than 64 folders");
}

static void names_may_be_any_bytes(void **state)
{
    (void)state;
    static const char *const folders[] = { "new\nline", "esc\x1b[2J", "\xff\xfe", "\xe2\x80\xaetxt", "'\"&<b>" };
    char path[600], longest[256];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "names/%s/1.png", folders[i]);
        write_png(path, i);
    }
    memset(longest, 'l', 255);
    longest[255] = 0;
    memcpy(longest + 251, ".png", 4);
    snprintf(path, sizeof path, "names/%s/%s", folders[0], longest);
    write_png(path, 6);
    write_file("names/new\nline/bad\r\n.png", "x", 1);
    protea_source *s = open_set("names");
    protea_image image = { 0 };
    int bad = 0;
    assert_int_equal(protea_source_count(s), 7);
    assert_int_equal(protea_source_n_classes(s), 5);
    for (int64_t i = 0; i < 7; i++)
        if (protea_source_read(s, i, &image) != PROTEA_OK) {
            assert_string_equal(protea_last_error(), "names/new\\nline/bad\\x0d\\n.png: begins with bytes 78 00, "
                                                     "wanted a JPEG, PNG or WebP picture");
            bad++;
        }
    assert_int_equal(bad, 1);
    protea_image_release(&image);
    protea_source_close(s);
}

static void what_is_no_file_is_never_opened(void **state)
{
    (void)state;
    static const char *const devices[] = { "/dev/zero", "/dev/tty", "/dev/random" };
    write_png("odd/1.png", 1);
    assert_int_equal(mkfifo("odd/fifo.png", 0644), 0);
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "odd/dev%d.png", i);
        assert_int_equal(symlink(devices[i], path), 0);
        snprintf(path, sizeof path, "odd/dev%d", i); /* not even to see whether it is a picture */
        assert_int_equal(symlink(devices[i], path), 0);
    }
    assert_int_equal(symlink("cycle2.png", "odd/cycle1.png"), 0);
    assert_int_equal(symlink("cycle1.png", "odd/cycle2.png"), 0);
    protea_source *s = open_set("odd");
    protea_image image = { 0 };
    assert_int_equal(protea_source_count(s), 7);
    for (int64_t i = 1; i < 7; i++)
        assert_int_equal(protea_source_read(s, i, &image), PROTEA_ERR_INPUT);
    protea_image_release(&image);
    protea_source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacking_stops_at_a_ratio),
        cmocka_unit_test(sets_have_a_largest_size),
        cmocka_unit_test(shapes_that_overflow_are_refused),
        cmocka_unit_test(headers_have_limits),
        cmocka_unit_test(texts_in_a_png_have_a_limit),
        cmocka_unit_test(a_long_name_is_one_members),
        cmocka_unit_test(nets_of_links_end),
        cmocka_unit_test(the_kernels_files_are_left_out),
        cmocka_unit_test(deep_trees_end),
        cmocka_unit_test(names_may_be_any_bytes),
        cmocka_unit_test(what_is_no_file_is_never_opened),
    };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}
