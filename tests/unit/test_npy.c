/* Proves: arrays survive a round trip, NumPy's own files are read, and every way a header or a size can lie is refused
 * with a message before memory is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/npy.h"

static char folder[] = "/tmp/protea-npy-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/a.npy", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void round_trips(void **state)
{
    (void)state;
    float f[6] = { 1, -2.5f, 3e38f, 0, 5, 6 };
    int64_t l[4] = { INT64_MIN, -1, 0, INT64_MAX };
    uint8_t u[5] = { 0, 1, 127, 128, 255 };
    int32_t none[1] = { 0 };
    const protea_tensor cases[] = {
        { .data = f, .dtype = PROTEA_F32, .n_dims = 2, .dim = { 2, 3 } },
        { .data = l, .dtype = PROTEA_I64, .n_dims = 1, .dim = { 4 } },
        { .data = u, .dtype = PROTEA_U8, .n_dims = 4, .dim = { 1, 5, 1, 1 } },
        { .data = none, .dtype = PROTEA_I32, .n_dims = 2, .dim = { 0, 7 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        protea_tensor got;
        assert_int_equal(protea_npy_write(path, &cases[i]), PROTEA_OK);
        assert_int_equal(protea_npy_read(&got, path), PROTEA_OK);
        assert_int_equal(got.dtype, cases[i].dtype);
        assert_int_equal(got.n_dims, cases[i].n_dims);
        assert_memory_equal(got.dim, cases[i].dim, (size_t)got.n_dims * sizeof *got.dim);
        assert_memory_equal(got.data, cases[i].data, protea_bytes(&got));
        protea_tensor_release(&got);
        protea_npy_map map;
        assert_int_equal(protea_npy_map_open(&map, path), PROTEA_OK);
        assert_memory_equal(map.t.dim, cases[i].dim, (size_t)map.t.n_dims * sizeof *map.t.dim);
        assert_memory_equal(map.t.data, cases[i].data, protea_bytes(&map.t));
        protea_npy_map_close(&map);
    }
}

static void reads_numpy(void **state)
{
    (void)state;
    protea_tensor got;
    assert_int_equal(protea_npy_read(&got, TEST_DATA "/knn/train.npy"), PROTEA_OK);
    assert_int_equal(got.dim[0], 350);
    assert_int_equal(got.dim[1], 24);
    assert_int_equal(got.dtype, PROTEA_F32);
    protea_tensor_release(&got);
}

/* Writes a version-1 file with this header text and n bytes of elements. */
static void write_file(const char *header, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    size_t len = strlen(header);
    fputs("\x93NUMPY\x01", f);
    fputc(0, f);
    fputc((int)(len & 255), f);
    fputc((int)(len >> 8), f);
    fputs(header, f);
    for (size_t i = 0; i < n; i++)
        fputc(7, f);
    fclose(f);
}

static void refuse(const char *header, size_t n, const char *why)
{
    protea_tensor got;
    write_file(header, n);
    assert_int_equal(protea_npy_read(&got, path), PROTEA_ERR_INPUT);
    assert_null(got.data);
    assert_non_null(strstr(protea_last_error(), path));
    if (strstr(protea_last_error(), why) == NULL)
        fail_msg("'%s' does not say '%s'", protea_last_error(), why);
}

#define DICT(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

static void headers_that_lie(void **state)
{
    (void)state;
    refuse(DICT("'<f4'", "False", "(2, 2)"), 15, "16 bytes of elements, the file holds 15");
    refuse(DICT("'<f4'", "False", "(2, 2)"), 17, "the file holds 17");
    refuse(DICT("'<f4'", "False", "(4294967296, 4294967296, 4)"), 16, "larger than any memory");
    refuse(DICT("'<f4'", "False", "(1000000000000,)"), 16, "the file holds 16");
    refuse(DICT("'<f4'", "False", "(99999999999999999999,)"), 16, "64 bits");
    refuse(DICT("'<f4'", "False", "(-1, 4)"), 16, "not a list of numbers");
    refuse(DICT("'<f4'", "False", "(1, 1, 1, 1, 4)"), 16, "more than 4");
    refuse(DICT("'<f4'", "True", "(2, 2)"), 16, "Fortran");
    refuse(DICT("'>f4'", "False", "(4,)"), 16, "'>f4");
    refuse(DICT("'<f8'", "False", "(2,)"), 16, "'<f8");
    refuse(DICT("'|O'", "False", "(2,)"), 16, "'|O");
    refuse(DICT("[('a', '<f4')]", "False", "(4,)"), 16, "no single type");
    refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (4", 16, "not a list of numbers");
    refuse("{}", 16, "no single type");
    refuse("", 0, "does not begin");
}

static void files_that_are_not(void **state)
{
    (void)state;
    protea_tensor got;
    const char *texts[] = { "", "\x93NUM", "<html>not an array</html>",
                            "\x93NUMPY\x09\x01\x01\x01" "aaaa", "\x93NUMPY\x01\x01\xff\xff" "{" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        FILE *f = fopen(path, "w");
        fputs(texts[i], f);
        fclose(f);
        assert_int_equal(protea_npy_read(&got, path), PROTEA_ERR_INPUT);
    }
    assert_int_equal(protea_npy_read(&got, folder), PROTEA_ERR_INPUT);
    assert_int_equal(protea_npy_read(&got, "/no/such/file.npy"), PROTEA_ERR_INPUT);
    float one = 1;
    protea_tensor t = { .data = &one, .dtype = PROTEA_F32, .n_dims = 1, .dim = { 1 } };
    assert_int_equal(protea_npy_write("/no/such/folder/a.npy", &t), PROTEA_ERR_IO);
    assert_int_equal(protea_npy_write("/dev/full/a.npy", &t), PROTEA_ERR_IO);
}

static void memory_can_be_short(void **state)
{
    (void)state;
    write_file(DICT("'<f4'", "False", "(2, 2)"), 16);
    for (long n = 1; n < 2; n++) {
        protea_tensor got;
        protea_alloc_fail_after(n, 0);
        assert_int_equal(protea_npy_read(&got, path), PROTEA_ERR_MEMORY);
        protea_alloc_fail_after(0, 0);
        assert_null(got.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips), cmocka_unit_test(reads_numpy), cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(files_that_are_not), cmocka_unit_test(memory_can_be_short),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
