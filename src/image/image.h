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
    void *scratch;    /* owned: what operations that write to this picture work in, kept for the next one */
    size_t scratch_bytes;
} protea_image;

void protea_image_release(protea_image *image);
/* Makes room for w x h pixels, keeping the old buffer when it is large enough. */
protea_status protea_image_reserve(protea_image *image, int w, int h);
/* *out: room for this many bytes, aligned for everything, until the next call for this picture; nothing is in it. */
protea_status protea_image_scratch(protea_image *image, size_t bytes, void *out);
/* Gives the scratch back, for pictures that are many and stay: it may be larger than they are. */
void protea_image_settle(protea_image *image);

/* How files are read: what a hostile one may ask of us, all on by default, and one wish. */
typedef struct protea_limits {
    int64_t max_pixels;      /* 100 million */
    int32_t max_scans;       /* of a progressive JPEG: 100 */
    int64_t max_file_bytes;  /* of one image: 256 MiB */
    int64_t max_memory;      /* of a compressed archive decoded into memory: 4 GiB, or half of the machine's */
    int32_t max_ratio;       /* bytes unpacked for each packed one, once a 64th of max_memory is: 500 */
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

/* Pillow's BOX (means of areas; enlarging repeats the nearest pixel), BILINEAR and BICUBIC. */
typedef enum protea_filter { PROTEA_FILTER_BOX, PROTEA_FILTER_BILINEAR, PROTEA_FILTER_BICUBIC } protea_filter;

/* A part of a picture, in fractions of pixels. */
typedef struct protea_rect { double x0, y0, x1, y1; } protea_rect;
/* Resizes that part of src to w x h with a filter whose support grows with the down-scaling (antialiased), as Pillow's
 * Image.resize(box=...) does, in the same fixed point (horizontal pass first, 8-bit in between). dst is not src. */
protea_status protea_image_resize(protea_image *dst, const protea_image *src, const protea_rect *part, int w, int h,
                                  protea_filter filter);

/* Pixels of a picture. */
typedef struct protea_crop { int x, y, w, h; } protea_crop;
/* The pixels of the crop alone, resized to w x h bilinearly, and mirrored where asked: torchvision's resized_crop, then hflip. */
protea_status protea_image_crop(protea_image *dst, const protea_image *src, const protea_crop *crop, int w, int h, bool mirrored);
/* Short side to `size`, then the central size x size square; a square of that size is copied. */
protea_status protea_image_center(protea_image *dst, const protea_image *src, int size);

/* In place, as torchvision's functions on PIL images compute them. */
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
