/* Which format, and whether we want it: by content, never by name. */
#include "image/decode.h"

#include <errno.h>
#include <string.h>

#include "image/orientation.h"

typedef protea_status (*decode_fn)(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                   const protea_limits *limits);
typedef struct signature { const char *kind; const char *bytes; size_t at, len; decode_fn decode; } signature;

static const signature signatures[] = {
    { "JPEG", "\xff\xd8\xff", 0, 3, protea_decode_jpeg },
    { "PNG", "\x89PNG\r\n\x1a\n", 0, 8, protea_decode_png },
    { "WebP", "WEBP", 8, 4, protea_decode_webp },
    /* known, so that messages can name them */
    { "GIF", "GIF8", 0, 4, NULL },        { "BMP", "BM", 0, 2, NULL },            { "TIFF", "II*\0", 0, 4, NULL },
    { "TIFF", "MM\0*", 0, 4, NULL },      { "PDF", "%PDF", 0, 4, NULL },          { "HTML", "<!DOCTYPE", 0, 9, NULL },
    { "HTML", "<!doctype", 0, 9, NULL },  { "HTML", "<html", 0, 5, NULL },        { "HTML", "<HTML", 0, 5, NULL },
    { "XML or SVG", "<?xml", 0, 5, NULL }, { "XML or SVG", "<svg", 0, 4, NULL },   { "zip", "PK\3\4", 0, 4, NULL },
    { "gzip", "\x1f\x8b", 0, 2, NULL },   { "AVIF or HEIC", "ftyp", 4, 4, NULL }, { "JPEG XL", "\xff\x0a", 0, 2, NULL },
};

static const signature *find(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (len >= s->at + s->len && memcmp(bytes + s->at, s->bytes, s->len) == 0)
            return s;
    }
    return NULL;
}

const char *protea_image_sniff(const uint8_t *bytes, size_t len)
{
    const signature *found = find(bytes, len);
    return found != NULL ? found->kind : NULL;
}

bool protea_image_is_known(const uint8_t *bytes, size_t len)
{
    const signature *found = find(bytes, len);
    return found != NULL && found->decode != NULL;
}

protea_status protea_decode_check_size(uint64_t w, uint64_t h, const char *name, const protea_limits *limits)
{
    if (w < 1 || h < 1 || w > 65535 || h > 65535)
        return protea_fail(PROTEA_ERR_INPUT, "%s: header says %llu x %llu pixels, wanted sides of 1 to 65535", name,
                           (unsigned long long)w, (unsigned long long)h);
    if (w * h > (uint64_t)limits->max_pixels)
        return protea_fail(PROTEA_ERR_INPUT, "%s: header says %llu x %llu pixels, at most %lld are read", name,
                           (unsigned long long)w, (unsigned long long)h, (long long)limits->max_pixels);
    return PROTEA_OK;
}

/* The libraries call a picture damaged also where memory ran out inside zlib or their own tables; malloc's errno tells. */
static protea_status decode(const signature *s, protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                            const protea_limits *limits)
{
    errno = 0;
    protea_status status = s->decode(out, bytes, len, name, limits);
    if (status != PROTEA_ERR_INPUT || errno != ENOMEM)
        return status;
    return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to read it", name);
}

protea_status protea_image_decode(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                  const protea_limits *limits)
{
    static const char wanted[] = "wanted a JPEG, PNG or WebP picture";
    const signature *found = find(bytes, len);
    if (len == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is empty, %s", name, wanted);
    if (len > (uint64_t)limits->max_file_bytes)
        return protea_fail(PROTEA_ERR_INPUT, "%s: has %zu bytes, at most %lld are read", name, len,
                           (long long)limits->max_file_bytes);
    if (found == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: begins with bytes %02x %02x, %s", name, bytes[0], len > 1 ? bytes[1] : 0, wanted);
    if (found->decode == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is %s, %s", name, found->kind, wanted);
    PROTEA_TRY(decode(found, out, bytes, len, name, limits));
    return limits->exif ? protea_image_orient(out, protea_image_orientation(bytes, len)) : PROTEA_OK;
}
