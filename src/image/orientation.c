#include "image/orientation.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, MAX_ENTRIES = 1000, IFD_ENTRY = 12 };

/* ---- TIFF, which is what EXIF is written in */

static unsigned u16(const uint8_t *p, bool big)
{
    return big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static size_t u32(const uint8_t *p, bool big)
{
    unsigned first = u16(p, big), second = u16(p + 2, big);
    return big ? (size_t)first << 16 | second : (size_t)second << 16 | first;
}

static int of_tiff(const uint8_t *bytes, size_t len)
{
    if (len < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    bool big = bytes[0] == 'M';
    size_t at = u32(bytes + 4, big);
    if (at > len - 2)
        return 1;
    unsigned n = u16(bytes + at, big);
    at += 2;
    for (unsigned i = 0; i < n && i < MAX_ENTRIES && len - at >= IFD_ENTRY; i++, at += IFD_ENTRY) {
        unsigned value = u16(bytes + at + 8, big);
        if (u16(bytes + at, big) == TAG_ORIENTATION && u16(bytes + at + 2, big) == TYPE_SHORT)
            return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

/* With the six bytes before it that JPEG has always, and some WebP have. */
static int of_exif(const uint8_t *bytes, size_t len)
{
    bool named = len >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0;
    return named ? of_tiff(bytes + 6, len - 6) : of_tiff(bytes, len);
}

/* ---- where it lies in each format */

static int of_jpeg(protea_cursor file)
{
    const uint8_t *head, *body;
    protea_bytes_take(&file, 2, &head);
    while (protea_bytes_take(&file, 4, &head) && head[0] == 0xff && head[1] != 0xda) {
        size_t size = u16(head + 2, true);
        if (size < 2 || !protea_bytes_take(&file, size - 2, &body))
            return 1;
        if (head[1] == 0xe1 && size >= 8 && memcmp(body, "Exif\0\0", 6) == 0)
            return of_exif(body, size - 2);
    }
    return 1;
}

static int of_png(protea_cursor file)
{
    const uint8_t *kind, *body;
    uint32_t size;
    protea_bytes_take(&file, 8, &body);
    while (protea_bytes_u32be(&file, &size) && protea_bytes_take(&file, 4, &kind) && protea_bytes_take(&file, size, &body)) {
        if (memcmp(kind, "eXIf", 4) == 0)
            return of_exif(body, size);
        if (!protea_bytes_take(&file, 4, &body)) /* the checksum */
            return 1;
    }
    return 1;
}

static int of_webp(protea_cursor file)
{
    const uint8_t *kind, *body;
    uint32_t size;
    protea_bytes_take(&file, 12, &body);
    while (protea_bytes_take(&file, 4, &kind) && protea_bytes_u32le(&file, &size) && protea_bytes_take(&file, size, &body)) {
        if (memcmp(kind, "EXIF", 4) == 0)
            return of_exif(body, size);
        protea_bytes_take(&file, size & 1, &body);
    }
    return 1;
}

int protea_image_orientation(const uint8_t *bytes, size_t len)
{
    protea_cursor file = { bytes, len };
    if (len >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8)
        return of_jpeg(file);
    if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return of_png(file);
    if (len >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return of_webp(file);
    return 1;
}

/* ---- turning */

protea_status protea_image_orient(protea_image *image, int orientation)
{
    /* As stored, 2, 3, 6 and 7 begin at the right of what was seen, 3, 4, 7 and 8 at its bottom; from 5 on rows are columns. */
    bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    bool bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8, turned = orientation >= 5;
    protea_image seen = { 0 };
    if (orientation <= 1 || orientation > 8)
        return PROTEA_OK;
    PROTEA_TRY(protea_image_reserve(&seen, turned ? image->h : image->w, turned ? image->w : image->h));
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++) {
            int along = turned ? y : x, down = turned ? x : y;
            size_t to_x = (size_t)(right ? seen.w - 1 - along : along), to_y = (size_t)(bottom ? seen.h - 1 - down : down);
            memcpy(seen.px + (to_y * (size_t)seen.w + to_x) * 3, image->px + ((size_t)y * (size_t)image->w + (size_t)x) * 3, 3);
        }
    protea_free(image->px);
    image->px = seen.px;
    image->w = seen.w;
    image->h = seen.h;
    image->capacity = seen.capacity;
    return PROTEA_OK;
}
