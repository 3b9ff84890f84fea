/* Kernels over 8-bit RGB: tables of functions for each instruction set, which all give the same bytes. The plain ones of ref_*.c
 * are the definition; simd_*.c here are compiled once per instruction set (backend/cpu/isa.cmake). */
#ifndef PROTEA_IMAGE_PIXELS_H
#define PROTEA_IMAGE_PIXELS_H

#include "backend/kernels.h"
#include "image/blur.h"

/* The weights of one direction of a resizing: output i is the sum of n[i] inputs from first[i] on, with weight[i * width ...], in
 * fixed point with PROTEA_WEIGHT_BITS, rounded and cut to 0..255. first and first + n never fall, or never rise. */
typedef struct protea_taps {
    int *first, *n;
    int32_t *weight;
    int width, n_out;
} protea_taps;
enum { PROTEA_WEIGHT_BITS = 22 };

typedef struct protea_resize_ops {
    /* Bytes of scratch that across wants, at most, for outputs that look at n_in pixels. */
    size_t (*across_scratch)(int n_in, int n_out);
    /* `rows` rows of pixels, in_stride bytes apart, to rows of t->n_out. */
    void (*across)(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride, int rows, const protea_taps *t,
                   void *scratch);
    /* out[i] (n) = the weighted sum of in[i + k * stride], k < n_taps. */
    void (*down)(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *weight, int n_taps, int n);
} protea_resize_ops;

/* out[i] (n) = the box's mean of in[i + k * step], |k| <= b->radius + 1. out and in do not overlap. */
typedef void protea_box_fn(uint8_t *out, const uint8_t *in, ptrdiff_t step, int n, const protea_box *b);

/* n: pixels. */
typedef struct protea_colour_ops {
    /* Pillow's blend of one value with each byte: factor 0 gives from, 1 the byte, more extrapolates. */
    void (*blend)(uint8_t *px, size_t n, uint8_t from, float factor);
    uint64_t (*luma_sum)(const uint8_t *px, size_t n);
    /* The blend of a pixel's luma with its channels. */
    void (*saturate)(uint8_t *px, size_t n, float factor);
    void (*gray)(uint8_t *px, size_t n);
    /* turn: 0..255 of 256. */
    void (*hue)(uint8_t *px, size_t n, uint8_t turn);
    /* (n,3) bytes to (3,n) floats: v * scale[c] + shift[c]. */
    void (*normalise)(float *x, const uint8_t *px, size_t n, const float scale[3], const float shift[3]);
} protea_colour_ops;

typedef struct protea_pixel_ops {
    const protea_resize_ops *resize;
    protea_box_fn *box;
    const protea_colour_ops *colour;
} protea_pixel_ops;

/* The best for this CPU up to `most`; PROTEA_ISA_REF: the plain ones. */
const protea_pixel_ops *protea_pixels_up_to(protea_isa most);
static inline const protea_pixel_ops *protea_pixels(void)
{
    return protea_pixels_up_to(PROTEA_ISA_BEST);
}

#endif
