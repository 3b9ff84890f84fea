/* Decoders, one per format; protea_image_decode chooses. None works in the picture's scratch, where the bytes of its file may
 * lie. */
#ifndef PROTEA_IMAGE_DECODE_H
#define PROTEA_IMAGE_DECODE_H

#include "image/image.h"

/* What a file's first bytes say it is: "JPEG", "PNG", "WebP", "HTML" ..., or NULL. */
const char *protea_image_sniff(const uint8_t *bytes, size_t len);
/* Whether protea_image_decode reads what begins like this. */
bool protea_image_is_known(const uint8_t *bytes, size_t len);

protea_status protea_decode_jpeg(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                 const protea_limits *limits);
protea_status protea_decode_png(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                const protea_limits *limits);
protea_status protea_decode_webp(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                 const protea_limits *limits);

/* Errors: PROTEA_ERR_INPUT naming the dims when they are zero or beyond the limits. */
protea_status protea_decode_check_size(uint64_t w, uint64_t h, const char *name, const protea_limits *limits);

#endif
