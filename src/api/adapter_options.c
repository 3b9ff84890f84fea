#include "api/adapter_options.h"

#include <string.h>

#include "base/alloc.h"
#include "base/options_internal.h"

static bool holds(const protea_opt *table, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if (strcmp(table[i].key, key) == 0)
            return true;
    return false;
}

/* Appends those options of ops that are new; fields are laid out anew. */
static void join(protea_opt *table, int *n, size_t *bytes, const protea_adapter_ops *ops)
{
    for (const protea_opt *opt = ops->opts; opt->key != NULL; opt++) {
        if (holds(table, *n, opt->key))
            continue;
        table[*n] = *opt;
        table[(*n)++].offset = *bytes;
        *bytes += (protea_option_size(opt) + 7) / 8 * 8;
    }
}

static int count(const protea_adapter_ops *ops)
{
    int n = 0;
    while (ops->opts[n].key != NULL)
        n++;
    return n;
}

protea_status protea_adapter_options_add(protea_adapter_options *o, protea_options *options, const protea_adapter_ops *ops)
{
    const protea_adapter_ops *const alone[] = { ops, NULL };
    const protea_adapter_ops *const *those = ops != NULL ? alone : protea_adapters();
    size_t most = 1, bytes = 0;
    int n = 0;
    for (int i = 0; those[i] != NULL; i++)
        most += (size_t)count(those[i]);
    PROTEA_TRY(protea_new(&o->table, most, sizeof *o->table, "options"));
    for (int i = 0; those[i] != NULL; i++)
        join(o->table, &n, &bytes, those[i]);
    PROTEA_TRY(protea_new(&o->fields, 1, bytes, "options"));
    return protea_options_add(options, ops != NULL ? ops->name : "adapters, each by its own", o->table, o->fields);
}

void protea_adapter_options_release(protea_adapter_options *o)
{
    protea_free(o->table);
    protea_free(o->fields);
    *o = (protea_adapter_options){ 0 };
}

static protea_status relay(protea_options *own, const protea_adapter_ops *ops, const protea_options *options)
{
    char text[PROTEA_OPT_STRING_MAX];
    for (const protea_opt *opt = ops->opts; opt->key != NULL; opt++) {
        if (!protea_options_given(options, opt->key))
            continue;
        PROTEA_TRY(protea_options_get(options, opt->key, text, sizeof text));
        PROTEA_TRY(protea_options_set(own, opt->key, text, PROTEA_FROM_FLAG));
    }
    return PROTEA_OK;
}

/* *own: a set that holds the adapter's options alone, filling *filled; both owned, also on failure. */
static protea_status separate(protea_options **own, void **filled, const protea_adapter_ops *ops, const protea_options *options)
{
    *filled = NULL;
    *own = protea_options_new();
    if (*own == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options: memory could not be had");
    PROTEA_TRY(protea_new(filled, 1, ops->size, ops->name));
    PROTEA_TRY(protea_options_add(*own, ops->name, ops->opts, *filled));
    return relay(*own, ops, options);
}

protea_status protea_adapter_options_fill(void **filled, const protea_adapter_ops *ops, const protea_options *options)
{
    protea_options *own;
    protea_status status = separate(&own, filled, ops, options);
    protea_options_free(own);
    if (status == PROTEA_OK)
        return PROTEA_OK;
    protea_free(*filled);
    *filled = NULL;
    return status;
}

protea_status protea_adapter_options_text(char *out, size_t size, const protea_adapter_ops *ops, const char *key,
                                          const protea_options *options)
{
    protea_options *own;
    void *filled;
    *out = 0;
    protea_status status = separate(&own, &filled, ops, options);
    if (status == PROTEA_OK && protea_options_find(own, key) != NULL)
        status = protea_options_get(own, key, out, size);
    protea_options_free(own);
    protea_free(filled);
    return status;
}
