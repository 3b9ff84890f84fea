/* What Winograd's passes share: how maps are cut into tiles, the transform of what is read, how channels lie where they are
 * multiplied, and what the passes are compiled for. Included only by winograd_*.c. */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_PARTS_H
#define PROTEA_BACKEND_CPU_WINOGRAD_PARTS_H

#include "backend/cpu/winograd.h"
#include "backend/cpu/winograd_points.h"
#include "backend/cpu/product_words.h"

static inline int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* a / b, rounded up. */
static inline int64_t over(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Bytes rounded up to whole cache lines. */
static inline size_t lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* Maps in tiles of m x m; a strip is a row of tiles of one sample. */
typedef struct tiling {
    int m;
    int64_t positions;              /* (m + 2)^2 */
    int64_t down, across, strips;   /* tiles of a map, strips of all */
} tiling;

static inline tiling tiling_of(const protea_map *map, int m)
{
    int64_t down = over(map->h, m), across = over(map->w, m);
    return (tiling){ m, (m + 2) * (m + 2), down, across, map->n * down };
}

/* Columns of a strip: (x + 1, m + 2), x from -1 to across * m. */
static inline int64_t columns_count(const tiling *t)
{
    return (t->across * t->m + 2) * (t->m + 2);
}

static inline size_t columns_bytes(const tiling *t)
{
    return lines((size_t)columns_count(t) * sizeof(vf));
}

/* Once before a thread's work: columns off the map stay zero. */
static inline void clear_columns(void *columns, const tiling *t)
{
    memset(columns, 0, columns_bytes(t));
}

/* The transform down the columns of rows [above, below) of the m + 2 from `row` on; the others are off the map. */
SIMD_INLINE void transform_columns(vf *columns, const void *x, int64_t row, int64_t width, int64_t above, int64_t below, int m,
                                   protea_dtype dtype)
{
    for (int64_t at = 0; at < width; at++) {
        vf in[MAX_SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < m + 2; i++)
            in[i] = i < above || i >= below ? (vf){ 0 } : load(x, row + (i * width + at) * LANES, LANES, dtype);
        transform_inputs(columns + (at + 1) * (m + 2), in, m);
    }
}

/* Of what `strip` reads, LANES channels from c on. */
SIMD_INLINE void transform_rows(vf *columns, const tiling *t, const protea_map *map, const void *x, int64_t strip, int64_t c, int m,
                                protea_dtype dtype)
{
    int64_t slab = strip / t->down * (map->c / LANES) + c / LANES, top = strip % t->down * m - 1;
    int64_t row = (slab * map->h + top) * map->w * LANES;
    if (top >= 0 && top + m + 2 <= map->h)
        transform_columns(columns, x, row, map->w, 0, m + 2, m, dtype);
    else
        transform_columns(columns, x, row, map->w, top < 0, smaller(m + 2, map->h - top), m, dtype);
}

/* out (m + 2): row i of a tile's positions; column: the first of its columns. */
SIMD_INLINE void transform_row(vf *out, const vf *column, int i, int m)
{
    vf in[MAX_SIDE];
#pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++)
        in[j] = column[j * (m + 2) + i];
    transform_inputs(out, in, m);
}

enum { WIDE = 2 * LANES }; /* channels that the innermost loops compute */

/* Of `all` channels in panels of WIDE, the last perhaps of LANES: the panel that channel c lies in. */
typedef struct panel {
    int64_t first, width;
} panel;

static inline panel panel_of(int64_t c, int64_t all)
{
    int64_t first = c / WIDE * WIDE;
    return (panel){ first, smaller(WIDE, all - first) };
}

/* From position to position, `count` numbers of so many bytes at each: a cache line more, lest it be a multiple of a page. */
static inline int64_t position_step(int64_t count, size_t bytes)
{
    return count + 64 / (int64_t)bytes;
}

/* What the passes are compiled for, a tile's size and a type of activations: F4x4 of bf16, and F2x2 of bf16 where bf16 is
 * multiplied, else F4x4 of f32. */
#ifdef __AVX512BF16__
#define EACH_KIND(KIND) KIND(4_bf16, 4, PROTEA_BF16) KIND(2_bf16, 2, PROTEA_BF16)
#else
#define EACH_KIND(KIND) KIND(4_bf16, 4, PROTEA_BF16) KIND(4_f32, 4, PROTEA_F32)
#endif

/* Which of these, counted from 0. */
static inline int kind_number(const tiling *t, protea_dtype dtype)
{
    return t->m == 2 || dtype == PROTEA_F32;
}

/* The passes; scratch: as in winograd.h. */
size_t SIMD_NAME(protea_winograd_scratch)(const protea_conv_dims *d, protea_conv_pass pass, int tile);
void SIMD_NAME(protea_winograd_forward)(void *y, const void *x, const float *w, const protea_conv_dims *d, int tile,
                                        void *scratch);
void SIMD_NAME(protea_winograd_backward_data)(void *dx, const void *dy, const float *w, const protea_conv_dims *d, int tile,
                                              void *scratch);
size_t SIMD_NAME(protea_winograd_packed)(const protea_conv_dims *d, int tile);
void SIMD_NAME(protea_winograd_pack)(void *packed, const float *w, const protea_conv_dims *d, int tile);
void SIMD_NAME(protea_winograd_fused)(void *y, const void *x, const void *packed, const float *bias, const protea_conv_dims *d,
                                      protea_conv_ending ending, int tile, void *scratch);
size_t SIMD_NAME(protea_winograd_weights_scratch)(const protea_conv_dims *d, int tile);
void SIMD_NAME(protea_winograd_backward_weights)(float *dw, const void *dy, const void *x, const protea_conv_dims *d, int tile,
                                                 void *scratch);

#endif
