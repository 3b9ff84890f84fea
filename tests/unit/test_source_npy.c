/* Proves: an .npy of images is read row by row in its order, with labels and class names from beside it; every way in which
 * the array, the labels or the names can lie is refused in one line; a file that shrinks while it is read is survived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/source.h"
#include "format/npy.h"

enum { N = 7, H = 5, W = 4, ROW = H * W * 3 };
static char folder[] = "/tmp/protea-source-npy-XXXXXX";
static uint8_t pixels[N * ROW];

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < N * ROW; i++)
        pixels[i] = (uint8_t)(i * 7 + i / ROW);
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static const char *const files[] = { "a.npy", "a-labels.npy", "a-classes.txt", "labels.npy" };

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    return 0;
}

static int teardown(void **state)
{
    return clear(state) != 0 || chdir("/") != 0 || rmdir(folder) != 0;
}

static void write_array(const char *path, protea_dtype dtype, const void *data, int n_dims, const int64_t *dim)
{
    protea_tensor t = { .data = (void *)(uintptr_t)data, .dtype = dtype, .n_dims = n_dims };
    memcpy(t.dim, dim, (size_t)n_dims * sizeof *dim);
    assert_int_equal(protea_npy_write(path, &t), PROTEA_OK);
}

static void write_images(void)
{
    write_array("a.npy", PROTEA_U8, pixels, 4, (const int64_t[]){ N, H, W, 3 });
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const int64_t labels[N] = { 2, 0, 1, 2, 10, 0, 3 };

static protea_source *open_with(const protea_source_opts *opts)
{
    protea_source *s;
    if (protea_source_open(&s, "a.npy", opts) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return s;
}

static protea_source *open_plain(void)
{
    const protea_source_opts opts = protea_source_opts_default();
    return open_with(&opts);
}

/* The class of image i, which is called by its number. */
static long number_of(const protea_source *s, int64_t i)
{
    return strtol(protea_source_class(s, protea_source_label(s, i)), NULL, 10);
}

static void rows_come_in_order(void **state)
{
    (void)state;
    write_images();
    write_array("a-labels.npy", PROTEA_I64, labels, 1, (const int64_t[]){ N });
    protea_source *s = open_plain();
    protea_image image = { 0 };
    assert_string_equal(protea_source_kind(s), "npy");
    assert_int_equal(protea_source_count(s), N);
    assert_int_equal(protea_source_n_classes(s), 5); /* those that there are */
    assert_string_equal(protea_source_class(s, 2), "02");
    assert_string_equal(protea_source_class(s, 4), "10");
    for (int i = 0; i < N; i++) {
        assert_int_equal(number_of(s, i), labels[i]);
        assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
        assert_int_equal(image.w, W);
        assert_int_equal(image.h, H);
        assert_memory_equal(image.px, pixels + i * ROW, ROW);
    }
    protea_image_release(&image);
    protea_source_close(s);
}

static void labels_lie_beside_it_or_in_its_folder(void **state)
{
    (void)state;
    uint8_t bytes[N] = { 1, 0, 1, 0, 1, 0, 1 };
    int32_t words[N] = { 0, 0, 0, 0, 2, 0, 1 };
    write_images();
    protea_source *s = open_plain();
    assert_int_equal(protea_source_n_classes(s), 0);
    assert_int_equal(protea_source_label(s, 0), -1);
    protea_source_close(s);

    write_array("labels.npy", PROTEA_U8, bytes, 1, (const int64_t[]){ N }); /* as CIFAR-10-C has it */
    s = open_plain();
    assert_int_equal(protea_source_n_classes(s), 2);
    assert_int_equal(protea_source_label(s, 2), 1);
    protea_source_close(s);

    write_array("a-labels.npy", PROTEA_I32, words, 1, (const int64_t[]){ N });
    write_text("a-classes.txt", "cat\r\nowl\nemu\nnobody");
    s = open_plain();
    assert_int_equal(protea_source_n_classes(s), 3); /* sorted bytewise, as everywhere */
    assert_string_equal(protea_source_class(s, 0), "cat");
    assert_string_equal(protea_source_class(s, protea_source_label(s, 4)), "emu");
    assert_string_equal(protea_source_class(s, protea_source_label(s, 6)), "owl");
    protea_source_close(s);
}

static void options_hold(void **state)
{
    (void)state;
    protea_source_opts opts = protea_source_opts_default();
    write_images();
    write_array("a-labels.npy", PROTEA_I64, labels, 1, (const int64_t[]){ N });
    opts.limit = 3;
    protea_source *s = open_with(&opts);
    assert_int_equal(protea_source_count(s), 3);
    for (int i = 0; i < 3; i++) {
        long row = strtol(protea_source_name(s, i), NULL, 10);
        assert_int_equal(number_of(s, i), labels[row]);
    }
    protea_source_close(s);
    opts.no_labels = true;
    s = open_with(&opts);
    assert_int_equal(protea_source_n_classes(s), 0);
    assert_int_equal(protea_source_label(s, 0), -1);
    protea_source_close(s);
}

static void assert_refused(const char *what)
{
    const protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    assert_int_equal(protea_source_open(&s, "a.npy", &opts), PROTEA_ERR_INPUT);
    assert_null(s);
    if (strstr(protea_last_error(), what) == NULL)
        fail_msg("'%s' is not in '%s'", what, protea_last_error());
}

static void wrong_arrays_are_refused(void **state)
{
    (void)state;
    const float f[N * 3] = { 0 };
    write_array("a.npy", PROTEA_F32, f, 4, (const int64_t[]){ N, 1, 1, 3 });
    assert_refused("another type");
    write_array("a.npy", PROTEA_U8, pixels, 3, (const int64_t[]){ N, W, 3 });
    assert_refused("3 dimensions");
    write_array("a.npy", PROTEA_U8, pixels, 4, (const int64_t[]){ N, 3, W, H }); /* channels first */
    assert_refused("(N,H,W,3)");
    write_array("a.npy", PROTEA_U8, pixels, 4, (const int64_t[]){ 0, H, W, 3 });
    assert_refused("0 images");
    write_array("a.npy", PROTEA_U8, pixels, 4, (const int64_t[]){ 1, 0, W, 3 });
    assert_refused("4 x 0 pixels");
    write_images();
    assert_int_equal(truncate("a.npy", PROTEA_NPY_HEAD + ROW), 0);
    assert_refused("the file holds");
    assert_int_equal(truncate("a.npy", 60), 0);
    assert_refused("header");
}

/* A header that asks for more than any file has: nothing is allocated for it. */
static void huge_shapes_are_refused(void **state)
{
    (void)state;
    const char *const shapes[] = { "9223372036854775807, 32, 32, 3", "4294967296, 65536, 65536, 3", "1000000000, 1, 1, 3",
                                   "1, 99999999999999999999, 1, 3" };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char text[256] = "\x93NUMPY\x01";
        text[8] = 118;
        memset(text + 10, ' ', 118);
        int len = snprintf(text + 10, 118, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", shapes[i]);
        text[10 + len] = ' ';
        FILE *f = fopen("a.npy", "wb");
        assert_non_null(f);
        fwrite(text, 1, 128 + 24, f);
        fclose(f);
        assert_refused("a.npy");
    }
}

static void wrong_labels_are_refused(void **state)
{
    (void)state;
    const float f[N] = { 0 };
    int64_t bad[N] = { 0, 1, 2, -1, 0, 0, 0 };
    write_images();
    write_array("a-labels.npy", PROTEA_I64, labels, 1, (const int64_t[]){ N - 1 });
    assert_refused("6 labels found");
    write_array("a-labels.npy", PROTEA_F32, f, 1, (const int64_t[]){ N });
    assert_refused("fractions");
    write_array("a-labels.npy", PROTEA_I64, labels, 2, (const int64_t[]){ N, 1 });
    assert_refused("rows");
    write_array("a-labels.npy", PROTEA_I64, bad, 1, (const int64_t[]){ N });
    assert_refused("label -1 of image 3");
    bad[3] = (int64_t)1 << 40;
    write_array("a-labels.npy", PROTEA_I64, bad, 1, (const int64_t[]){ N });
    assert_refused("label 1099511627776");
}

static void wrong_names_are_refused(void **state)
{
    (void)state;
    write_images();
    write_array("a-labels.npy", PROTEA_I64, labels, 1, (const int64_t[]){ N });
    write_text("a-classes.txt", "cat\nowl\n");
    assert_refused("2 names of classes found, the labels go up to 10");
    write_text("a-classes.txt", "cat\n../owl\n");
    assert_refused("a-classes.txt:2");
    write_text("a-classes.txt", "cat\n\nowl\n");
    assert_refused("a-classes.txt:2");
    write_text("a-classes.txt", ".cat\n");
    assert_refused("a-classes.txt:1");
}

static void a_file_that_shrinks_is_survived(void **state)
{
    (void)state;
    protea_image image = { 0 };
    write_images();
    protea_source *s = open_plain();
    assert_int_equal(truncate("a.npy", PROTEA_NPY_HEAD + 2 * ROW + 1), 0);
    assert_int_equal(protea_source_read(s, 1, &image), PROTEA_OK);
    assert_int_equal(protea_source_read(s, 2, &image), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "a.npy!0000000002"));
    protea_image_release(&image);
    protea_source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows_come_in_order, clear),
        cmocka_unit_test_teardown(labels_lie_beside_it_or_in_its_folder, clear),
        cmocka_unit_test_teardown(options_hold, clear),
        cmocka_unit_test_teardown(wrong_arrays_are_refused, clear),
        cmocka_unit_test_teardown(huge_shapes_are_refused, clear),
        cmocka_unit_test_teardown(wrong_labels_are_refused, clear),
        cmocka_unit_test_teardown(wrong_names_are_refused, clear),
        cmocka_unit_test_teardown(a_file_that_shrinks_is_survived, clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
