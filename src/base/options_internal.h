/* What options.c, options_value.c, yaml.c and yaml_write.c share. */
#ifndef PROTEA_BASE_OPTIONS_INTERNAL_H
#define PROTEA_BASE_OPTIONS_INTERNAL_H

#include <stdbool.h>

#include <protea/options.h>

#include "base/status.h"

enum { OPTION_GROUPS_MAX = 16, OPTION_TEXT_MAX = PROTEA_OPT_STRING_MAX };

typedef struct protea_option_group {
    const char *title;
    const protea_opt *table;
    int n;
    unsigned char *fields; /* the caller's struct */
    unsigned char *origin; /* (n) a protea_origin each; owned */
} protea_option_group;

struct protea_options {
    int n_groups;
    protea_option_group group[OPTION_GROUPS_MAX];
    char *verb, *kind;     /* what was called, for write_yaml; owned or NULL */
    char **arguments;      /* (n_arguments) owned */
    int n_arguments;
};

/* One value of any type, large enough for all. */
typedef union protea_option_value {
    int32_t boolean, choice;
    int64_t whole;
    double number;
    char string[PROTEA_OPT_STRING_MAX];
    protea_list list;
} protea_option_value;

/* label: how the message calls the option, "--epochs" or "x.yaml:3: epochs". */
protea_status protea_option_parse(const protea_opt *opt, const char *label, const char *text, protea_option_value *value);
size_t protea_option_size(const protea_opt *opt);
/* Text that parse reads back to the same bits; OPTION_TEXT_MAX bytes are enough. */
protea_status protea_option_format(const protea_opt *opt, const void *field, char *out, size_t size);
/* The choice named text (len bytes) in "a|b|c", or -1; and the name of choice i copied to out. */
int protea_choice_find(const char *choices, const char *text);
bool protea_choice_name(const char *choices, int i, char *out, size_t size);

/* Sets an option whose key is known under a label of the caller's. */
protea_status protea_options_set_labelled(protea_options *options, const char *label, const protea_opt *opt, const char *text,
                                          protea_origin origin);
/* Fails naming the nearest key. prefix "--" or "x.yaml:3: ". */
protea_status protea_options_unknown(const protea_options *options, const char *prefix, const char *key);

/* Walks over the pairs of a flat YAML mapping. items (n): the scalars of a value; is_list: they came as a sequence. */
typedef protea_status (*protea_yaml_pair_fn)(void *self, int line, const char *key, const char *const *items, int n, bool is_list);
protea_status protea_yaml_walk(const char *text, size_t len, const char *name, protea_yaml_pair_fn pair, void *self);

#endif
