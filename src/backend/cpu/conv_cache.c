#include "backend/cpu/conv_cache.h"

#include <string.h>

#include "backend/cpu/conv_rule.h"
#include "base/parallel.h"

/* Everything a plan depends on, without padding bytes, so that memcmp compares it. */
enum { KEY_WORDS = 17 };
typedef struct conv_key {
    int64_t word[KEY_WORDS];
} conv_key;

struct protea_conv_entry {
    conv_key key;
    protea_conv_plan *plan; /* owned */
};

static conv_key key_of(const protea_conv_dims *d, protea_conv_pass pass, const protea_conv_ending *ending)
{
    int64_t end = ending == NULL ? 0 : 1 + 2 * ending->act + ending->add;
    return (conv_key){ { pass, d->x.dtype, d->x.n, d->x.c, d->x.h, d->x.w, d->x.block, d->y.c, d->y.h, d->y.w, d->y.block,
                         d->kh, d->kw, d->stride, d->pad, protea_threads(), end } };
}

static protea_status add(protea_conv_cache *cache, const conv_key *key, protea_onednn *o, const protea_conv_dims *d,
                         protea_conv_pass pass, const protea_conv_ending *ending)
{
    protea_conv_plan *plan;
    PROTEA_TRY(protea_grow(&cache->entries, cache->n + 1, sizeof *cache->entries, "the convolution plans"));
    PROTEA_TRY(protea_conv_plan_new(&plan, o, d, pass, ending, protea_onednn_rule(d, protea_onednn_isa_of(o))));
    cache->entries[cache->n++] = (protea_conv_entry){ *key, plan };
    return PROTEA_OK;
}

protea_status protea_conv_cache_find(protea_conv_plan **out, protea_conv_cache *cache, protea_onednn *o,
                                     const protea_conv_dims *d, protea_conv_pass pass, const protea_conv_ending *ending)
{
    conv_key key = key_of(d, pass, ending);
    size_t i = 0;
    while (i < cache->n && memcmp(&cache->entries[i].key, &key, sizeof key) != 0)
        i++;
    if (i == cache->n)
        PROTEA_TRY(add(cache, &key, o, d, pass, ending));
    *out = cache->entries[i].plan;
    return PROTEA_OK;
}

void protea_conv_cache_clear(protea_conv_cache *cache)
{
    for (size_t i = 0; i < cache->n; i++)
        protea_conv_plan_free(cache->entries[i].plan);
    protea_free(cache->entries);
    *cache = (protea_conv_cache){ NULL, 0 };
}
