/* Option tables: one truth for name, type, default, range, unit, help and source of every option.
 * The tables feed the structs, the flags, the YAML files, --help and the record in the checkpoint. */
#ifndef PROTEA_OPTIONS_H
#define PROTEA_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <protea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PROTEA_LIST_MAX = 16 };

typedef enum protea_opt_type {
    PROTEA_OPT_BOOL,    /* int32_t, 0 or 1; `--x`, `--no-x`, `x: true` */
    PROTEA_OPT_INT,     /* int64_t */
    PROTEA_OPT_FLOAT,   /* double */
    PROTEA_OPT_STRING,  /* char[PROTEA_OPT_STRING_MAX] inside the struct; "" means not given */
    PROTEA_OPT_CHOICE,  /* int32_t: position in choices */
    PROTEA_OPT_LIST     /* protea_list of numbers: `2 6` or `2,6` */
} protea_opt_type;

enum { PROTEA_OPT_STRING_MAX = 1024 };

typedef struct protea_list {
    int32_t n;
    double v[PROTEA_LIST_MAX];
} protea_list;

enum {
    PROTEA_OPT_MAY_CHANGE = 1,  /* a resumed run may be given another value in silence (logging, more epochs) */
    PROTEA_OPT_WARN_CHANGE = 2, /* as above, with a warning (threads: results are then only close) */
    PROTEA_OPT_NOT_SAVED = 4,   /* belongs to one call, not to the run: --resume, --overwrite */
    PROTEA_OPT_SCALES = 8,      /* a length in steps or epochs that may be given as a share of the run, `10%`: the field
                                 * then holds -10 (whole percents where it is an integer); see protea_length */
    PROTEA_OPT_HIDDEN = 16      /* left out of --help: for tests and proofs */
};

/* What a PROTEA_OPT_SCALES field says, given how long the run is, in the same unit as the result. */
static inline double protea_length(double field, double run)
{
    return field >= 0 ? field : -field / 100 * run;
}

typedef struct protea_opt {
    const char *key;      /* canonical name with underscores, e.g. "nmb_prototypes"; NULL ends a table */
    const char *aliases;  /* other accepted names, comma separated, e.g. "base_lr"; one letter is `-x`; or NULL */
    protea_opt_type type;
    size_t offset;        /* of the field in the struct the table belongs to */
    const char *def;      /* default, as a user would type it */
    double min, max;      /* range of numbers (each element of a list); both 0: any */
    const char *choices;  /* CHOICE: "auto|f32|bf16" */
    const char *unit;     /* "epochs", "images"; NULL when there is none */
    const char *help;     /* one line */
    const char *source;   /* paper or code the default comes from, or NULL */
    unsigned flags;
} protea_opt;

/* A set of tables with the structs they fill: the options of one call. */
typedef struct protea_options protea_options;

/* Where a value came from; a later one wins over an earlier one, whatever the order they are set in. */
typedef enum protea_origin {
    PROTEA_FROM_DEFAULT, PROTEA_FROM_RECIPE, PROTEA_FROM_CONFIG, PROTEA_FROM_FLAG
} protea_origin;

/* owned; NULL when memory is short. */
protea_options *protea_options_new(void);
void protea_options_free(protea_options *options); /* accepts NULL */

/* Adds a table and the struct it describes (borrowed, outlives options) and fills in the defaults.
 * title heads the group in --help. Errors: PROTEA_ERR_INTERNAL when a default is not a valid value. */
protea_status protea_options_add(protea_options *options, const char *title, const protea_opt *table, void *fields);

/* Sets one option from text. key: canonical name or alias, dash and underscore equal, without leading dashes.
 * For a list, text holds numbers separated by commas or blanks. Errors: PROTEA_ERR_USAGE naming the option, what was
 * found, the range wanted, or the nearest option's name where there is no such option. */
protea_status protea_options_set(protea_options *options, const char *key, const char *text, protea_origin origin);

/* The table entry for a key, or NULL. */
const protea_opt *protea_options_find(const protea_options *options, const char *key);
/* Whether the value came from anything above the default. */
int protea_options_given(const protea_options *options, const char *key);
/* The option's value as text that protea_options_set reads back to the same bits. out: always terminated.
 * Errors: PROTEA_ERR_USAGE (no such option), PROTEA_ERR_INTERNAL (size too small). */
protea_status protea_options_get(const protea_options *options, const char *key, char *out, size_t size);

/* YAML: one `key: value` a line, lists as [2, 6]. `description`, `verb`, `kind` and `arguments` are skipped here.
 * name: how messages call the text. Errors: PROTEA_ERR_USAGE naming name:line, the key and the nearest one. */
protea_status protea_options_read_yaml(protea_options *options, const char *text, size_t len, const char *name,
                                       protea_origin origin);
/* The same from a file of at most 1 MiB. Errors: also PROTEA_ERR_INPUT (no such file, too large). */
protea_status protea_options_read_file(protea_options *options, const char *path, protea_origin origin);
/* The verb, kind (or NULL) and positional arguments that write_yaml records above the options; copied. */
protea_status protea_options_set_call(protea_options *options, const char *verb, const char *kind,
                                      const char *const *arguments, int n);
/* Every saved option, with its help as a comment. *out: owned (free()). */
protea_status protea_options_write_yaml(const protea_options *options, char **out);

/* ---- recipes: YAML files that ship inside the library. */
/* *text: borrowed, constant, *len bytes. Errors: PROTEA_ERR_USAGE with the nearest recipe. */
protea_status protea_recipe_find(const char *name, const char **text, size_t *len);
/* Names in alphabetical order, NULL-terminated. */
const char *const *protea_recipe_names(void);
/* Sets what a recipe says, origin PROTEA_FROM_RECIPE. name_or_path: a shipped recipe, or a file where it holds a slash or
 * ends in .yaml or .yml. Errors: as protea_options_read_yaml; PROTEA_ERR_INPUT (no such file). */
protea_status protea_options_read_recipe(protea_options *options, const char *name_or_path);

/* Walks over all entries in order: title changes between groups. Stops when visit returns non-zero. */
void protea_options_each(const protea_options *options,
                         int (*visit)(void *self, const char *title, const protea_opt *opt, const char *value), void *self);

/* The candidate nearest to word by edit distance (candidates ends with NULL), or NULL when none is near. */
const char *protea_nearest(const char *word, const char *const *candidates);

#ifdef __cplusplus
}
#endif
#endif
