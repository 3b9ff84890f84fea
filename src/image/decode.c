/* Which format, and whether we want it: by content, never by name. */
#include "image/decode.h"

#include <string.h>

typedef struct signature { const char *kind; const char *bytes; size_t at, len; } signature;

static const signature signatures[] = {
    { "JPEG", "\xff\xd8\xff", 0, 3 },      { "PNG", "\x89PNG\r\n\x1a\n", 0, 8 }, { "WebP", "WEBP", 8, 4 },
    { "GIF", "GIF8", 0, 4 },               { "BMP", "BM", 0, 2 },                { "TIFF", "II*\0", 0, 4 },
    { "TIFF", "MM\0*", 0, 4 },             { "PDF", "%PDF", 0, 4 },              { "HTML", "<!DOCTYPE", 0, 9 },
    { "HTML", "<!doctype", 0, 9 },         { "HTML", "<html", 0, 5 },            { "HTML", "<HTML", 0, 5 },
    { "XML or SVG", "<?xml", 0, 5 },       { "XML or SVG", "<svg", 0, 4 },       { "zip", "PK\3\4", 0, 4 },
    { "gzip", "\x1f\x8b", 0, 2 },          { "AVIF or HEIC", "ftyp", 4, 4 },     { "JPEG XL", "\xff\x0a", 0, 2 },
};

const char *protea_image_sniff(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (len >= s->at + s->len && memcmp(bytes + s->at, s->bytes, s->len) == 0)
            return s->kind;
    }
    return NULL;
}

bool protea_image_is_known(const uint8_t *bytes, size_t len)
{
    const char *kind = protea_image_sniff(bytes, len);
    return kind != NULL && (strcmp(kind, "JPEG") == 0 || strcmp(kind, "PNG") == 0);
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

protea_status protea_image_decode(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                  const protea_limits *limits)
{
    const char *kind = protea_image_sniff(bytes, len);
    if (len == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is empty, wanted a JPEG or PNG picture", name);
    if (len > (uint64_t)limits->max_file_bytes)
        return protea_fail(PROTEA_ERR_INPUT, "%s: has %zu bytes, at most %lld are read", name, len,
                           (long long)limits->max_file_bytes);
    if (kind != NULL && strcmp(kind, "JPEG") == 0)
        return protea_decode_jpeg(out, bytes, len, name, limits);
    if (kind != NULL && strcmp(kind, "PNG") == 0)
        return protea_decode_png(out, bytes, len, name, limits);
    if (kind != NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: is %s, wanted a JPEG or PNG picture", name, kind);
    return protea_fail(PROTEA_ERR_INPUT, "%s: begins with bytes %02x %02x, wanted a JPEG or PNG picture", name, bytes[0],
                       len > 1 ? bytes[1] : 0);
}
