/* The frame around every kind of data set: order, classes, limit, cache, bad images. */
#include "data/source.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/pixel_cache.h"
#include "data/skips.h"
#include "data/source_kind.h"

struct protea_source {
    protea_opened set;
    char *path;              /* as given, without ::SUB */
    protea_limits limits;
    protea_pixel_cache cache;
    protea_skips skips;
    char fingerprint[33];
};

protea_source_opts protea_source_opts_default(void)
{
    return (protea_source_opts){ .limits = protea_limits_default() };
}

/* The first image of several classes, with them. */
static protea_status refuse_several(const protea_source *s)
{
    const protea_catalog *c = &s->set.catalog;
    char names[200] = "", shown[600], classes[600];
    const int32_t *label;
    int64_t i = 0;
    while (i + 1 < c->n && c->entry[i].several == 0)
        i++;
    int n = protea_catalog_labels(c, i, &label);
    for (int k = 0; k < n && strlen(names) + 1 < sizeof names; k++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", k > 0 ? ";" : "", c->class_name[label[k]]);
    protea_escape(shown, sizeof shown, protea_catalog_name(c, i));
    protea_escape(classes, sizeof classes, names);
    return protea_fail(PROTEA_ERR_INPUT, "%s: images of several classes (%s is %s), one each wanted here; eval svm takes several, "
                       "and --no-labels leaves them aside where none are needed", s->path, shown, classes);
}

static protea_status settle_labels(protea_source *s, const char *sub, const protea_source_opts *opts)
{
    protea_catalog *c = &s->set.catalog;
    if (opts->no_labels)
        protea_catalog_unlabel(c);
    else if (c->labels_by == NULL)
        return protea_catalog_label(c, sub);
    if (c->tags == NULL || opts->several == PROTEA_SEVERAL_KEEP)
        return PROTEA_OK;
    if (opts->several == PROTEA_SEVERAL_REFUSE)
        return refuse_several(s);
    protea_catalog_unlabel(c);
    c->labels_by = "none: images of several classes are taken without";
    return PROTEA_OK;
}

static protea_status arrange(protea_source *s, const char *sub, const protea_source_opts *opts)
{
    protea_catalog *c = &s->set.catalog;
    int64_t found = c->n;
    protea_catalog_keep_under(c, sub);
    protea_catalog_sort(c);
    if (c->n == 0 && found > 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: holds %lld images, but none under '%s'", s->path, (long long)found, sub);
    if (c->n == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: holds no images (JPEG, PNG or WebP)", s->path);
    protea_catalog_keep_under(&s->set.empty, sub);
    protea_catalog_sort(&s->set.empty);
    PROTEA_TRY(settle_labels(s, sub, opts));
    PROTEA_TRY(protea_catalog_limit(c, opts->limit, opts->seed));
    protea_catalog_fingerprint(c, s->fingerprint);
    return protea_pixel_cache_init(&s->cache, c->n);
}

/* It goes to terminals and logs, and holds names from outside. */
static protea_status escape_warning(protea_opened *o)
{
    char text[1024];
    if (o->warning == NULL)
        return PROTEA_OK;
    protea_escape(text, sizeof text, o->warning);
    protea_free(o->warning);
    o->warning = NULL;
    return protea_copy_string(&o->warning, text);
}

static protea_status open_set(protea_source *s, const char *spec, const protea_source_opts *opts)
{
    static const char synth[] = "synth:";
    const char *sub = "";
    PROTEA_TRY(protea_copy_string(&s->path, spec));
    s->limits = opts->limits;
    if (strncmp(spec, synth, sizeof synth - 1) == 0) {
        PROTEA_TRY(protea_open_synth(&s->set, spec + sizeof synth - 1));
    } else {
        PROTEA_TRY(protea_open_paths(&s->set, s->path, &sub, opts));
        PROTEA_TRY(escape_warning(&s->set));
    }
    return arrange(s, sub, opts);
}

/* Hands s over, or closes it. */
static protea_status finish(protea_source **out, protea_source *s, protea_status status)
{
    if (status == PROTEA_OK)
        *out = s;
    else
        protea_source_close(s);
    return status;
}

protea_status protea_source_open(protea_source **out, const char *spec, const protea_source_opts *opts)
{
    protea_source *s;
    *out = NULL;
    PROTEA_TRY(protea_new(&s, 1, sizeof *s, "a data set"));
    protea_skips_init(&s->skips);
    return finish(out, s, open_set(s, spec, opts));
}

protea_status protea_source_gather(protea_source **out, protea_source *const *set, int n_sets, const protea_pick *pick,
                                   int64_t n, const protea_class_names *classes)
{
    protea_source *s;
    *out = NULL;
    PROTEA_TRY(protea_new(&s, 1, sizeof *s, "a data set"));
    protea_skips_init(&s->skips);
    protea_status status = protea_copy_string(&s->path, "");
    if (status == PROTEA_OK)
        status = protea_open_gathered(&s->set, set, n_sets, pick, n, classes);
    if (status == PROTEA_OK)
        status = protea_pixel_cache_init(&s->cache, 0); /* the sets have their own */
    protea_catalog_fingerprint(&s->set.catalog, s->fingerprint);
    return finish(out, s, status);
}

void protea_source_close(protea_source *s)
{
    if (s == NULL)
        return;
    if (s->set.ops != NULL)
        s->set.ops->close(s->set.self);
    protea_catalog_release(&s->set.catalog);
    protea_catalog_release(&s->set.empty);
    protea_free(s->set.warning);
    protea_pixel_cache_release(&s->cache);
    protea_skips_release(&s->skips);
    protea_free(s->path);
    protea_free(s);
}

int64_t protea_source_count(const protea_source *s)
{
    return s->set.catalog.n;
}

const char *protea_source_kind(const protea_source *s)
{
    return s->set.ops->kind;
}

const char *protea_source_warning(const protea_source *s)
{
    return s->set.warning;
}

int protea_source_n_classes(const protea_source *s)
{
    return s->set.catalog.n_classes;
}

const char *protea_source_class(const protea_source *s, int label)
{
    return label >= 0 && label < s->set.catalog.n_classes ? s->set.catalog.class_name[label] : "";
}

int32_t protea_source_label(const protea_source *s, int64_t i)
{
    return s->set.catalog.entry[i].label;
}

bool protea_source_has_several(const protea_source *s)
{
    return s->set.catalog.tags != NULL;
}

int protea_source_labels(const protea_source *s, int64_t i, const int32_t **label)
{
    return protea_catalog_labels(&s->set.catalog, i, label);
}

const char *protea_source_name(const protea_source *s, int64_t i)
{
    return protea_catalog_name(&s->set.catalog, i);
}

const char *protea_source_labels_by(const protea_source *s)
{
    const char *by = s->set.catalog.labels_by;
    return by != NULL ? by : "other data sets";
}

protea_oddities protea_source_oddities(const protea_source *s)
{
    const protea_catalog *empty = &s->set.empty;
    return (protea_oddities){ .same_names = s->set.catalog.n_same_names, .empty_folders = empty->n,
                              .empty_folder = empty->n > 0 ? protea_catalog_name(empty, 0) : "" };
}

const char *protea_source_fingerprint(const protea_source *s)
{
    return s->fingerprint;
}

size_t protea_source_memory(const protea_source *s)
{
    return s->set.memory + atomic_load(&s->cache.bytes);
}

protea_status protea_source_read(const protea_source *s, int64_t i, protea_image *out)
{
    bool found;
    char label[2 * PATH_MAX];
    if (i < 0 || i >= s->set.catalog.n)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: image %lld of %lld", s->path, (long long)i, (long long)s->set.catalog.n);
    PROTEA_TRY(protea_pixel_cache_get(&s->cache, i, out, &found));
    if (found)
        return PROTEA_OK;
    const char *name = protea_source_name(s, i);
    snprintf(label, sizeof label, "%s%c%s", s->path, s->set.ops->between, name);
    PROTEA_TRY(s->set.ops->read(s->set.self, &s->set.catalog.entry[i], name, label, &s->limits, out));
    protea_pixel_cache_put((protea_pixel_cache *)&s->cache, i, out); /* reading changes nothing that can be seen */
    return PROTEA_OK;
}

protea_status protea_source_skip(protea_source *s, int64_t i, const char *reason)
{
    return protea_skips_add(&s->skips, i, reason);
}

bool protea_source_is_bad(const protea_source *s, int64_t i)
{
    return protea_skips_has((protea_skips *)&s->skips, i); /* only its lock changes */
}

int64_t protea_source_skipped(const protea_source *s, const protea_skip **list)
{
    protea_skips *skips = (protea_skips *)&s->skips;
    return list != NULL ? protea_skips_show(skips, list) : protea_skips_count(skips);
}
