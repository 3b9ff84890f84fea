/* PNG through libspng. Everything is asked for as 8-bit RGB but 16-bit pictures, which are scaled here: libspng would cut
 * the low byte, and 8-bit files must come out the same as their 16-bit copies. */
#include <spng.h>
#include <stdio.h>

#include "base/alloc.h"
#include "image/decode.h"

/* Texts, profiles and the like, unpacked; a bomb among them must not cost more than its picture may. */
enum { MAX_BESIDE = 64 << 20, MAX_CHUNKS = 1000 };

static protea_status damaged(const char *name, int code)
{
    if (code == SPNG_ECHUNK_LIMITS)
        return protea_fail(PROTEA_ERR_INPUT, "%s: PNG holds more than %d MiB or %d chunks beside its pixels, at most that is read",
                           name, MAX_BESIDE >> 20, MAX_CHUNKS);
    bool memory = code == SPNG_EMEM || code == SPNG_EZLIB_INIT; /* zlib can only fail to begin for want of memory */
    protea_status status = memory ? PROTEA_ERR_MEMORY : PROTEA_ERR_INPUT;
    return protea_fail(status, "%s: PNG is damaged or cut off: %s", name, spng_strerror(code));
}

static protea_status decode_8(spng_ctx *png, protea_image *out, const char *name)
{
    int code = spng_decode_image(png, out->px, (size_t)out->w * (size_t)out->h * 3, SPNG_FMT_RGB8, 0);
    return code == 0 ? PROTEA_OK : damaged(name, code);
}

static protea_status decode_16(spng_ctx *png, protea_image *out, const char *name)
{
    size_t n = (size_t)out->w * (size_t)out->h;
    uint16_t *rgba;
    PROTEA_TRY(protea_new(&rgba, n * 4, sizeof *rgba, name));
    int code = spng_decode_image(png, rgba, n * 4 * sizeof *rgba, SPNG_FMT_RGBA16, 0);
    for (size_t i = 0; code == 0 && i < n; i++)
        for (size_t c = 0; c < 3; c++)
            out->px[3 * i + c] = (uint8_t)((rgba[4 * i + c] * 255u + 32767u) / 65535u);
    protea_free(rgba);
    return code == 0 ? PROTEA_OK : damaged(name, code);
}

static protea_status decode(spng_ctx *png, protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                            const protea_limits *limits)
{
    struct spng_ihdr header;
    spng_set_chunk_limits(png, MAX_BESIDE, MAX_BESIDE);
    spng_set_option(png, SPNG_CHUNK_COUNT_LIMIT, MAX_CHUNKS);
    spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
    int code = spng_set_png_buffer(png, bytes, len);
    if (code == 0)
        code = spng_get_ihdr(png, &header);
    if (code != 0)
        return damaged(name, code);
    PROTEA_TRY(protea_decode_check_size(header.width, header.height, name, limits));
    PROTEA_TRY(protea_image_reserve(out, (int)header.width, (int)header.height));
    PROTEA_TRY(header.bit_depth == 16 ? decode_16(png, out, name) : decode_8(png, out, name));
    code = spng_decode_chunks(png); /* up to the end: a file that stops before it was cut off */
    return code == 0 ? PROTEA_OK : damaged(name, code);
}

protea_status protea_decode_png(protea_image *out, const uint8_t *bytes, size_t len, const char *name, const protea_limits *limits)
{
    spng_ctx *png = spng_ctx_new(0);
    if (png == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to read it", name);
    protea_status status = decode(png, out, bytes, len, name, limits);
    spng_ctx_free(png);
    return status;
}
