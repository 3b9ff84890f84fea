#include "data/pixel_cache.h"

#include <string.h>

#include "base/alloc.h"

enum { SMALL_SIDE = 64 };
static const size_t most_bytes = (size_t)1 << 30;

protea_status protea_pixel_cache_init(protea_pixel_cache *c, int64_t n)
{
    PROTEA_TRY(protea_new(&c->slot, (size_t)n, sizeof *c->slot, "a data set's pixels"));
    c->n = n;
    return PROTEA_OK;
}

void protea_pixel_cache_release(protea_pixel_cache *c)
{
    for (int64_t i = 0; i < c->n; i++)
        protea_free(atomic_load(&c->slot[i]));
    protea_free(c->slot);
    c->slot = NULL;
    c->n = 0;
}

protea_status protea_pixel_cache_get(const protea_pixel_cache *c, int64_t i, protea_image *out, bool *found)
{
    protea_kept_pixels *kept = i < c->n ? atomic_load_explicit(&c->slot[i], memory_order_acquire) : NULL;
    *found = kept != NULL;
    if (kept == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_image_reserve(out, kept->w, kept->h));
    memcpy(out->px, kept->px, (size_t)kept->w * (size_t)kept->h * 3);
    return PROTEA_OK;
}

void protea_pixel_cache_put(protea_pixel_cache *c, int64_t i, const protea_image *image)
{
    if (i >= c->n || image->w > SMALL_SIDE || image->h > SMALL_SIDE)
        return;
    size_t pixels = (size_t)image->w * (size_t)image->h * 3, bytes = sizeof(protea_kept_pixels) + pixels;
    protea_kept_pixels *kept, *none = NULL;
    if (atomic_fetch_add(&c->bytes, bytes) + bytes > most_bytes || protea_new(&kept, 1, bytes, "pixels") != PROTEA_OK) {
        atomic_fetch_sub(&c->bytes, bytes);
        return;
    }
    kept->w = image->w;
    kept->h = image->h;
    memcpy(kept->px, image->px, pixels);
    if (!atomic_compare_exchange_strong(&c->slot[i], &none, kept)) { /* another thread was first, with the same pixels */
        protea_free(kept);
        atomic_fetch_sub(&c->bytes, bytes);
    }
}
