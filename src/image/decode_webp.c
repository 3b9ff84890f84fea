/* WebP through libwebp: lossy and lossless, alpha dropped as everywhere here. */
#include <webp/decode.h>

#include "image/decode.h"

protea_status protea_decode_webp(protea_image *out, const uint8_t *bytes, size_t len, const char *name, const protea_limits *limits)
{
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, len, &features);
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to read it", name);
    if (code != VP8_STATUS_OK)
        return protea_fail(PROTEA_ERR_INPUT, "%s: WebP is damaged or cut off", name);
    if (features.has_animation)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is an animated WebP, wanted a single picture", name);
    PROTEA_TRY(protea_decode_check_size((uint64_t)features.width, (uint64_t)features.height, name, limits));
    PROTEA_TRY(protea_image_reserve(out, features.width, features.height));
    size_t stride = 3 * (size_t)features.width;
    if (WebPDecodeRGBInto(bytes, len, out->px, stride * (size_t)features.height, (int)stride) == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: WebP is damaged or cut off", name);
    return PROTEA_OK;
}
