/* The options of one call: tables with the structs they fill, and where each value came from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/options_internal.h"

protea_options *protea_options_new(void)
{
    protea_options *options;
    return protea_new(&options, 1, sizeof *options, "options") == PROTEA_OK ? options : NULL;
}

static void forget_call(protea_options *options)
{
    for (int i = 0; i < options->n_arguments; i++)
        protea_free(options->arguments[i]);
    protea_free(options->arguments);
    protea_free(options->verb);
    protea_free(options->kind);
    options->arguments = NULL;
    options->verb = options->kind = NULL;
    options->n_arguments = 0;
}

void protea_options_free(protea_options *options)
{
    if (options == NULL)
        return;
    for (int i = 0; i < options->n_groups; i++)
        protea_free(options->group[i].origin);
    forget_call(options);
    protea_free(options);
}

protea_status protea_options_set_call(protea_options *options, const char *verb, const char *kind,
                                      const char *const *arguments, int n)
{
    forget_call(options);
    PROTEA_TRY(protea_copy_string(&options->verb, verb));
    if (kind != NULL)
        PROTEA_TRY(protea_copy_string(&options->kind, kind));
    PROTEA_TRY(protea_new(&options->arguments, (size_t)n, sizeof *options->arguments, "arguments"));
    for (; options->n_arguments < n; options->n_arguments++)
        PROTEA_TRY(protea_copy_string(&options->arguments[options->n_arguments], arguments[options->n_arguments]));
    return PROTEA_OK;
}

/* Whether the first len bytes of a name are the key, a dash equal to an underscore. */
static bool same_key(const char *key, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((key[i] == '-' ? '_' : key[i]) != (name[i] == '-' ? '_' : name[i]) || key[i] == 0)
            return false;
    }
    return key[len] == 0;
}

static bool answers_to(const protea_opt *opt, const char *key)
{
    if (same_key(key, opt->key, strlen(opt->key)))
        return true;
    for (const char *alias = opt->aliases; alias != NULL && *alias != 0;) {
        size_t len = strcspn(alias, ",");
        if (len > 0 && same_key(key, alias, len))
            return true;
        alias += len + (alias[len] == ',');
    }
    return false;
}

/* Group and row of a key; false when there is none. */
static bool locate(const protea_options *options, const char *key, int *group, int *row)
{
    for (*group = 0; *group < options->n_groups; ++*group)
        for (*row = 0; *row < options->group[*group].n; ++*row)
            if (answers_to(&options->group[*group].table[*row], key))
                return true;
    return false;
}

protea_status protea_options_add(protea_options *options, const char *title, const protea_opt *table, void *fields)
{
    if (options->n_groups == OPTION_GROUPS_MAX)
        return protea_fail(PROTEA_ERR_INTERNAL, "options: more than %d tables", OPTION_GROUPS_MAX);
    int n = 0;
    for (; table[n].key != NULL; n++)
        if (protea_options_find(options, table[n].key) != NULL)
            return protea_fail(PROTEA_ERR_INTERNAL, "option %s is in two tables", table[n].key);
    protea_option_group *group = &options->group[options->n_groups];
    *group = (protea_option_group){ .title = title, .table = table, .n = n, .fields = fields };
    PROTEA_TRY(protea_new(&group->origin, (size_t)n, 1, "options"));
    options->n_groups++;
    for (int i = 0; i < n; i++) {
        protea_option_value value;
        if (protea_option_parse(&table[i], table[i].key, table[i].def, &value) != PROTEA_OK)
            return protea_fail(PROTEA_ERR_INTERNAL, "default of option %s", protea_last_error());
        memcpy(group->fields + table[i].offset, &value, protea_option_size(&table[i]));
    }
    return PROTEA_OK;
}

enum { LABEL_MAX = 128 };

/* A key as people type it: with dashes where it is a flag. Long ones are cut. */
static void show_key(char out[static LABEL_MAX], const char *key, bool flag)
{
    snprintf(out, LABEL_MAX, "%.100s", key);
    for (char *c = out; flag && *c; c++)
        *c = *c == '_' ? '-' : *c;
}

protea_status protea_options_unknown(const protea_options *options, const char *prefix, const char *key)
{
    const char *names[512];
    size_t n = 0, most = sizeof names / sizeof *names - 1;
    for (int g = 0; g < options->n_groups; g++)
        for (int i = 0; i < options->group[g].n && n < most; i++)
            names[n++] = options->group[g].table[i].key;
    names[n] = NULL;
    const char *near = protea_nearest(key, names);
    bool flag = strcmp(prefix, "--") == 0;
    char found[LABEL_MAX], wanted[LABEL_MAX];
    show_key(found, key, flag);
    if (near == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s%s: no such option", prefix, found);
    show_key(wanted, near, flag);
    return protea_fail(PROTEA_ERR_USAGE, "%s%s: no such option; did you mean %s%s?", prefix, found, flag ? "--" : "", wanted);
}

protea_status protea_options_set_labelled(protea_options *options, const char *label, const protea_opt *opt, const char *text,
                                          protea_origin origin)
{
    int g, row;
    protea_option_value value;
    PROTEA_TRY(protea_option_parse(opt, label, text, &value));
    if (!locate(options, opt->key, &g, &row))
        return protea_fail(PROTEA_ERR_INTERNAL, "option %s is in no table", opt->key);
    protea_option_group *group = &options->group[g];
    if ((int)origin < group->origin[row])
        return PROTEA_OK;
    memcpy(group->fields + opt->offset, &value, protea_option_size(opt));
    group->origin[row] = (unsigned char)origin;
    return PROTEA_OK;
}

protea_status protea_options_set(protea_options *options, const char *key, const char *text, protea_origin origin)
{
    char shown[LABEL_MAX], label[LABEL_MAX + 2];
    const protea_opt *opt = protea_options_find(options, key);
    if (opt == NULL)
        return protea_options_unknown(options, "--", key);
    show_key(shown, opt->key, true);
    snprintf(label, sizeof label, "--%s", shown);
    return protea_options_set_labelled(options, label, opt, text, origin);
}

const protea_opt *protea_options_find(const protea_options *options, const char *key)
{
    int group, row;
    return locate(options, key, &group, &row) ? &options->group[group].table[row] : NULL;
}

int protea_options_given(const protea_options *options, const char *key)
{
    int group, row;
    return locate(options, key, &group, &row) && options->group[group].origin[row] != PROTEA_FROM_DEFAULT;
}

protea_status protea_options_get(const protea_options *options, const char *key, char *out, size_t size)
{
    int group, row;
    if (size > 0)
        out[0] = 0;
    if (!locate(options, key, &group, &row))
        return protea_options_unknown(options, "--", key);
    const protea_opt *opt = &options->group[group].table[row];
    return protea_option_format(opt, options->group[group].fields + opt->offset, out, size);
}

void protea_options_each(const protea_options *options,
                         int (*visit)(void *self, const char *title, const protea_opt *opt, const char *value), void *self)
{
    char value[OPTION_TEXT_MAX];
    for (int g = 0; g < options->n_groups; g++) {
        const protea_option_group *group = &options->group[g];
        for (int i = 0; i < group->n; i++) {
            const protea_opt *opt = &group->table[i];
            if (protea_option_format(opt, group->fields + opt->offset, value, sizeof value) != PROTEA_OK)
                value[0] = 0;
            if (visit(self, group->title, opt, value) != 0)
                return;
        }
    }
}
