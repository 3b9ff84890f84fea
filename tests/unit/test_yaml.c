/* Proves: flat YAML is read as people write it; whatever else it is, it is refused with its line, never half-believed or
 * hung on; every allocation may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <protea/options.h>

#include "base/alloc.h"

typedef struct fields {
    int64_t epochs;
    double lr;
    char name[PROTEA_OPT_STRING_MAX];
    protea_list crops;
} fields;

static const protea_opt table[] = {
    { "epochs", "n_epochs", PROTEA_OPT_INT, offsetof(fields, epochs), "100", 1, 1000, NULL, NULL, "", NULL, 0 },
    { "lr", NULL, PROTEA_OPT_FLOAT, offsetof(fields, lr), "0.6", 0, 0, NULL, NULL, "", NULL, 0 },
    { "name", NULL, PROTEA_OPT_STRING, offsetof(fields, name), "", 0, 0, NULL, NULL, "", NULL, 0 },
    { "nmb_crops", NULL, PROTEA_OPT_LIST, offsetof(fields, crops), "2", 0, 0, NULL, NULL, "", NULL, 0 },
    { 0 },
};

static protea_status read_text(fields *f, const char *text, size_t len)
{
    protea_options *options = protea_options_new();
    if (options == NULL)
        return PROTEA_ERR_MEMORY;
    protea_status status = protea_options_add(options, "T", table, f);
    if (status == PROTEA_OK)
        status = protea_options_read_yaml(options, text, len, "x.yaml", PROTEA_FROM_CONFIG);
    protea_options_free(options);
    return status;
}

static void what_people_write(void **state)
{
    (void)state;
    fields f;
    const char *text = "# a comment\ndescription: >\n  long\n  text\nverb: train\narguments: [a, b]\nepochs: 7   # why\n"
                       "lr: '0.25'\nname: \"a: \\\"b\\\"\"\nnmb-crops:\n  - 2\n  - 6\n";
    assert_int_equal(read_text(&f, text, strlen(text)), PROTEA_OK);
    assert_int_equal(f.epochs, 7);
    assert_true(f.lr == 0.25);
    assert_string_equal(f.name, "a: \"b\"");
    assert_true(f.crops.n == 2 && f.crops.v[0] == 2 && f.crops.v[1] == 6);
    assert_int_equal(read_text(&f, "nmb_crops: 3 5", 14), PROTEA_OK);
    assert_true(f.crops.n == 2 && f.crops.v[1] == 5);
    assert_int_equal(read_text(&f, "", 0), PROTEA_OK);
    assert_int_equal(read_text(&f, "# nothing\n", 10), PROTEA_OK);
    assert_int_equal(read_text(&f, "---\nlr: 1\n...\n", 14), PROTEA_OK);
}

/* text, what the message must hold. */
static const char *const refused[][2] = {
    { "epochs: 7\nlrr: 1\n", "x.yaml:2: lrr: no such option; did you mean lr?" },
    { "epochs: 7\n\nepochs: 8\n", "x.yaml:3: epochs: found twice" },
    { "epochs: 7\nn-epochs: 8\n", "x.yaml:2: n-epochs: found twice" },
    { "lr: 1\nepochs: 2000\n", "x.yaml:2: epochs: \"2000\" found, a whole number in 1..1000 wanted" },
    { "epochs: [7]\n", "x.yaml:1: epochs: a list found, one value wanted" },
    { "epochs: {a: 1}\n", "x.yaml:1: something else found" },
    { "nmb_crops: [[1]]\n", "x.yaml:1: something else found" },
    { "lr: &a 1\nname: *a\n", "x.yaml:1: something else found" },
    { "lr: !!float 1\n", "something else found" },
    { "name: !!binary \"YQ=\"\n", "something else found" },
    { "name: !!binary \"Y!==\"\n", "something else found" },
    { "name: !!binary \"AAAA\"\n", "something else found" },
    { "- 1\n- 2\n", "x.yaml:1: something else found, lines of `key: value` wanted" },
    { "just text", "something else found" },
    { "lr: 1\n---\nlr: 2\n", "something else found, the end of the file wanted" },
    { "? [1]\n: 2\n", "something else found" },
    { "lr: \"1\n", "x.yaml:2: not YAML" },
    { "\tlr: 1\n", "not YAML" },
    { "lr: \xff\n", "not YAML" },
    { "name: \"a\\0b\"\n", "something else found" },
    { "{{{{{{{{{{{{", "x.yaml:1: " },
};

static void anything_else_is_refused(void **state)
{
    (void)state;
    fields f;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(read_text(&f, refused[i][0], strlen(refused[i][0])), PROTEA_ERR_USAGE);
        if (strstr(protea_last_error(), refused[i][1]) == NULL)
            fail_msg("%s: %s", refused[i][0], protea_last_error());
    }
}

static void hostile_sizes_end_soon(void **state)
{
    (void)state;
    fields f;
    size_t len = 1 << 20;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '[', len);
    assert_int_equal(read_text(&f, text, len), PROTEA_ERR_USAGE);
    assert_int_equal(read_text(&f, text, len + 1), PROTEA_ERR_USAGE);
    memset(text, 'a', len);
    memcpy(text + len - 4, ": 1\n", 4);
    assert_int_equal(read_text(&f, text, len), PROTEA_ERR_USAGE);
    assert_int_equal(read_text(&f, text + len - 105, 105), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "x.yaml:1: a key of 101 bytes found, at most 100 wanted"));
    memcpy(text, "nmb_crops: [", 12);
    for (size_t i = 12; i + 2 < len; i += 2)
        memcpy(text + i, "1,", 2);
    assert_int_equal(read_text(&f, text, len), PROTEA_ERR_USAGE);
    free(text);
}

/* Every prefix of a good file is read or refused, never worse. */
static void truncated_files(void **state)
{
    (void)state;
    fields f;
    const char *text = "epochs: 7\nnmb_crops: [2, 6]\nname: \"x\\ty\"\nlr: 0.5\n";
    for (size_t len = 0; len <= strlen(text); len++) {
        char *copy = malloc(len + 1); /* so that a sanitiser sees a step over the end */
        memcpy(copy, text, len);
        protea_status status = read_text(&f, copy, len);
        assert_true(status == PROTEA_OK || status == PROTEA_ERR_USAGE);
        free(copy);
    }
}

static void allocations_may_fail(void **state)
{
    (void)state;
    fields f;
    const char *text = "epochs: 7\nnmb_crops: [2, 6]\n";
    protea_status status = PROTEA_ERR_MEMORY;
    int n = 0;
    while (status != PROTEA_OK && n < 100) {
        protea_alloc_fail_after(++n, 0);
        status = read_text(&f, text, strlen(text));
        assert_true(status == PROTEA_OK || status == PROTEA_ERR_MEMORY);
    }
    protea_alloc_fail_after(0, 0);
    assert_in_range(n, 4, 99);
}

static void shipped_recipes_are_found(void **state)
{
    (void)state;
    const char *text;
    size_t len;
    for (const char *const *name = protea_recipe_names(); *name != NULL; name++) {
        assert_int_equal(protea_recipe_find(*name, &text, &len), PROTEA_OK);
        assert_int_equal(strlen(text), len);
    }
    assert_int_equal(protea_recipe_find("swav-smal", &text, &len), PROTEA_ERR_USAGE);
    assert_non_null(strstr(protea_last_error(), "did you mean swav-small?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write),     cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(hostile_sizes_end_soon), cmocka_unit_test(truncated_files),
        cmocka_unit_test(allocations_may_fail),  cmocka_unit_test(shipped_recipes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
