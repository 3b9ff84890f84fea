/* PNG: what is around libspng. The bytes are taken as they are, then with the checksums of all chunks put right, which random
 * changes would not get past. */
#include <zlib.h>

#include "fuzz.h"
#include "image/decode.h"
#include "image/orientation.h"

static void put_checksums_right(uint8_t *bytes, size_t size)
{
    for (size_t at = 8; size >= at + 12;) {
        size_t len = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 | (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (len > size - at - 12)
            return;
        uLong sum = crc32(0, bytes + at + 4, (uInt)len + 4);
        for (int i = 0; i < 4; i++)
            bytes[at + 8 + len + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(protea_decode_png, data, size);
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL || size == 0)
        return free(copy), 0;
    memcpy(copy, data, size);
    put_checksums_right(copy, size);
    fuzz_decode(protea_decode_png, copy, size);
    protea_image_orientation(copy, size);
    free(copy);
    return 0;
}
