/* Which folders are classes: the rule written in catalog.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/catalog.h"

/* A folder's name inside an image's path: not ended by 0. */
typedef struct word { const char *at; size_t len; } word;

static int by_bytes(const void *a, const void *b)
{
    const word *x = a, *y = b;
    size_t shorter = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->at, y->at, shorter);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The name of the folder that holds the image; len 0 when it lies at the top. */
static word parent_of(const char *rest)
{
    const char *end = strrchr(rest, '/');
    if (end == NULL)
        return (word){ rest, 0 };
    const char *start = end;
    while (start > rest && start[-1] != '/')
        start--;
    return (word){ start, (size_t)(end - start) };
}

static int depth_of(const char *rest)
{
    int depth = 0;
    for (; *rest; rest++)
        depth += *rest == '/';
    return depth;
}

static bool all_equally_deep(const protea_catalog *c, size_t skip)
{
    int depth = depth_of(protea_catalog_name(c, 0) + skip);
    for (int64_t i = 1; i < c->n; i++)
        if (depth_of(protea_catalog_name(c, i) + skip) != depth)
            return false;
    return depth > 0;
}

static protea_status keep_names(protea_catalog *c, const word *names, int n)
{
    PROTEA_TRY(protea_new(&c->class_name, (size_t)n, sizeof *c->class_name, "class names"));
    for (int i = 0; i < n; i++) {
        PROTEA_TRY(protea_new(&c->class_name[i], names[i].len + 1, 1, "a class name"));
        memcpy(c->class_name[i], names[i].at, names[i].len);
        c->n_classes = i + 1;
    }
    return PROTEA_OK;
}

static protea_status number(protea_catalog *c, size_t skip, word *names)
{
    int64_t n = 0, distinct = 0;
    for (int64_t i = 0; i < c->n; i++) {
        word parent = parent_of(protea_catalog_name(c, i) + skip);
        if (n == 0 || by_bytes(&names[n - 1], &parent) != 0) /* neighbours in order share a folder */
            names[n++] = parent;
    }
    qsort(names, (size_t)n, sizeof *names, by_bytes);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || by_bytes(&names[distinct - 1], &names[i]) != 0)
            names[distinct++] = names[i];
    if (distinct < 2 || distinct > INT32_MAX)
        return PROTEA_OK;
    for (int64_t i = 0; i < c->n; i++) {
        word parent = parent_of(protea_catalog_name(c, i) + skip);
        const word *found = bsearch(&parent, names, (size_t)distinct, sizeof *names, by_bytes);
        c->entry[i].label = (int32_t)(found - names);
    }
    return keep_names(c, names, (int)distinct);
}

protea_status protea_catalog_label(protea_catalog *c, const char *sub)
{
    size_t skip = *sub ? strlen(sub) + 1 : 0;
    word *names;
    if (c->n == 0 || !all_equally_deep(c, skip))
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&names, (size_t)c->n, sizeof *names, "class names"));
    protea_status status = number(c, skip, names);
    protea_free(names);
    return status;
}
