/* What the families of corruptions share: their entry, pictures as numbers, filters over them. */
#ifndef PROTEA_IMAGE_CORRUPT_PARTS_H
#define PROTEA_IMAGE_CORRUPT_PARTS_H

#include "base/alloc.h"
#include "image/corrupt.h"

/* One corruption at one severity. */
typedef struct protea_corruption {
    protea_image *image;
    int level;         /* severity - 1 */
    int scale;         /* 0: CIFAR's constants, 1: ImageNet's */
    protea_rng *rng;
} protea_corruption;

typedef protea_status protea_corrupt_fn(const protea_corruption *c);
protea_corrupt_fn protea_corrupt_gaussian_noise, protea_corrupt_shot_noise, protea_corrupt_impulse_noise,
    protea_corrupt_defocus_blur, protea_corrupt_glass_blur, protea_corrupt_motion_blur, protea_corrupt_zoom_blur,
    protea_corrupt_snow, protea_corrupt_frost, protea_corrupt_fog, protea_corrupt_brightness, protea_corrupt_contrast,
    protea_corrupt_elastic_transform, protea_corrupt_pixelate, protea_corrupt_jpeg_compression, protea_corrupt_speckle_noise,
    protea_corrupt_gaussian_blur, protea_corrupt_spatter, protea_corrupt_saturate;

static inline size_t protea_values(const protea_image *image)
{
    return (size_t)image->w * (size_t)image->h * 3;
}

/* A number in [low, high). */
static inline double protea_between(protea_rng *rng, double low, double high)
{
    return low + (high - low) * protea_rng_uniform_double(rng);
}

/* Numbers within 0..1. (fmin and fmax would be calls.) */
static inline double protea_unit(double v)
{
    v = v < 1 ? v : 1;
    return v > 0 ? v : 0;
}

/* The published files hold what NumPy's cast to uint8 made of numbers: cut towards zero. */
static inline uint8_t protea_cut(double v)
{
    v = v < 255 ? v : 255;
    return (uint8_t)(int)(v > 0 ? v : 0);
}

/* A grid of numbers, channels of a point side by side. */
typedef struct protea_field {
    double *v; /* (h,w,channels) */
    int w, h, channels;
} protea_field;

/* Owned: protea_free(field->v). Not initialised to anything but 0. */
protea_status protea_field_new(protea_field *field, int w, int h, int channels);
/* The picture as numbers in 0..1; owned. */
protea_status protea_field_of(protea_field *field, const protea_image *image);
/* Fills the field with normal numbers. */
void protea_field_normal(protea_field *field, double mean, double sigma, protea_rng *rng);
/* Clips to 0..1 and cuts to 8 bits. */
void protea_field_store(protea_image *image, const protea_field *field);

typedef enum protea_border {
    PROTEA_BORDER_NEAREST,    /* aaa|abc|ccc */
    PROTEA_BORDER_REFLECT,    /* ba|abc|cb */
    PROTEA_BORDER_REFLECT_101 /* cb|abc|ba */
} protea_border;
int protea_border_beyond(int i, int n, protea_border border);
/* Where place i of a line of n lies in it. */
static inline int protea_border_at(int i, int n, protea_border border)
{
    return i >= 0 && i < n ? i : protea_border_beyond(i, n, border);
}

/* scipy.ndimage.gaussian_filter in its order of operations: down first, then across, weights cut off at
 * int(truncate * sigma + 0.5). sigma 0 leaves the field as it is. */
protea_status protea_field_gaussian(protea_field *field, double sigma, double truncate, protea_border border);

/* A correlation with a few taps. */
typedef struct protea_tap {
    int dx, dy;
    double weight;
} protea_tap;
/* px[y][x] = cut(sum of weight * px[y + dy][x + dx] + bias). taps are put in another order. */
protea_status protea_correlate(uint8_t *px, int w, int h, int channels, protea_tap *taps, int n_taps, protea_border border,
                               double bias);

/* ImageMagick's MotionBlur in 8 bits: taps that trail off one-sidedly along a direction, in degrees. */
protea_status protea_motion(uint8_t *px, int w, int h, int channels, double radius, double sigma, double degrees);

/* The middle of the field enlarged by factor to the field's own size, as the published clipped_zoom does it
 * (scipy.ndimage.zoom, order 1). out: another field of the same shape. factor >= 1. */
protea_status protea_field_zoom(protea_field *out, const protea_field *in, double factor);

#endif
