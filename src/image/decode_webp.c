/* WebP through libwebp: lossy and lossless, alpha dropped as everywhere here. */
#include <webp/decode.h>

#include "image/decode.h"

static protea_status failed(VP8StatusCode code, const char *name)
{
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to read it", name);
    return protea_fail(PROTEA_ERR_INPUT, "%s: WebP is damaged or cut off", name);
}

/* Decodes into the pixels of out. */
static VP8StatusCode decode_into(protea_image *out, WebPDecoderConfig *config, const uint8_t *bytes, size_t len)
{
    size_t stride = 3 * (size_t)out->w;
    config->output.colorspace = MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA = (WebPRGBABuffer){ .rgba = out->px, .stride = (int)stride, .size = stride * (size_t)out->h };
    return WebPDecode(bytes, len, config);
}

protea_status protea_decode_webp(protea_image *out, const uint8_t *bytes, size_t len, const char *name, const protea_limits *limits)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return protea_fail(PROTEA_ERR_INTERNAL, "libwebp: another version than the one that Protea was built with");
    const WebPBitstreamFeatures *features = &config.input;
    VP8StatusCode code = WebPGetFeatures(bytes, len, &config.input);
    if (code != VP8_STATUS_OK)
        return failed(code, name);
    if (features->has_animation)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is an animated WebP, wanted a single picture", name);
    PROTEA_TRY(protea_decode_check_size((uint64_t)features->width, (uint64_t)features->height, name, limits));
    PROTEA_TRY(protea_image_reserve(out, features->width, features->height));
    code = decode_into(out, &config, bytes, len);
    return code == VP8_STATUS_OK ? PROTEA_OK : failed(code, name);
}
