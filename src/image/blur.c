/* Pillow's GaussianBlur: three passes of an "extended box" filter each way, a box whose two end pixels count in part, with
 * the variance of the Gaussian (Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution by extended box
 * filtering"). Weights have 24 bits, each pass rounds to 8, and the edge pixels repeat. */
#include <math.h>
#include <string.h>

#include "image/image.h"
#include "image/pixels.h"

enum { PASSES = 3 };

double protea_blur_radius(double sigma)
{
    double s2 = sigma * sigma / PASSES, length = sqrt(12 * s2 + 1), l = floor((length - 1) / 2);
    return l + (2 * l + 1) * (l * (l + 1) - 3 * s2) / (6 * (s2 - (l + 1) * (l + 1)));
}

static protea_box box_make(double radius)
{
    protea_box b = { .radius = (int)radius };
    b.inner = (uint32_t)((1 << 24) / ((float)radius * 2 + 1));
    b.outer = ((1u << 24) - (uint32_t)(b.radius * 2 + 1) * b.inner) / 2;
    return b;
}

/* Every row, pass after pass. line: room for w + 2 (radius + 1) pixels. */
static void blur_rows(uint8_t *px, int w, int h, const protea_box *b, uint8_t *line)
{
    protea_box_fn *mean = protea_pixels()->box;
    uint8_t *middle = line + 3 * (b->radius + 1), *last = middle + 3 * (w - 1), *row = px;
    for (int y = 0; y < h; y++, row += 3 * (size_t)w)
        for (int pass = 0; pass < PASSES; pass++) {
            memcpy(middle, row, (size_t)w * 3);
            for (int x = 1; x <= b->radius + 1; x++) {
                memcpy(middle - 3 * x, row, 3);
                memcpy(last + 3 * x, row + 3 * (w - 1), 3);
            }
            mean(row, middle, 3, w * 3, b);
        }
}

/* One pass down. padded: room for h + 2 (radius + 1) rows. */
static void blur_down(uint8_t *px, int w, int h, const protea_box *b, uint8_t *padded)
{
    protea_box_fn *mean = protea_pixels()->box;
    int margin = b->radius + 1;
    size_t stride = (size_t)w * 3;
    uint8_t *middle = padded + (size_t)margin * stride;
    memcpy(middle, px, (size_t)h * stride);
    for (int y = 0; y < margin; y++) {
        memcpy(padded + (size_t)y * stride, px, stride);
        memcpy(middle + (size_t)(h + y) * stride, px + (size_t)(h - 1) * stride, stride);
    }
    for (int y = 0; y < h; y++)
        mean(px + (size_t)y * stride, middle + (size_t)y * stride, (ptrdiff_t)stride, w * 3, b);
}

protea_status protea_image_blur(protea_image *image, float sigma)
{
    if (!(sigma > 0))
        return PROTEA_OK;
    protea_box b = box_make(protea_blur_radius(sigma));
    size_t w = (size_t)image->w, h = (size_t)image->h, margins = 2 * ((size_t)b.radius + 1);
    size_t line = (w + margins) * 3, padded = (h + margins) * w * 3;
    uint8_t *scratch;
    PROTEA_TRY(protea_image_scratch(image, line > padded ? line : padded, &scratch));
    blur_rows(image->px, image->w, image->h, &b, scratch);
    for (int pass = 0; pass < PASSES; pass++)
        blur_down(image->px, image->w, image->h, &b, scratch);
    return PROTEA_OK;
}
