/* Proves: any text survives a table as its escaped self, on one line; tables that are broken are refused by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "format/csv.h"

static char path[] = "/tmp/protea-csv-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void put(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fwrite(text, 1, len, f);
    fclose(f);
}

static void round_trip(void **state)
{
    (void)state;
    const char *rows[][3] = {
        { "row", "path", "class" },
        { "0", "a,b \"c\".png", "" },
        { "1", "evil\n\x1b[31m\xff.png", "\"" },
        { "", " lead", "trail " },
        { "ü", "=1+1", "x\ty" },
    };
    const char *want[][3] = {
        { "row", "path", "class" },
        { "0", "a,b \"c\".png", "" },
        { "1", "evil\\n\\x1b[31m\\xff.png", "\"" },
        { "", " lead", "trail " },
        { "ü", "=1+1", "x\\ty" },
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    protea_new_file f;
    assert_int_equal(protea_new_file_open(&f, path), PROTEA_OK);
    for (int i = 0; i < ROWS; i++)
        protea_csv_row(f.stream, 3, rows[i]);
    assert_int_equal(protea_new_file_commit(&f), PROTEA_OK);

    protea_csv *csv;
    char *field[3];
    int n;
    assert_int_equal(protea_csv_open(&csv, path), PROTEA_OK);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(protea_csv_next(csv, field, 3, &n), PROTEA_OK);
        assert_int_equal(n, 3);
        for (int c = 0; c < 3; c++)
            assert_string_equal(field[c], want[i][c]);
    }
    assert_int_equal(protea_csv_next(csv, field, 3, &n), PROTEA_OK);
    assert_int_equal(n, 0);
    protea_csv_close(csv);
}

static void others_tables(void **state)
{
    (void)state;
    const char text[] = "a,b\r\n\"two\nlines\",\"say \"\"x\"\"\"\r\n,last";
    protea_csv *csv;
    char *field[4];
    int n;
    put(text, sizeof text - 1);
    assert_int_equal(protea_csv_open(&csv, path), PROTEA_OK);
    assert_int_equal(protea_csv_next(csv, field, 4, &n), PROTEA_OK);
    assert_int_equal(n, 2);
    assert_string_equal(field[1], "b");
    assert_int_equal(protea_csv_next(csv, field, 4, &n), PROTEA_OK);
    assert_string_equal(field[0], "two\nlines");
    assert_string_equal(field[1], "say \"x\"");
    assert_int_equal(protea_csv_next(csv, field, 4, &n), PROTEA_OK);
    assert_string_equal(field[0], "");
    assert_string_equal(field[1], "last");
    assert_int_equal(protea_csv_next(csv, field, 4, &n), PROTEA_OK);
    assert_int_equal(n, 0);
    protea_csv_close(csv);
}

static void refuse_row(const char *text, const char *why)
{
    protea_csv *csv;
    char *field[2];
    int n;
    put(text, strlen(text));
    assert_int_equal(protea_csv_open(&csv, path), PROTEA_OK);
    protea_status status;
    do
        status = protea_csv_next(csv, field, 2, &n);
    while (status == PROTEA_OK && n > 0);
    assert_int_equal(status, PROTEA_ERR_INPUT);
    if (strstr(protea_last_error(), why) == NULL)
        fail_msg("'%s' does not say '%s'", protea_last_error(), why);
    protea_csv_close(csv);
}

static void broken_tables(void **state)
{
    (void)state;
    protea_csv *csv;
    refuse_row("a,b\n1,2,3\n", ":2: more than 2 fields");
    refuse_row("a\n\"x\ny\",1\n\"never,\n", ":4: a quote is never closed");
    refuse_row("\"a\"b\n", ":1: text after a closing quote");
    put("a\0b", 3);
    assert_int_equal(protea_csv_open(&csv, path), PROTEA_ERR_INPUT);
    assert_null(csv);
    assert_int_equal(protea_csv_open(&csv, "/tmp"), PROTEA_ERR_INPUT);
    assert_int_equal(protea_csv_open(&csv, "/no/such.csv"), PROTEA_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(others_tables), cmocka_unit_test(broken_tables),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
