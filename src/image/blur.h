#ifndef PROTEA_IMAGE_BLUR_H
#define PROTEA_IMAGE_BLUR_H
/* Radius of the extended box whose three passes have the variance sigma^2; the whole part is l, the rest a
 * (methods.md 6). */
double protea_blur_radius(double sigma);
#endif
