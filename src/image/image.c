/* The buffer of a picture, and the limits. */
#include "image/image.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { LONGEST_SIDE = 65535 };

void protea_image_release(protea_image *image)
{
    protea_free(image->px);
    protea_image_settle(image);
    *image = (protea_image){ 0 };
}

protea_status protea_image_reserve(protea_image *image, int w, int h)
{
    if (w < 1 || h < 1 || w > LONGEST_SIDE || h > LONGEST_SIDE)
        return protea_fail(PROTEA_ERR_INPUT, "picture of %d x %d pixels, wanted sides of 1 to %d", w, h, LONGEST_SIDE);
    size_t bytes = (size_t)w * (size_t)h * 3;
    if (bytes > image->capacity) {
        protea_free(image->px);
        image->px = NULL;
        image->capacity = 0;
        PROTEA_TRY(protea_new(&image->px, bytes, 1, "a picture"));
        image->capacity = bytes;
    }
    image->w = w;
    image->h = h;
    return PROTEA_OK;
}

protea_status protea_image_scratch(protea_image *image, size_t bytes, void *out)
{
    if (bytes > image->scratch_bytes) {
        protea_image_settle(image);
        PROTEA_TRY(protea_new(&image->scratch, bytes, 1, "work on a picture"));
        image->scratch_bytes = bytes;
    }
    memcpy(out, &image->scratch, sizeof image->scratch);
    return PROTEA_OK;
}

void protea_image_settle(protea_image *image)
{
    protea_free(image->scratch);
    image->scratch = NULL;
    image->scratch_bytes = 0;
}

static int64_t half_of_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (int64_t)pages * page / 2 : INT64_MAX;
}

protea_limits protea_limits_default(void)
{
    int64_t four_gib = (int64_t)4 << 30, half = half_of_memory();
    return (protea_limits){ .max_pixels = 100000000, .max_scans = 100, .max_file_bytes = (int64_t)256 << 20,
                            .max_memory = half < four_gib ? half : four_gib, .max_ratio = 500 };
}
