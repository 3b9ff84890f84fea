/* Small sets stay decoded in memory: the first reading of an image keeps its pixels. Thread-safe without locks. */
#ifndef PROTEA_DATA_PIXEL_CACHE_H
#define PROTEA_DATA_PIXEL_CACHE_H

#include <stdatomic.h>

#include "image/image.h"

typedef struct protea_kept_pixels {
    int w, h;
    uint8_t px[];
} protea_kept_pixels;

typedef struct protea_pixel_cache {
    _Atomic(protea_kept_pixels *) *slot; /* (n) */
    int64_t n;
    atomic_size_t bytes;
} protea_pixel_cache;

/* n = 0: keeps nothing. */
protea_status protea_pixel_cache_init(protea_pixel_cache *c, int64_t n);
void protea_pixel_cache_release(protea_pixel_cache *c);
/* *found: whether out now holds image i. */
protea_status protea_pixel_cache_get(const protea_pixel_cache *c, int64_t i, protea_image *out, bool *found);
/* Keeps a copy if the picture is small and there is room; a cache that cannot is only slower. */
void protea_pixel_cache_put(protea_pixel_cache *c, int64_t i, const protea_image *image);

#endif
