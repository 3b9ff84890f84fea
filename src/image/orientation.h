/* How a camera was held: EXIF's orientation, 1 to 8, as JPEG, PNG and WebP carry it. */
#ifndef PROTEA_IMAGE_ORIENTATION_H
#define PROTEA_IMAGE_ORIENTATION_H

#include "image/image.h"

/* 1 (as it lies) where nothing else is said, or nothing that can be read. Source: Exif 2.32, 4.6.4, tag 0x0112. */
int protea_image_orientation(const uint8_t *bytes, size_t len);
/* Turns and mirrors the picture to how it was seen. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_image_orient(protea_image *image, int orientation);

#endif
