/* Proves: what is written reads back to the same bits; equal content gives equal bytes; a file with any bit flipped, any
 * cut, a hole, an overlap, a wrong shape or a hostile header is refused in one line and never crashes; a save that fails
 * (full disk) or is killed leaves the old file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "format/safetensors.h"

static char dir[] = "/tmp/protea_st_XXXXXX";
static char path[64], old_path[64];

static int make_dir(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/a.safetensors", dir);
    snprintf(old_path, sizeof old_path, "%s/b.safetensors", dir);
    return 0;
}

static int clean(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static protea_tensor plain(void *data, protea_dtype dtype, int n_dims, int64_t d0, int64_t d1)
{
    return (protea_tensor){ .data = data, .dtype = dtype, .n_dims = n_dims, .dim = { d0, d1 } };
}

static float weights[6] = { 1, -2.5f, 3e-30f, 4, 5, 6 };
static uint8_t bytes[3] = { 1, 2, 255 };
static int64_t count[1] = { 123456789012345 };

static protea_status write_small(const char *note)
{
    protea_st_writer *w;
    protea_tensor a = plain(weights, PROTEA_F32, 2, 2, 3), b = plain(bytes, PROTEA_U8, 1, 3, 0);
    protea_tensor c = plain(count, PROTEA_I64, 0, 0, 0);
    PROTEA_TRY(protea_st_writer_new(&w));
    protea_st_add(w, "layer1.0.conv1.weight", &a);
    protea_st_add(w, "odd \"name\"\n", &b);
    protea_st_add(w, "tracked", &c); /* lies at an odd place after three bytes */
    protea_st_add_metadata(w, "note", note);
    protea_status status = protea_st_write(w, path, old_path);
    protea_st_writer_free(w);
    return status;
}

static void round_trip(void **state)
{
    (void)state;
    protea_st_file *f;
    assert_int_equal(write_small("a \"quoted\" text\nof two lines, caf\xc3\xa9"), PROTEA_OK);
    assert_int_equal(protea_st_open(&f, path), PROTEA_OK);
    assert_int_equal(protea_st_count(f), 3);
    const protea_tensor *a = protea_st_find(f, "layer1.0.conv1.weight"), *b = protea_st_find(f, "odd \"name\"\n");
    const protea_tensor *c = protea_st_find(f, "tracked");
    assert_true(a->n_dims == 2 && a->dim[0] == 2 && a->dim[1] == 3 && a->dtype == PROTEA_F32);
    assert_memory_equal(a->data, weights, sizeof weights);
    assert_memory_equal(b->data, bytes, sizeof bytes);
    assert_true((uintptr_t)c->data % 8 == 0 && c->n_dims == 0);
    assert_memory_equal(c->data, count, sizeof count);
    assert_string_equal(protea_st_metadata(f, "note"), "a \"quoted\" text\nof two lines, caf\xc3\xa9");
    assert_null(protea_st_find(f, "none"));
    assert_null(protea_st_metadata(f, "none"));
    protea_st_close(f);
}

static void equal_content_equal_bytes(void **state)
{
    (void)state;
    char *one, *two;
    size_t n, m;
    assert_int_equal(write_small("x"), PROTEA_OK);
    assert_int_equal(protea_file_read(&one, &n, path, 1 << 20), PROTEA_OK);
    assert_int_equal(write_small("x"), PROTEA_OK);
    assert_int_equal(protea_file_read(&two, &m, path, 1 << 20), PROTEA_OK);
    assert_int_equal(n, m);
    assert_memory_equal(one, two, n);
    uint64_t header = 0;
    memcpy(&header, one, 8);
    assert_int_equal(header % 8, 0);
    protea_free(one);
    protea_free(two);
}

static void put(const char *name, const void *data, size_t n)
{
    FILE *out = fopen(name, "wb");
    assert_non_null(out);
    fwrite(data, 1, n, out);
    fclose(out);
}

static void refused(protea_status want)
{
    protea_st_file *f;
    protea_status got = protea_st_open(&f, path);
    assert_null(f);
    assert_int_equal(got, want);
    assert_null(strchr(protea_last_error(), '\n'));
    assert_non_null(strstr(protea_last_error(), path));
}

static void every_damage_is_found(void **state)
{
    (void)state;
    char *good;
    size_t n;
    assert_int_equal(write_small("some text"), PROTEA_OK);
    assert_int_equal(protea_file_read(&good, &n, path, 1 << 20), PROTEA_OK);
    for (size_t i = 0; i < n; i++) {
        good[i] ^= (char)(1 << (i % 8));
        put(path, good, n);
        refused(PROTEA_ERR_INPUT);
        good[i] ^= (char)(1 << (i % 8));
    }
    for (size_t cut = 0; cut < n; cut += 7) {
        put(path, good, cut);
        refused(PROTEA_ERR_INPUT);
    }
    good[n] = 'x';
    put(path, good, n + 1); /* a byte too many */
    refused(PROTEA_ERR_INPUT);
    protea_free(good);
}

static void hostile_headers(void **state)
{
    (void)state;
#define AT_0 "\"data_offsets\":[0,4]"
    static const char *const headers[] = {
        "{}", /* data that no tensor claims */
        "[]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]," AT_0 "},\"b\":{\"dtype\":\"F32\",\"shape\":[1]," AT_0 "}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]," AT_0 "},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,99999999999]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":\"2\",\"data_offsets\":[0,8]}}",
        "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":7}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char file[512] = { 0 };
        size_t len = strlen(headers[i]);
        file[0] = (char)len;
        memcpy(file + 8, headers[i], len);
        put(path, file, 8 + len + 8);
        refused(PROTEA_ERR_INPUT);
    }
    put(path, "\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
    refused(PROTEA_ERR_INPUT);
    unlink(path);
    refused(PROTEA_ERR_INPUT);
    mkfifo(path, 0600);
    refused(PROTEA_ERR_INPUT);
    unlink(path);
}

static void a_name_twice_is_refused(void **state)
{
    (void)state;
    protea_st_writer *w;
    protea_tensor a = plain(weights, PROTEA_F32, 1, 6, 0);
    assert_int_equal(protea_st_writer_new(&w), PROTEA_OK);
    protea_st_add(w, "a", &a);
    protea_st_add(w, "a", &a);
    assert_int_equal(protea_st_write(w, path, NULL), PROTEA_ERR_INTERNAL);
    protea_st_writer_free(w);
}

static protea_status write_large(float value)
{
    static float big[1 << 18];
    protea_st_writer *w;
    for (size_t i = 0; i < 1 << 18; i++)
        big[i] = value;
    protea_tensor a = plain(big, PROTEA_F32, 1, 1 << 18, 0);
    PROTEA_TRY(protea_st_writer_new(&w));
    protea_st_add(w, "big", &a);
    protea_status status = protea_st_write(w, path, old_path);
    protea_st_writer_free(w);
    return status;
}

static float first_value(const char *name)
{
    protea_st_file *f;
    assert_int_equal(protea_st_open(&f, name), PROTEA_OK);
    float value = protea_f32(protea_st_find(f, "big"))[0];
    protea_st_close(f);
    return value;
}

static void full_disk_keeps_the_old_file(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(write_large(1), PROTEA_OK);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = { 1 << 19, 1 << 19 };
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        protea_status status = write_large(2);
        _exit(status == PROTEA_ERR_IO && strstr(protea_last_error(), path) != NULL ? 0 : 1);
    }
    int result;
    char tmp[80];
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_true(first_value(path) == 1);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    assert_int_equal(access(tmp, F_OK), -1);
}

static void two_generations(void **state)
{
    (void)state;
    unlink(path);
    unlink(old_path);
    assert_int_equal(write_large(1), PROTEA_OK);
    assert_int_equal(access(old_path, F_OK), -1);
    assert_int_equal(write_large(2), PROTEA_OK);
    assert_int_equal(write_large(3), PROTEA_OK);
    assert_true(first_value(path) == 3 && first_value(old_path) == 2);
}

/* A process that saves without end is killed at random moments; both names always hold whole files. */
static void killed_while_saving(void **state)
{
    (void)state;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    assert_int_equal(write_large(1), PROTEA_OK);
    assert_int_equal(write_large(2), PROTEA_OK);
    for (int round = 0; round < 20; round++) {
        float next = first_value(path) + 1;
        pid_t child = fork();
        if (child == 0)
            for (float value = next;; value++)
                if (write_large(value) != PROTEA_OK)
                    _exit(1);
        usleep((useconds_t)protea_rng_below(&rng, 40000));
        kill(child, SIGKILL);
        int result;
        waitpid(child, &result, 0);
        assert_true(WIFSIGNALED(result));
        float newest = first_value(path), older = first_value(old_path);
        assert_true(newest >= 2 && older <= newest);
    }
}

static void only_the_same_kind_is_copied(void **state)
{
    (void)state;
    float to[6] = { 0 }, bad[6] = { 0, 0, 0, 0, (float)INFINITY, 0 }, scalar = 0;
    uint8_t small[6];
    protea_tensor from = plain(weights, PROTEA_F32, 2, 2, 3), x = plain(to, PROTEA_F32, 2, 2, 3);
    protea_tensor turned = plain(to, PROTEA_F32, 2, 3, 2), other = plain(small, PROTEA_U8, 2, 2, 3);
    protea_tensor spoilt = plain(bad, PROTEA_F32, 2, 2, 3), number = plain(count, PROTEA_I64, 0, 0, 0);
    protea_tensor one = plain(&scalar, PROTEA_F32, 1, 1, 0);
    assert_int_equal(protea_st_copy("file", "w", &x, &from), PROTEA_OK);
    assert_memory_equal(to, weights, sizeof to);
    assert_int_equal(protea_st_copy("file", "w", &one, &number), PROTEA_OK);
    assert_true(scalar == (float)count[0]);
    assert_int_equal(protea_st_copy("file", "w", &turned, &from), PROTEA_ERR_INPUT);
    assert_string_equal(protea_last_error(), "file: w: shape (2, 3), wanted (3, 2)");
    assert_int_equal(protea_st_copy("file", "w", &other, &from), PROTEA_ERR_INPUT);
    assert_int_equal(protea_st_copy("file", "w", &x, &other), PROTEA_ERR_INPUT);
    assert_string_equal(protea_last_error(), "file: w: its elements are not f32");
    assert_int_equal(protea_st_copy("file", "w", &x, &spoilt), PROTEA_ERR_INPUT);
    assert_string_equal(protea_last_error(), "file: w: element 4 is inf, wanted finite weights");
    assert_memory_equal(to, weights, sizeof to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(equal_content_equal_bytes), cmocka_unit_test(every_damage_is_found),
        cmocka_unit_test(hostile_headers), cmocka_unit_test(a_name_twice_is_refused),
        cmocka_unit_test(full_disk_keeps_the_old_file), cmocka_unit_test(two_generations),
        cmocka_unit_test(killed_while_saving), cmocka_unit_test(only_the_same_kind_is_copied),
    };
    return cmocka_run_group_tests(tests, make_dir, clean);
}
