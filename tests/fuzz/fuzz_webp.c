/* WebP: what is around libwebp. */
#include "fuzz.h"
#include "image/decode.h"
#include "image/orientation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(protea_decode_webp, data, size);
    protea_image_orientation(data, size);
    return 0;
}
