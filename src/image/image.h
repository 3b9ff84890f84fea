/* Pictures as people's files hold them: 8-bit RGB, rows from the top. */
#ifndef PROTEA_IMAGE_IMAGE_H
#define PROTEA_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"

typedef struct protea_image {
    uint8_t *px;      /* (h,w,3) owned; protea_image_release */
    int w, h;
    size_t capacity;  /* bytes px can hold: a buffer is reused for the next picture when it is large enough */
} protea_image;

void protea_image_release(protea_image *image);
/* Makes room for w x h pixels, keeping the old buffer when it is large enough. */
protea_status protea_image_reserve(protea_image *image, int w, int h);

/* How files are read: what a hostile one may ask of us, all on by default, and one wish. */
typedef struct protea_limits {
    int64_t max_pixels;      /* 100 million */
    int32_t max_scans;       /* of a progressive JPEG: 100 */
    int64_t max_file_bytes;  /* of one image: 256 MiB */
    int64_t max_memory;      /* of a compressed archive decoded into memory: 4 GiB, or half of the machine's */
    bool exif;               /* the wish: pictures are turned as their EXIF orientation says; false */
} protea_limits;
protea_limits protea_limits_default(void);

/* Decodes JPEG, PNG or WebP, found out by content. Gray, palette, 16-bit (by scaling), alpha (dropped), CMYK and YCCK become
 * RGB. An EXIF orientation is applied where limits ask for it; colour profiles are not, as in torchvision. name is for messages.
 * Errors: PROTEA_ERR_INPUT naming what was found and wanted, PROTEA_ERR_MEMORY.
 * Thread-safe. */
protea_status protea_image_decode(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                  const protea_limits *limits);

/* Baseline JPEG of an RGB image, for thumbnails in reports; *out owned (protea_free). quality 1..100. */
protea_status protea_image_encode_jpeg(uint8_t **out, size_t *len, const protea_image *image, int quality);
/* PNG (8-bit RGB), for synth and tests. */
protea_status protea_image_encode_png(uint8_t **out, size_t *len, const protea_image *image);

/* Resizes the box (x0,y0,x1,y1) of src (fractions of pixels allowed) to w x h: bilinear with a triangle filter whose
 * support grows with the down-scaling (antialiased), as Pillow's Image.resize(box=...) does, in the same fixed point
 * (horizontal pass first, 8-bit in between). */
protea_status protea_image_resize(protea_image *dst, const protea_image *src, double x0, double y0, double x1, double y1,
                                  int w, int h);
/* The whole of src to w x h with a box filter (Pillow's BOX): means of areas; enlarging repeats the nearest pixel. */
protea_status protea_image_average(protea_image *dst, const protea_image *src, int w, int h);
/* The w x h pixels at (x,y) alone, resized to out_w x out_h: torchvision's resized_crop. */
protea_status protea_image_crop(protea_image *dst, const protea_image *src, int x, int y, int w, int h, int out_w, int out_h);
/* Short side to `size`, then the central size x size square; a square of that size is copied. */
protea_status protea_image_center(protea_image *dst, const protea_image *src, int size);

/* In place, as torchvision's functions on PIL images compute them (methods.md 6). */
void protea_image_flip(protea_image *image);
void protea_image_brightness(protea_image *image, float factor);
void protea_image_contrast(protea_image *image, float factor);
void protea_image_saturation(protea_image *image, float factor);
void protea_image_hue(protea_image *image, float shift);   /* in -0.5..0.5 turns */
void protea_image_gray(protea_image *image);
void protea_image_solarize(protea_image *image);           /* v >= 128 -> 255 - v */
/* Pillow's GaussianBlur(sigma): three passes of an extended box filter each way. */
protea_status protea_image_blur(protea_image *image, float sigma);

#endif
