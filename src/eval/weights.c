#include "eval/weights.h"

#include <stdio.h>
#include <string.h>

enum { LISTED = 4 }; /* names that a message lists before it only counts */

/* A growing "a, b, c" of names. */
typedef struct name_list {
    int n;
    char text[LISTED * 72];
} name_list;

static void list_name(name_list *list, const char *name)
{
    size_t used = strlen(list->text);
    if (list->n++ < LISTED)
        snprintf(list->text + used, sizeof list->text - used, "%s%.64s", used ? ", " : "", name);
}

typedef struct loading {
    const protea_weights_load *load;
    name_list missing;
} loading;

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static protea_status load_tensor(loading *l, const char *name, protea_tensor *t)
{
    const protea_weights_load *load = l->load;
    char full[256];
    if (snprintf(full, sizeof full, "%s%s", load->prefix, name) >= (int)sizeof full)
        return protea_fail(PROTEA_ERR_INTERNAL, "a tensor's name is longer than 255 bytes");
    const protea_tensor *from = protea_st_find(load->file, full);
    if (from == NULL) {
        if (!ends_with(name, "num_batches_tracked"))
            list_name(&l->missing, full);
        return PROTEA_OK;
    }
    return protea_st_copy(load->path, full, t, from);
}

static protea_status load_param(void *self, const char *name, protea_param *p)
{
    return load_tensor(self, name, &p->w);
}

static protea_status load_buffer(void *self, const char *name, protea_tensor *t)
{
    return load_tensor(self, name, t);
}

/* ---- what the file holds beyond what was asked for */

typedef struct wanted_name { const char *name; bool found; } wanted_name;

static protea_status match_param(void *self, const char *name, protea_param *p)
{
    (void)p;
    wanted_name *w = self;
    w->found = w->found || strcmp(name, w->name) == 0;
    return PROTEA_OK;
}

static protea_status match_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)t;
    return match_param(self, name, NULL);
}

static protea_status list_unexpected(name_list *list, const protea_weights_load *load, protea_visit_weights visit, void *self)
{
    size_t prefix_len = strlen(load->prefix);
    for (int64_t i = 0; i < protea_st_count(load->file); i++) {
        const char *name = protea_st_name(load->file, i);
        if (strncmp(name, load->prefix, prefix_len) != 0 || !load->unexpected(name + prefix_len))
            continue;
        wanted_name w = { name + prefix_len, false };
        const protea_visitor v = { match_param, match_buffer, &w };
        PROTEA_TRY(visit(self, &v));
        if (!w.found)
            list_name(list, name);
    }
    return PROTEA_OK;
}

static protea_status fail_names(const char *path, const char *what, const name_list *list)
{
    char more[48] = "";
    if (list->n > LISTED)
        snprintf(more, sizeof more, " and %d more", list->n - LISTED);
    return protea_fail(PROTEA_ERR_INPUT, "%s: %d %s tensor%s: %s%s", path, list->n, what, list->n == 1 ? "" : "s",
                       list->text, more);
}

protea_status protea_weights_read(const protea_weights_load *load, protea_visit_weights visit, void *self)
{
    loading l = { .load = load };
    const protea_visitor v = { load_param, load_buffer, &l };
    PROTEA_TRY(visit(self, &v));
    if (l.missing.n > 0)
        return fail_names(load->path, "missing", &l.missing);
    if (load->unexpected == NULL)
        return PROTEA_OK;
    name_list unexpected = { 0 };
    PROTEA_TRY(list_unexpected(&unexpected, load, visit, self));
    return unexpected.n > 0 ? fail_names(load->path, "unexpected", &unexpected) : PROTEA_OK;
}
