/* JPEG: what is around libjpeg-turbo, and the search for an EXIF orientation. */
#include "fuzz.h"
#include "image/decode.h"
#include "image/orientation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(protea_decode_jpeg, data, size);
    int turn = protea_image_orientation(data, size);
    if (turn < 1 || turn > 8)
        fuzz_stop("no such orientation");
    return 0;
}
