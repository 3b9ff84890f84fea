/* Proves: files are read within their limit; what is written is whole or what was there before; directories are made,
 * found empty and refused as they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

static int enter_a_directory(void **state)
{
    char template[] = "/tmp/protea-file-XXXXXX";
    *state = strdup(mkdtemp(template));
    return *state == NULL || chdir(*state) != 0;
}

static int leave_it(void **state)
{
    static const char *const files[] = { "a", "a.tmp", "fifo", "d/e/f", "d/e", "d" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(files[i]);
    int failed = chdir("/") != 0 || rmdir(*state) != 0; /* nothing else was left behind */
    free(*state);
    return failed;
}

static void assert_content(const char *path, const char *want)
{
    char *text;
    size_t len;
    assert_int_equal(protea_file_read(&text, &len, path, 1000), PROTEA_OK);
    assert_int_equal(len, strlen(want));
    assert_string_equal(text, want);
    protea_free(text);
}

static void written_files_are_read(void **state)
{
    (void)state;
    assert_int_equal(protea_file_write("a", "one", 3), PROTEA_OK);
    assert_content("a", "one");
    assert_int_equal(protea_file_write("a", "", 0), PROTEA_OK);
    assert_content("a", "");
    assert_int_not_equal(access("a.tmp", F_OK), 0);
}

static void reading_refuses(void **state)
{
    (void)state;
    char *text;
    size_t len;
    assert_int_equal(protea_file_write("a", "12345", 5), PROTEA_OK);
    assert_int_equal(protea_file_read(&text, &len, "a", 4), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "a: 5 bytes found, at most 4 wanted"));
    assert_null(text);
    assert_int_equal(protea_file_read(&text, &len, "nothing", 4), PROTEA_ERR_INPUT);
    assert_int_equal(protea_file_read(&text, &len, ".", 4), PROTEA_ERR_INPUT);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(protea_file_read(&text, &len, "fifo", 4), PROTEA_ERR_INPUT);
    assert_int_equal(protea_file_read(&text, &len, "/dev/zero", 4), PROTEA_ERR_INPUT);
    protea_alloc_fail_after(1, 0);
    assert_int_equal(protea_file_read(&text, &len, "a", 9), PROTEA_ERR_MEMORY);
}

static void the_old_file_stands_until_commit(void **state)
{
    (void)state;
    protea_new_file f;
    assert_int_equal(protea_file_write("a", "old", 3), PROTEA_OK);
    assert_int_equal(protea_new_file_open(&f, "a"), PROTEA_OK);
    fputs("new", f.stream);
    assert_content("a", "old");
    protea_new_file_abort(&f);
    protea_new_file_abort(&f);
    assert_content("a", "old");
    assert_int_not_equal(access("a.tmp", F_OK), 0);
    assert_int_equal(protea_new_file_open(&f, "a"), PROTEA_OK);
    fputs("new", f.stream);
    assert_int_equal(protea_new_file_commit(&f), PROTEA_OK);
    assert_content("a", "new");
    assert_int_equal(protea_new_file_open(&f, "no/such/place"), PROTEA_ERR_IO);
    assert_int_equal(protea_new_file_open(&f, "/proc/version"), PROTEA_ERR_IO);
}

static void a_failed_write_is_found_by_commit(void **state)
{
    (void)state;
    protea_new_file f;
    assert_int_equal(protea_file_write("a", "old", 3), PROTEA_OK);
    assert_int_equal(protea_new_file_open(&f, "a"), PROTEA_OK);
    assert_non_null(freopen("/dev/full", "w", f.stream));
    fputs("new", f.stream);
    assert_int_equal(protea_new_file_commit(&f), PROTEA_ERR_IO);
    assert_content("a", "old");
    assert_int_not_equal(access("a.tmp", F_OK), 0);
}

static void directories(void **state)
{
    (void)state;
    bool empty;
    char *path;
    assert_int_equal(protea_dir_is_empty("d", &empty), PROTEA_OK);
    assert_true(empty);
    assert_int_equal(protea_make_dirs("d/e/"), PROTEA_OK);
    assert_int_equal(protea_make_dirs("d/e"), PROTEA_OK);
    assert_int_equal(protea_dir_is_empty("d", &empty), PROTEA_OK);
    assert_false(empty);
    assert_int_equal(protea_dir_is_empty("d/e", &empty), PROTEA_OK);
    assert_true(empty);
    assert_int_equal(protea_path_join(&path, "d/e", "f"), PROTEA_OK);
    assert_string_equal(path, "d/e/f");
    assert_int_equal(protea_file_write(path, "x", 1), PROTEA_OK);
    assert_int_equal(protea_make_dirs("d/e/f"), PROTEA_ERR_IO);
    assert_int_equal(protea_make_dirs("d/e/f/g"), PROTEA_ERR_IO);
    assert_int_equal(protea_dir_is_empty("d/e/f", &empty), PROTEA_ERR_IO);
    assert_int_equal(protea_make_dirs("/proc/no/place"), PROTEA_ERR_IO);
    protea_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_files_are_read, enter_a_directory, leave_it),
        cmocka_unit_test_setup_teardown(reading_refuses, enter_a_directory, leave_it),
        cmocka_unit_test_setup_teardown(the_old_file_stands_until_commit, enter_a_directory, leave_it),
        cmocka_unit_test_setup_teardown(a_failed_write_is_found_by_commit, enter_a_directory, leave_it),
        cmocka_unit_test_setup_teardown(directories, enter_a_directory, leave_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
