/* The table of corruptions and the way in. */
#include "image/corrupt.h"

#include <string.h>

#include "image/corrupt_parts.h"

enum { SMALLEST_SIDE = 4 };

#define ENTRY(name) { #name, protea_corrupt_##name }
static const struct {
    const char *name;
    protea_corrupt_fn *run;
} table[PROTEA_CORRUPTIONS] = {
    ENTRY(gaussian_noise), ENTRY(shot_noise), ENTRY(impulse_noise), ENTRY(defocus_blur), ENTRY(glass_blur), ENTRY(motion_blur),
    ENTRY(zoom_blur), ENTRY(snow), ENTRY(frost), ENTRY(fog), ENTRY(brightness), ENTRY(contrast), ENTRY(elastic_transform),
    ENTRY(pixelate), ENTRY(jpeg_compression),
    ENTRY(speckle_noise), ENTRY(gaussian_blur), ENTRY(spatter), ENTRY(saturate),
};

const char *protea_corruption_name(int id)
{
    return id >= 0 && id < PROTEA_CORRUPTIONS ? table[id].name : NULL;
}

static bool same_name(const char *name, const char *asked)
{
    for (; *name && (*name == *asked || (*name == '_' && *asked == '-')); name++)
        asked++;
    return *name == *asked;
}

int protea_corruption_find(const char *name)
{
    for (int id = 0; id < PROTEA_CORRUPTIONS; id++)
        if (same_name(table[id].name, name))
            return id;
    return -1;
}

protea_rng protea_corrupt_rng(uint64_t seed, int id, int severity, int64_t index)
{
    return protea_rng_make(seed, PROTEA_RNG_CORRUPT, (uint32_t)(id * 8 + severity), (uint64_t)index, 0);
}

protea_status protea_corrupt_check(int id, int severity)
{
    if (protea_corruption_name(id) == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "corruption %d: there is none, wanted 0 to %d", id, PROTEA_CORRUPTIONS - 1);
    if (severity < 1 || severity > PROTEA_SEVERITIES)
        return protea_fail(PROTEA_ERR_USAGE, "%s: severity %d found, 1 to %d wanted", table[id].name, severity, PROTEA_SEVERITIES);
    return PROTEA_OK;
}

protea_status protea_corrupt(protea_image *image, int id, int severity, protea_rng *rng)
{
    PROTEA_TRY(protea_corrupt_check(id, severity));
    if (image->w < SMALLEST_SIDE || image->h < SMALLEST_SIDE)
        return protea_fail(PROTEA_ERR_INPUT, "%s: a picture of %d x %d pixels found, sides of at least %d wanted", table[id].name,
                           image->w, image->h, SMALLEST_SIDE);
    bool small = image->w <= PROTEA_CORRUPT_SMALL && image->h <= PROTEA_CORRUPT_SMALL;
    const protea_corruption c = { .image = image, .level = severity - 1, .scale = small ? 0 : 1, .rng = rng };
    return table[id].run(&c);
}
