/* Images of several classes: words of a table with ';' between the classes, as catalog.h says. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/catalog.h"

/* A class's name inside a table's word: not ended by 0. */
typedef struct part { const char *at; size_t len; } part;

/* What is being numbered. */
typedef struct sets {
    part *part, *name; /* (n_parts) all of them, entry by entry; then sorted, one of each: owned, as one block */
    int64_t *first;    /* (n + 1) an entry's parts: owned */
    int64_t n_names;
} sets;

static int by_bytes(const void *a, const void *b)
{
    const part *x = a, *y = b;
    size_t shorter = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->at, y->at, shorter);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The next class of the word at *text, which moves on; len 0 at the end. */
static part next_part(const char **text)
{
    part p = { *text, 0 };
    while (p.len == 0 && **text != 0) {
        *text += strspn(*text, "; \t");
        p = (part){ *text, strcspn(*text, ";") };
        *text += p.len;
        while (p.len > 0 && strchr(" \t", p.at[p.len - 1]) != NULL)
            p.len--;
    }
    return p;
}

static bool has_several(const protea_catalog *c, const char *const *label)
{
    for (int64_t i = 0; i < c->n; i++)
        if (label[i] != NULL && strchr(label[i], ';') != NULL)
            return true;
    return false;
}

static protea_status cut_words(sets *s, const protea_catalog *c, const char *const *label)
{
    int64_t n = 0;
    for (int64_t i = 0; i < c->n; i++)
        for (const char *text = label[i]; text != NULL && next_part(&text).len > 0;)
            n++;
    if (n + c->n >= INT32_MAX)
        return protea_fail(PROTEA_ERR_INPUT, "%lld images with %lld labels: more than can be numbered", (long long)c->n,
                           (long long)n);
    PROTEA_TRY(protea_new(&s->part, 2 * (size_t)n, sizeof *s->part, "class names"));
    PROTEA_TRY(protea_new(&s->first, (size_t)c->n + 1, sizeof *s->first, "class names"));
    s->name = s->part + n;
    n = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const char *text = label[i];
        for (part p = text != NULL ? next_part(&text) : (part){ 0 }; p.len > 0; p = next_part(&text))
            s->part[n++] = p;
        s->first[i + 1] = n;
    }
    return PROTEA_OK;
}

static protea_status keep_names(protea_catalog *c, sets *s)
{
    int64_t n = s->first[c->n];
    memcpy(s->name, s->part, (size_t)n * sizeof *s->name);
    qsort(s->name, (size_t)n, sizeof *s->name, by_bytes);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || by_bytes(&s->name[s->n_names - 1], &s->name[i]) != 0)
            s->name[s->n_names++] = s->name[i];
    PROTEA_TRY(protea_new(&c->class_name, (size_t)s->n_names, sizeof *c->class_name, "class names"));
    for (; c->n_classes < s->n_names; c->n_classes++) {
        const part *name = &s->name[c->n_classes];
        PROTEA_TRY(protea_new(&c->class_name[c->n_classes], name->len + 1, 1, "a class name"));
        memcpy(c->class_name[c->n_classes], name->at, name->len);
    }
    return PROTEA_OK;
}

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The entry's classes to tag, ascending, each once. Returns how many there are. */
static int64_t tag_entry(int32_t *tag, const sets *s, int64_t i)
{
    int64_t n = s->first[i + 1] - s->first[i], distinct = 0;
    for (int64_t k = 0; k < n; k++) {
        const part *found = bsearch(&s->part[s->first[i] + k], s->name, (size_t)s->n_names, sizeof *s->name, by_bytes);
        tag[k] = (int32_t)(found - s->name);
    }
    qsort(tag, (size_t)n, sizeof *tag, by_number);
    for (int64_t k = 0; k < n; k++)
        if (k == 0 || tag[k] != tag[distinct - 1])
            tag[distinct++] = tag[k];
    return distinct;
}

/* Tags begin at 1: an entry with 0 has none. */
static protea_status number(protea_catalog *c, const sets *s)
{
    int32_t used = 1;
    PROTEA_TRY(protea_new(&c->tags, (size_t)(s->first[c->n] + c->n) + 1, sizeof *c->tags, "labels"));
    for (int64_t i = 0; i < c->n; i++) {
        int64_t n = tag_entry(c->tags + used, s, i);
        c->entry[i].label = n > 0 ? c->tags[used] : -1;
        c->entry[i].several = n > 1 ? used : 0;
        c->tags[used + n] = -1;
        used += n > 1 ? (int32_t)n + 1 : 0;
    }
    if (used == 1) { /* `cat;` is one */
        protea_free(c->tags);
        c->tags = NULL;
    }
    return PROTEA_OK;
}

protea_status protea_catalog_label_by_sets(protea_catalog *c, const char *const *label)
{
    sets s = { 0 };
    if (!has_several(c, label))
        return protea_catalog_label_by(c, label);
    protea_status status = cut_words(&s, c, label);
    if (status == PROTEA_OK)
        status = keep_names(c, &s);
    if (status == PROTEA_OK)
        status = number(c, &s);
    c->labels_by = c->tags != NULL ? "a table of labels, several an image" : "a table of labels";
    protea_free(s.part);
    protea_free(s.first);
    return status;
}

int protea_catalog_labels(const protea_catalog *c, int64_t i, const int32_t **label)
{
    const protea_entry *e = &c->entry[i];
    int n = 0;
    *label = &e->label;
    if (e->several == 0)
        return e->label >= 0;
    *label = c->tags + e->several;
    while ((*label)[n] >= 0)
        n++;
    return n;
}
