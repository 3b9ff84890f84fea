/* `synth:NAME[,n=5000][,size=32][,seed=1]`: image i shows class i mod K and is drawn from Philox(seed, i). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/source_kind.h"
#include "data/synth.h"

#define KIND_POINTER(name) &protea_synth_##name,
#define KIND_WANTED(name) " synth:" #name
static const protea_synth_kind *const kinds[] = { PROTEA_SYNTH_LIST(KIND_POINTER) };

typedef struct synth_set {
    const protea_synth_kind *kind;
    int64_t n, size, seed;
} synth_set;

static protea_status synth_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                const protea_limits *limits, protea_image *out)
{
    const synth_set *set = self;
    (void)name, (void)label, (void)limits;
    PROTEA_TRY(protea_image_reserve(out, (int)set->size, (int)set->size));
    protea_rng rng = protea_rng_make((uint64_t)set->seed, PROTEA_RNG_SYNTH, 0, entry->at, 0);
    set->kind->draw(out, (int)(entry->at % (uint64_t)set->kind->n_classes), &rng);
    return PROTEA_OK;
}

static void synth_close(void *self)
{
    protea_free(self);
}

static const protea_source_ops synth_ops = { .kind = "synth", .read = synth_read, .close = synth_close,
                                              .between = '!' };

const protea_synth_kind *protea_synth_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i]->name) == len && strncmp(kinds[i]->name, name, len) == 0)
            return kinds[i];
    return NULL;
}

typedef struct number { const char *key; int64_t *value, min, max; } number;

/* item: `key=value`, len bytes. */
static protea_status set_number(const number *numbers, const char *text, const char *item, size_t len)
{
    for (const number *n = numbers; n->key != NULL; n++) {
        size_t key_len = strlen(n->key);
        if (len <= key_len || strncmp(item, n->key, key_len) != 0 || item[key_len] != '=')
            continue;
        char *end;
        errno = 0;
        long long value = strtoll(item + key_len + 1, &end, 10);
        if (end != item + len || end == item + key_len + 1 || errno != 0 || value < n->min || value > n->max)
            return protea_fail(PROTEA_ERR_USAGE, "synth:%s: %s is '%.*s', wanted %lld to %lld", text, n->key,
                               (int)(len - key_len - 1), item + key_len + 1, (long long)n->min, (long long)n->max);
        *n->value = value;
        return PROTEA_OK;
    }
    return protea_fail(PROTEA_ERR_USAGE, "synth:%s: '%.*s' is not known, wanted n=, size= or seed=", text, (int)len, item);
}

static protea_status parse(synth_set *set, const char *text)
{
    const number numbers[] = { { "n", &set->n, 1, 100000000 }, { "size", &set->size, 8, 4096 },
                               { "seed", &set->seed, 0, INT64_MAX }, { 0 } };
    size_t len = strcspn(text, ",");
    set->kind = protea_synth_find(text, len);
    if (set->kind == NULL)
        return protea_fail(PROTEA_ERR_USAGE,
                           "synth:%s: there is no generated set '%.*s', wanted one of" PROTEA_SYNTH_LIST(KIND_WANTED), text,
                           (int)len, text);
    while (text[len] == ',') {
        const char *item = text + len + 1;
        size_t item_len = strcspn(item, ",");
        PROTEA_TRY(set_number(numbers, text, item, item_len));
        len += 1 + item_len;
    }
    return PROTEA_OK;
}

static protea_status list_images(protea_opened *o, const synth_set *set)
{
    const protea_synth_kind *kind = set->kind;
    for (int64_t i = 0; i < set->n; i++) {
        char name[128];
        snprintf(name, sizeof name, "synth/%s/%s/%06lld.png", kind->name, kind->classes[i % kind->n_classes], (long long)i);
        /* The size stands for what the pixels depend on, so that the fingerprint tells seeds apart. */
        PROTEA_TRY(protea_catalog_add(&o->catalog, name, (uint64_t)i, (uint64_t)set->seed << 16 | (uint64_t)set->size));
    }
    return PROTEA_OK;
}

protea_status protea_open_synth(protea_opened *o, const char *text)
{
    synth_set *set;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "a generated data set"));
    o->ops = &synth_ops;
    o->self = set;
    *set = (synth_set){ .n = 5000, .size = 32, .seed = 1 };
    PROTEA_TRY(parse(set, text));
    return list_images(o, set);
}
