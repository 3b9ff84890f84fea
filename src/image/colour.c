/* Colour operations as torchvision computes them on PIL images: 8 bits after each, float blends cut towards zero. */
#include "image/image.h"
#include "image/pixels.h"

static size_t n_pixels(const protea_image *image)
{
    return (size_t)image->w * (size_t)image->h;
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
    protea_pixels()->colour->blend(image->px, n_pixels(image), 0, factor);
}

void protea_image_contrast(protea_image *image, float factor)
{
    const protea_colour_ops *ops = protea_pixels()->colour;
    size_t n = n_pixels(image);
    double mean = (double)ops->luma_sum(image->px, n) / (double)n;
    ops->blend(image->px, n, (uint8_t)(mean + 0.5), factor);
}

void protea_image_saturation(protea_image *image, float factor)
{
    protea_pixels()->colour->saturate(image->px, n_pixels(image), factor);
}

void protea_image_hue(protea_image *image, float shift)
{
    protea_pixels()->colour->hue(image->px, n_pixels(image), (uint8_t)(int)(shift * 255.0f));
}

void protea_image_gray(protea_image *image)
{
    protea_pixels()->colour->gray(image->px, n_pixels(image));
}

void protea_image_solarize(protea_image *image)
{
    for (size_t i = 0, n = n_pixels(image) * 3; i < n; i++) {
        uint8_t v = image->px[i];
        image->px[i] = v >= 128 ? (uint8_t)(255 - v) : v;
    }
}
