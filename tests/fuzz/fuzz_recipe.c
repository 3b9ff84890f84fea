/* Recipes and config files: the bytes as options of every type. */
#include <protea/options.h>

#include "fuzz.h"

typedef struct fields {
    int32_t on, choice;
    int64_t count, length;
    double rate;
    char text[PROTEA_OPT_STRING_MAX];
    protea_list numbers;
} fields;

static const protea_opt table[] = {
    { .key = "verbose", .type = PROTEA_OPT_BOOL, .offset = offsetof(fields, on), .def = "false" },
    { .key = "arch", .type = PROTEA_OPT_CHOICE, .offset = offsetof(fields, choice), .def = "a", .choices = "a|b|resnet18" },
    { .key = "epochs", .aliases = "n_epochs,e", .type = PROTEA_OPT_INT, .offset = offsetof(fields, count), .def = "1", .min = 1,
      .max = 1e9 },
    { .key = "warmup", .type = PROTEA_OPT_INT, .offset = offsetof(fields, length), .def = "10%", .min = 0, .max = 1e9,
      .flags = PROTEA_OPT_SCALES },
    { .key = "lr", .aliases = "base_lr", .type = PROTEA_OPT_FLOAT, .offset = offsetof(fields, rate), .def = "0.1", .min = 0,
      .max = 1e6 },
    { .key = "name", .type = PROTEA_OPT_STRING, .offset = offsetof(fields, text), .def = "" },
    { .key = "nmb_crops", .type = PROTEA_OPT_LIST, .offset = offsetof(fields, numbers), .def = "2 6", .min = 0, .max = 100 },
    { 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fields f;
    protea_options *options = protea_options_new();
    if (options == NULL || protea_options_add(options, "Fuzz", table, &f) != PROTEA_OK)
        fuzz_stop("options cannot be had");
    if (fuzz_is_good(protea_options_read_yaml(options, (const char *)data, size, "input.yaml", PROTEA_FROM_RECIPE)) &&
        (f.count < 1 || f.count > 1000000000 || !(f.rate >= 0 && f.rate <= 1e6) || f.choice < 0 || f.choice > 2 ||
         f.numbers.n < 0 || f.numbers.n > PROTEA_LIST_MAX || memchr(f.text, 0, sizeof f.text) == NULL))
        fuzz_stop("a value out of its range");
    protea_options_free(options);
    return 0;
}
