/* 3x3 convolutions of stride 1 by Winograd's minimal filtering F(m x m, 3x3): docs/math/winograd.md derives it.
 *
 * A tile of m x m outputs takes (m + 2)^2 products for each pair of an input and an output channel, where the sum over nine taps
 * takes 9 m^2: 2.25 times as many for m = 2, 4 times for m = 4. What is multiplied is rounded once, after transforms in f32, to
 * the type that the operations multiply (bf16 or f32); sums are f32. */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_H
#define PROTEA_BACKEND_CPU_WINOGRAD_H

#include "backend/kernels.h"

/* The passes on one instruction set, for activations in blocks of `lanes` channels, 3x3, stride 1, padding 1. tile = 4, or 2 with
 * products of bf16. scratch: so many bytes, 64-aligned, for as many threads as are set when its size is asked; it does not grow
 * with the batch. Forward and backward-data give equal bits for any number of threads, backward-weights for equal numbers. */
typedef struct protea_winograd_ops {
    int64_t lanes;
    size_t (*scratch)(const protea_conv_dims *d, protea_conv_pass pass, int tile);
    void (*forward)(void *y, const void *x, const float *w, const protea_conv_dims *d, int tile, void *scratch);
    void (*backward_data)(void *dx, const void *dy, const float *w, const protea_conv_dims *d, int tile, void *scratch);
    /* dw += */
    void (*backward_weights)(float *dw, const void *dy, const void *x, const protea_conv_dims *d, int tile, void *scratch);
    /* For inference: of weights that pack has laid out once in so many bytes, 64-aligned, and a bias (O). scratch: forward's. */
    size_t (*packed)(const protea_conv_dims *d, int tile);
    void (*pack)(void *packed, const float *w, const protea_conv_dims *d, int tile);
    void (*fused)(void *y, const void *x, const void *packed, const float *bias, const protea_conv_dims *d,
                  protea_conv_ending ending, int tile, void *scratch);
} protea_winograd_ops;

/* Of the best instruction set up to isa, with products in f32. NULL: none. */
const protea_winograd_ops *protea_winograd_f32(protea_isa isa);
/* With products of bf16, of bf16 activations: for processors with AVX512_BF16. NULL: not compiled for this machine. */
const protea_winograd_ops *protea_winograd_bf16(void);

#endif
