#ifndef PROTEA_IMAGE_BLUR_H
#define PROTEA_IMAGE_BLUR_H

#include <stdint.h>

/* Radius of the extended box whose three passes have the variance sigma^2; the whole part is l, the rest a
 * (Gwosdek et al. 2011; see blur.c). */
double protea_blur_radius(double sigma);

typedef struct protea_box {
    int radius;            /* whole pixels on each side */
    uint32_t inner, outer; /* weights, 24 bits: of those within the radius, and of the two beyond */
} protea_box;

#endif
