/* Images of other sets as a set: domains joined, parts for training and for validation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/source_kind.h"

typedef struct gathered {
    protea_source *const *set; /* (n_sets) borrowed sets in a list of our own */
    int n_sets;
    protea_pick *pick;         /* (n) owned; an entry's `at` is its place here */
} gathered;

static void gathered_close(void *self)
{
    gathered *g = self;
    protea_free((void *)g->set);
    protea_free(g->pick);
    protea_free(g);
}

static protea_status gathered_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                   const protea_limits *limits, protea_image *out)
{
    const gathered *g = self;
    const protea_pick *pick = &g->pick[entry->at];
    (void)name, (void)label, (void)limits; /* the set names the image in messages, and knows its limits */
    return protea_source_read(g->set[pick->set], pick->image, out);
}

static const protea_source_ops gathered_ops = { .kind = "gathered", .read = gathered_read, .close = gathered_close,
                                                .between = '/' };

/* A number that changes when the set does: it enters the fingerprint as the size of each image. */
static uint64_t hash_of(const protea_source *set)
{
    char digits[17] = "";
    memcpy(digits, protea_source_fingerprint(set), 16);
    return strtoull(digits, NULL, 16);
}

static protea_status add_image(protea_catalog *c, const gathered *g, int64_t i)
{
    const protea_pick *pick = &g->pick[i];
    const protea_source *set = g->set[pick->set];
    const char *name = protea_source_name(set, pick->image);
    char *joined = NULL;
    if (g->n_sets > 1) {
        size_t room = strlen(name) + 16;
        PROTEA_TRY(protea_new(&joined, room, 1, "a name"));
        snprintf(joined, room, "%d:%s", pick->set + 1, name);
    }
    protea_status status = protea_catalog_add(c, joined != NULL ? joined : name, (uint64_t)i, hash_of(set));
    if (status == PROTEA_OK)
        c->entry[i].label = pick->label;
    protea_free(joined);
    return status;
}

static protea_status add_classes(protea_catalog *c, const protea_class_names *classes)
{
    PROTEA_TRY(protea_new(&c->class_name, (size_t)classes->n, sizeof *c->class_name, "class names"));
    for (; c->n_classes < classes->n; c->n_classes++)
        PROTEA_TRY(protea_copy_string(&c->class_name[c->n_classes], classes->name[c->n_classes]));
    return PROTEA_OK;
}

protea_status protea_open_gathered(protea_opened *o, protea_source *const *set, int n_sets, const protea_pick *pick, int64_t n,
                                   const protea_class_names *classes)
{
    gathered *g;
    protea_source **sets;
    PROTEA_TRY(protea_new(&g, 1, sizeof *g, "a data set"));
    o->ops = &gathered_ops;
    o->self = g;
    PROTEA_TRY(protea_new(&sets, (size_t)n_sets, sizeof *sets, "a data set"));
    memcpy(sets, set, (size_t)n_sets * sizeof *sets);
    g->set = sets;
    g->n_sets = n_sets;
    PROTEA_TRY(protea_new(&g->pick, (size_t)n, sizeof *g->pick, "a data set"));
    memcpy(g->pick, pick, (size_t)n * sizeof *g->pick);
    for (int64_t i = 0; i < n; i++)
        PROTEA_TRY(add_image(&o->catalog, g, i));
    return add_classes(&o->catalog, classes);
}
