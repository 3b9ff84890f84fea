/* A rectangle of somebody's pixels: what a crop is before it is resized. */
#ifndef PROTEA_IMAGE_PIXELS_H
#define PROTEA_IMAGE_PIXELS_H

#include "image/image.h"

typedef struct protea_pixels {
    const uint8_t *px; /* borrowed */
    int w, h;
    size_t stride;     /* bytes from row to row */
} protea_pixels;

/* Inside the image; not checked. */
protea_pixels protea_pixels_crop(const protea_image *image, int x, int y, int w, int h);
/* As protea_image_resize; the filter sees nothing outside src. */
protea_status protea_pixels_resize(protea_image *dst, const protea_pixels *src, double x0, double y0, double x1, double y1,
                                   int w, int h);

#endif
