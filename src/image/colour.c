/* Colour operations as torchvision computes them on PIL images: 8 bits after each, float blends cut towards zero. */
#include "image/image.h"

static size_t n_pixels(const protea_image *image)
{
    return (size_t)image->w * (size_t)image->h;
}

/* Pillow's "L": ITU-R 601 luma in fixed point. */
static inline uint8_t luma(const uint8_t *p)
{
    return (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
}

/* Pillow's blend of a degenerate value with the picture's: factor 0 gives from, 1 gives to, more extrapolates. */
static inline uint8_t blend(uint8_t from, uint8_t to, float factor)
{
    float v = (float)from + factor * (float)(to - from);
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : v);
}

static void blend_with_constant(protea_image *image, uint8_t constant, float factor)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = blend(constant, (uint8_t)v, factor);
    for (size_t i = 0, n = n_pixels(image) * 3; i < n; i++)
        image->px[i] = table[image->px[i]];
}

void protea_image_flip(protea_image *image)
{
    for (int y = 0; y < image->h; y++) {
        uint8_t *left = image->px + (size_t)y * (size_t)image->w * 3, *right = left + ((size_t)image->w - 1) * 3;
        for (; left < right; left += 3, right -= 3)
            for (int c = 0; c < 3; c++) {
                uint8_t v = left[c];
                left[c] = right[c];
                right[c] = v;
            }
    }
}

void protea_image_brightness(protea_image *image, float factor)
{
    blend_with_constant(image, 0, factor);
}

void protea_image_contrast(protea_image *image, float factor)
{
    size_t n = n_pixels(image);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += luma(image->px + 3 * i);
    blend_with_constant(image, (uint8_t)((double)sum / (double)n + 0.5), factor);
}

void protea_image_saturation(protea_image *image, float factor)
{
    size_t n = n_pixels(image);
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = image->px + 3 * i, gray = luma(p);
        for (int c = 0; c < 3; c++)
            p[c] = blend(gray, p[c], factor);
    }
}

void protea_image_gray(protea_image *image)
{
    for (size_t i = 0, n = n_pixels(image); i < n; i++) {
        uint8_t *p = image->px + 3 * i;
        p[0] = p[1] = p[2] = luma(p);
    }
}

void protea_image_solarize(protea_image *image)
{
    for (size_t i = 0, n = n_pixels(image) * 3; i < n; i++) {
        uint8_t v = image->px[i];
        image->px[i] = v >= 128 ? (uint8_t)(255 - v) : v;
    }
}
