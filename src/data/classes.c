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

/* names: room for n. Sorts and keeps one of each; returns how many there are. */
static int64_t distinct_words(word *names, const word *of, int64_t count)
{
    int64_t n = 0, distinct = 0;
    for (int64_t i = 0; i < count; i++)
        if (of[i].at != NULL && (n == 0 || by_bytes(&names[n - 1], &of[i]) != 0)) /* neighbours are often alike */
            names[n++] = of[i];
    qsort(names, (size_t)n, sizeof *names, by_bytes);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || by_bytes(&names[distinct - 1], &names[i]) != 0)
            names[distinct++] = names[i];
    return distinct;
}

/* Entry i is of the class of[i] (at NULL: of none); fewer than `fewest` classes are none at all. */
static protea_status number(protea_catalog *c, const word *of, word *names, int64_t fewest)
{
    int64_t n = distinct_words(names, of, c->n);
    if (n < fewest || n > INT32_MAX)
        return PROTEA_OK;
    for (int64_t i = 0; i < c->n; i++) {
        const word *found = of[i].at != NULL ? bsearch(&of[i], names, (size_t)n, sizeof *names, by_bytes) : NULL;
        c->entry[i].label = found != NULL ? (int32_t)(found - names) : -1;
    }
    return keep_names(c, names, (int)n);
}

protea_status protea_catalog_label(protea_catalog *c, const char *sub)
{
    size_t skip = *sub ? strlen(sub) + 1 : 0;
    word *words;
    c->labels_by = c->n > 0 && depth_of(protea_catalog_name(c, 0) + skip) == 0 ? "none: images lie in no folder"
                                                                              : "none: images lie at differing depths";
    if (c->n == 0 || !all_equally_deep(c, skip))
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&words, 2 * (size_t)c->n, sizeof *words, "class names"));
    for (int64_t i = 0; i < c->n; i++)
        words[i] = parent_of(protea_catalog_name(c, i) + skip);
    protea_status status = number(c, words, words + c->n, 2);
    c->labels_by = c->n_classes > 0 ? "the folders that hold the images" : "none: all images lie in folders of one name";
    protea_free(words);
    return status;
}

protea_status protea_catalog_label_by(protea_catalog *c, const char *const *label)
{
    word *words;
    if (c->n == 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&words, 2 * (size_t)c->n, sizeof *words, "class names"));
    for (int64_t i = 0; i < c->n; i++)
        words[i] = (word){ label[i], label[i] != NULL ? strlen(label[i]) : 0 };
    protea_status status = number(c, words, words + c->n, 1);
    c->labels_by = "a table of labels";
    protea_free(words);
    return status;
}

void protea_catalog_unlabel(protea_catalog *c)
{
    for (int64_t i = 0; i < c->n; i++) {
        c->entry[i].label = -1;
        c->entry[i].several = 0;
    }
    protea_free(c->tags);
    c->tags = NULL;
    for (int i = 0; i < c->n_classes; i++)
        protea_free(c->class_name[i]);
    protea_free(c->class_name);
    c->class_name = NULL;
    c->n_classes = 0;
    c->labels_by = "none: left aside, as asked";
}

protea_status protea_catalog_take_labels(protea_catalog *to, protea_catalog *from)
{
    if (to->n != from->n)
        return protea_fail(PROTEA_ERR_INTERNAL, "labels of %lld images for %lld", (long long)from->n, (long long)to->n);
    for (int64_t i = 0; i < to->n; i++)
        to->entry[i].label = from->entry[i].label;
    to->class_name = from->class_name;
    to->n_classes = from->n_classes;
    to->labels_by = from->labels_by;
    from->class_name = NULL;
    from->n_classes = 0;
    return PROTEA_OK;
}
