/* Weights of a 1x1 convolution in the tiles that oneDNN's kernels read and write: laid out by us, vectors at a time, for oneDNN's
 * own reorders take scalars. */
#ifndef PROTEA_BACKEND_CPU_WEIGHT_TILES_H
#define PROTEA_BACKEND_CPU_WEIGHT_TILES_H

#include "backend/kernels.h"

/* Tiles of `lanes` outputs and as many inputs, of weights (outs,ins) that both are multiples of. */
typedef struct protea_weight_tiles {
    int64_t outs, ins;
    int64_t out_step, in_step;  /* numbers from a tile to that of the next outputs, of the next inputs */
    bool turned;                /* a tile's row is an input's weights, not an output's */
    bool bf16;                  /* rows by twos, their numbers in turn (a0 b0 a1 b1 ...); else f32, row after row */
} protea_weight_tiles;

/* On one instruction set. Equal bits for any number of threads. */
typedef struct protea_weight_tiles_ops {
    int64_t lanes;
    void (*pack)(void *packed, const float *w, const protea_weight_tiles *t);
    /* w += packed, which is f32 */
    void (*add)(float *w, const float *packed, const protea_weight_tiles *t);
} protea_weight_tiles_ops;

/* rounding: the processor has AVX512_BF16. NULL: none for this instruction set. */
const protea_weight_tiles_ops *protea_weight_tiles_of(protea_isa isa, bool rounding);

#endif
