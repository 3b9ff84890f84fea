#include "data/source_corrupt.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "data/source_kind.h"

typedef struct corrupted_set {
    const protea_source *inner; /* borrowed */
    int corruption, severity;
    uint64_t seed;
} corrupted_set;

/* at: the image's index. */
static protea_status corrupted_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                    const protea_limits *limits, protea_image *out)
{
    const corrupted_set *set = self;
    (void)name, (void)label, (void)limits;
    PROTEA_TRY(protea_source_read(set->inner, (int64_t)entry->at, out));
    protea_rng rng = protea_corrupt_rng(set->seed, set->corruption, set->severity, (int64_t)entry->at);
    return protea_corrupt(out, set->corruption, set->severity, &rng);
}

static void corrupted_close(void *self)
{
    protea_free(self);
}

static const protea_source_ops corrupted_ops = { .kind = "corrupted", .read = corrupted_read, .close = corrupted_close,
                                                 .between = '!' };

static protea_status copy_classes(protea_catalog *c, const protea_source *inner)
{
    int n = protea_source_n_classes(inner);
    PROTEA_TRY(protea_new(&c->class_name, (size_t)n, sizeof *c->class_name, "class names"));
    for (; c->n_classes < n; c->n_classes++)
        PROTEA_TRY(protea_copy_string(&c->class_name[c->n_classes], protea_source_class(inner, c->n_classes)));
    return PROTEA_OK;
}

/* The size stands for what the pixels depend on, so that fingerprints tell corruptions apart. */
static protea_status copy_catalog(protea_catalog *c, const corrupted_set *set)
{
    uint64_t clean = strtoull(protea_source_fingerprint(set->inner) + 16, NULL, 16);
    uint64_t pixels = clean ^ (set->seed << 8 | (uint64_t)set->corruption << 3 | (uint64_t)set->severity);
    PROTEA_TRY(copy_classes(c, set->inner));
    for (int64_t i = 0; i < protea_source_count(set->inner); i++) {
        PROTEA_TRY(protea_catalog_add(c, protea_source_name(set->inner, i), (uint64_t)i, pixels));
        c->entry[i].label = protea_source_label(set->inner, i);
    }
    return PROTEA_OK;
}

static protea_status open_corrupted(protea_opened *o, const corrupted_set *wanted)
{
    corrupted_set *set;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "a corrupted data set"));
    *set = *wanted;
    o->ops = &corrupted_ops;
    o->self = set;
    return copy_catalog(&o->catalog, set);
}

protea_status protea_source_corrupted(protea_source **out, const protea_source *source, int corruption, int severity,
                                      uint64_t seed)
{
    const corrupted_set wanted = { .inner = source, .corruption = corruption, .severity = severity, .seed = seed };
    const protea_limits limits = protea_limits_default();
    protea_opened o = { 0 };
    char path[64];
    *out = NULL;
    PROTEA_TRY(protea_corrupt_check(corruption, severity));
    snprintf(path, sizeof path, "%s at severity %d", protea_corruption_name(corruption), severity);
    protea_status status = open_corrupted(&o, &wanted);
    if (status == PROTEA_OK)
        return protea_source_from(out, &o, path, &limits);
    protea_opened_close(&o);
    return status;
}
