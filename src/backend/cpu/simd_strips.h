/* How batch-norm's kernels walk over an activation: N * C/block slabs of H*W rows of `block` channels. Within a slab, strips
 * of a few vectors of channels go down all rows with their coefficients or sums in registers. */
#ifndef PROTEA_BACKEND_CPU_SIMD_STRIPS_H
#define PROTEA_BACKEND_CPU_SIMD_STRIPS_H

#include "backend/cpu/simd.h"

enum { VECTORS = 4, STRIP = VECTORS * LANES };

/* `count` channels (STRIP, LANES, or fewer than LANES) from element `at` on in row 0; their coefficients start at `first`. */
typedef struct strip {
    int64_t at, first, count;
} strip;

/* Channels that the next strip takes when `left` remain. */
static inline int64_t strip_length(int64_t left)
{
    if (left >= STRIP)
        return STRIP;
    return left < LANES ? left : LANES;
}

/* Calls BODY(..., vectors, lanes) with both constant in the two common cases, so that its loops unroll. */
#define STRIP_SIZED(s, BODY, ...)                            \
    do {                                                     \
        if ((s)->count == STRIP)                             \
            BODY(__VA_ARGS__, VECTORS, LANES);               \
        else if ((s)->count == LANES)                        \
            BODY(__VA_ARGS__, 1, LANES);                     \
        else                                                 \
            BODY(__VA_ARGS__, 1, (s)->count);                \
    } while (0)

SIMD_INLINE void load_vectors(vf out[VECTORS], const float *from, int64_t first, int vectors, int64_t lanes)
{
    for (int v = 0; v < vectors; v++)
        out[v] = load(from, first + v * LANES, lanes, PROTEA_F32);
}

#endif
