/* Proves: option values are read strictly and named in messages; flags beat files beat recipes beat defaults, in any order;
 * every value is written so that it reads back to the same bits, in any locale; misspelt names get the nearest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <protea/options.h>

#include "base/alloc.h"
#include "base/rng.h"

typedef struct fields {
    int32_t flip;
    int64_t epochs, queue;
    double lr, warmup;
    char name[PROTEA_OPT_STRING_MAX];
    int32_t precision;
    protea_list crops, empty;
    int64_t threads;
} fields;

static const protea_opt table[] = {
    { "flip", NULL, PROTEA_OPT_BOOL, offsetof(fields, flip), "true", 0, 0, NULL, NULL, "flips", NULL, 0 },
    { "epochs", "e,n_epochs", PROTEA_OPT_INT, offsetof(fields, epochs), "100", 1, 100000, NULL, "epochs", "passes", NULL, 0 },
    { "queue_start", NULL, PROTEA_OPT_INT, offsetof(fields, queue), "15", 0, 1e6, NULL, NULL, "queue", NULL, PROTEA_OPT_SCALES },
    { "lr", "base_lr", PROTEA_OPT_FLOAT, offsetof(fields, lr), "0.6", 0, 100, NULL, NULL, "rate", NULL, 0 },
    { "warmup", NULL, PROTEA_OPT_FLOAT, offsetof(fields, warmup), "10%", 0, 1e6, NULL, NULL, "warm-up", NULL, PROTEA_OPT_SCALES },
    { "name", NULL, PROTEA_OPT_STRING, offsetof(fields, name), "", 0, 0, NULL, NULL, "a name", NULL, 0 },
    { "precision", NULL, PROTEA_OPT_CHOICE, offsetof(fields, precision), "auto", 0, 0, "auto|f32|bf16", NULL, "p", NULL, 0 },
    { "nmb_crops", NULL, PROTEA_OPT_LIST, offsetof(fields, crops), "2,4", 0, 100, NULL, NULL, "crops", NULL, 0 },
    { "extra", NULL, PROTEA_OPT_LIST, offsetof(fields, empty), "", 0, 0, NULL, NULL, "may be empty", NULL, 0 },
    { "threads", NULL, PROTEA_OPT_INT, offsetof(fields, threads), "-1", -1, 9e15, NULL, NULL, "t", NULL, PROTEA_OPT_NOT_SAVED },
    { 0 },
};

static protea_options *make(fields *f)
{
    protea_options *options = protea_options_new();
    memset(f, 0, sizeof *f);
    assert_non_null(options);
    assert_int_equal(protea_options_add(options, "Things", table, f), PROTEA_OK);
    return options;
}

static protea_status set(protea_options *options, const char *key, const char *text)
{
    return protea_options_set(options, key, text, PROTEA_FROM_FLAG);
}

static void defaults_fill_the_struct(void **state)
{
    (void)state;
    fields f;
    protea_options *options = make(&f);
    assert_int_equal(f.flip, 1);
    assert_int_equal(f.epochs, 100);
    assert_true(f.lr == 0.6 && f.warmup == -10);
    assert_int_equal(f.crops.n, 2);
    assert_true(f.crops.v[1] == 4);
    assert_int_equal(f.empty.n, 0);
    assert_int_equal(protea_options_given(options, "epochs"), 0);
    assert_true(protea_length(f.warmup, 50) == 5 && protea_length(3, 50) == 3);
    protea_options_free(options);
}

static void keys_have_dashes_underscores_and_aliases(void **state)
{
    (void)state;
    fields f;
    protea_options *options = make(&f);
    assert_int_equal(set(options, "n-epochs", "7"), PROTEA_OK);
    assert_int_equal(f.epochs, 7);
    assert_int_equal(set(options, "e", "8"), PROTEA_OK);
    assert_int_equal(f.epochs, 8);
    assert_int_equal(set(options, "nmb-crops", "2 6"), PROTEA_OK);
    assert_true(f.crops.n == 2 && f.crops.v[1] == 6);
    assert_int_equal(set(options, "queue_start", "25%"), PROTEA_OK);
    assert_int_equal(f.queue, -25);
    assert_int_equal(protea_options_given(options, "n_epochs"), 1);
    protea_options_free(options);
}

/* key, text, what the message must hold. */
static const char *const refused[][3] = {
    { "epochs", "abc", "--epochs: \"abc\" found, a whole number in 1..100000 wanted" },
    { "epochs", "", "--epochs: \"\" found" },          { "epochs", "0", "in 1..100000" },
    { "epochs", "100001", "in 1..100000" },            { "epochs", "5x", "5x" },
    { "epochs", " 5", "\" 5\"" },                      { "epochs", "5.0", "whole" },
    { "epochs", "99999999999999999999", "whole" },     { "epochs", "0x10", "whole" },
    { "epochs", "10%", "whole" },                      { "queue_start", "12.5%", "or a share such as 10%, wanted" },
    { "queue_start", "101%", "share" },                { "queue_start", "-1", "share" },
    { "warmup", "-5", "share" },                       { "warmup", "%", "share" },
    { "lr", "nan", "a number in 0..100 wanted" },      { "lr", "inf", "a number" },
    { "lr", "1e999", "a number" },                     { "lr", "0x1p3", "a number" },
    { "lr", "0,5", "a number" },                       { "lr", "1e", "a number" },
    { "lr", "-0.1", "0..100" },                        { "flip", "maybe", "true or false" },
    { "precision", "f33", "one of auto|f32|bf16" },    { "precision", "auto|f32", "one of" },
    { "nmb_crops", "2,,6", "numbers" },                { "nmb_crops", "", "numbers" },
    { "nmb_crops", "2 6 x", "numbers" },               { "nmb_crops", "2,6,", "numbers" },
    { "nmb_crops", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "1 to 16" }, { "nmb_crops", "101", "0..100" },
    { "epoch", "1", "--epoch: no such option; did you mean --epochs?" },
    { "nmb-corps", "1", "did you mean --nmb-crops?" }, { "zzzzzzzz", "1", "--zzzzzzzz: no such option" },
    { "", "1", "no such option" },
};

static void nonsense_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    fields f, before;
    protea_options *options = make(&f);
    before = f;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(set(options, refused[i][0], refused[i][1]), PROTEA_ERR_USAGE);
        if (strstr(protea_last_error(), refused[i][2]) == NULL)
            fail_msg("%s=%s: %s", refused[i][0], refused[i][1], protea_last_error());
        assert_memory_equal(&f, &before, sizeof f);
    }
    char *long_text = malloc(5000);
    memset(long_text, 'x', 4999);
    long_text[4999] = 0;
    assert_int_equal(set(options, "name", long_text), PROTEA_ERR_USAGE);
    assert_int_equal(set(options, "lr", long_text), PROTEA_ERR_USAGE);
    assert_int_equal(set(options, long_text, "1"), PROTEA_ERR_USAGE);
    free(long_text);
    protea_options_free(options);
}

static void the_stronger_origin_wins_in_any_order(void **state)
{
    (void)state;
    fields f;
    protea_options *options = make(&f);
    assert_int_equal(protea_options_set(options, "epochs", "3", PROTEA_FROM_FLAG), PROTEA_OK);
    assert_int_equal(protea_options_set(options, "epochs", "2", PROTEA_FROM_CONFIG), PROTEA_OK);
    assert_int_equal(protea_options_set(options, "epochs", "1", PROTEA_FROM_RECIPE), PROTEA_OK);
    assert_int_equal(f.epochs, 3);
    assert_int_equal(protea_options_set(options, "epochs", "4", PROTEA_FROM_FLAG), PROTEA_OK);
    assert_int_equal(f.epochs, 4);
    /* even where it loses, a value must be valid */
    assert_int_equal(protea_options_set(options, "epochs", "x", PROTEA_FROM_RECIPE), PROTEA_ERR_USAGE);
    protea_options_free(options);
}

static double random_double(protea_rng *rng)
{
    uint64_t bits = (uint64_t)protea_rng_u32(rng) << 32 | protea_rng_u32(rng);
    double value;
    bits &= 0x7fffffffffffffffu; /* lr has no sign */
    memcpy(&value, &bits, sizeof value);
    return value <= 100 ? value : 1.0 / 3 * protea_rng_uniform_double(rng);
}

static void check_round_trip(protea_options *options, fields *f)
{
    char *yaml, *again;
    fields g;
    assert_int_equal(protea_options_write_yaml(options, &yaml), PROTEA_OK);
    protea_options *other = make(&g);
    if (protea_options_read_yaml(other, yaml, strlen(yaml), "x.yaml", PROTEA_FROM_CONFIG) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    g.threads = f->threads; /* not saved */
    assert_memory_equal(f, &g, sizeof g);
    assert_int_equal(protea_options_write_yaml(other, &again), PROTEA_OK);
    assert_string_equal(yaml, again);
    free(yaml);
    free(again);
    protea_options_free(other);
}

static void every_value_survives_yaml_bit_for_bit(void **state)
{
    (void)state;
    fields f;
    protea_options *options = make(&f);
    static const char *const names[] = { "", "a b", "\"quoted\" \\ # : - [x] {y}", "tab\tnewline\nend ", "null", "~", "0x1",
                                         "gr\xc3\xbc\xc3\x9f", "'", "%", "\x01\x7f",
                                         "\xff", "a\xc0\x80", "\xe2\x80\xa8.", "\xc2\x85", "\xc2\x80xy", "\xef\xbf\xbe" };
    enum { N_NAMES = sizeof names / sizeof *names };
    protea_rng rng = protea_rng_make(3, PROTEA_RNG_TEST, 0, 0, 0);
    for (int i = 0; i < 400; i++) {
        f.lr = random_double(&rng);
        f.warmup = i % 2 ? -100 * protea_rng_uniform_double(&rng) : random_double(&rng);
        f.epochs = 1 + (int64_t)protea_rng_below(&rng, 100000);
        f.queue = -(int64_t)protea_rng_below(&rng, 100);
        f.flip = i & 1;
        f.precision = i % 3;
        f.crops.n = 1 + i % 16;
        for (int j = 0; j < 16; j++)
            f.crops.v[j] = j < f.crops.n ? random_double(&rng) : 0;
        memset(f.name, 0, sizeof f.name);
        memcpy(f.name, names[i % N_NAMES], strlen(names[i % N_NAMES]));
        check_round_trip(options, &f);
    }
    protea_options_free(options);
}

static void numbers_do_not_follow_the_locale(void **state)
{
    (void)state;
    fields f;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
        skip();
    protea_options *options = make(&f);
    assert_int_equal(set(options, "lr", "0.125"), PROTEA_OK);
    assert_true(f.lr == 0.125);
    check_round_trip(options, &f);
    protea_options_free(options);
    setlocale(LC_ALL, "C");
}

static void tables_with_mistakes_are_found(void **state)
{
    (void)state;
    static const protea_opt bad[] = { { .key = "bad", .type = PROTEA_OPT_INT, .def = "x", .help = "" }, { 0 } };
    fields f;
    protea_options *options = make(&f);
    assert_int_equal(protea_options_add(options, "Bad", bad, &f), PROTEA_ERR_INTERNAL);
    assert_int_equal(protea_options_add(options, "Twice", table, &f), PROTEA_ERR_INTERNAL);
    protea_options_free(options);
    assert_null((protea_alloc_fail_after(1, 0), protea_options_new()));
    protea_options_free(NULL);
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const words[] = { "train", "embed", "eval", "nmb_prototypes", NULL };
    assert_string_equal(protea_nearest("trian", words), "train");
    assert_string_equal(protea_nearest("TRAIN", words), "train");
    assert_string_equal(protea_nearest("evla", words), "eval");
    assert_string_equal(protea_nearest("nmb-proto", words), "nmb_prototypes");
    assert_null(protea_nearest("banana", words));
    assert_null(protea_nearest("", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_the_struct),
        cmocka_unit_test(keys_have_dashes_underscores_and_aliases),
        cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
        cmocka_unit_test(the_stronger_origin_wins_in_any_order),
        cmocka_unit_test(every_value_survives_yaml_bit_for_bit),
        cmocka_unit_test(numbers_do_not_follow_the_locale),
        cmocka_unit_test(tables_with_mistakes_are_found),
        cmocka_unit_test(nearest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
