/* How the CPU looks for nearest centroids: rows in blocks against panels of centroids, products and a running minimum in
 * registers. nearest_blocks.c does what is the same for all instruction sets; an inner part per instruction set and type of
 * products is a protea_nearest_ops. */
#ifndef PROTEA_BACKEND_CPU_NEAREST_H
#define PROTEA_BACKEND_CPU_NEAREST_H

#include "backend/kernels.h"

typedef struct protea_nearest_ops {
    int64_t lanes;      /* running minima of a row; centroid j meets number j % lanes */
    int64_t panel;      /* centroids in a panel: a multiple of lanes */
    size_t head;        /* bytes of a panel before its centroids: for their shifts */
    int64_t rows;       /* rows of a block come in multiples of this */
    int64_t columns;    /* D is padded with zeros to a multiple of this: the depth */
    size_t bytes;       /* of an element in a block or a panel */
    bool bf16;          /* values are rounded to bf16 */
    /* Lays a panel of centroids (panel,depth) with their shifts (panel) out for compare. */
    void (*pack)(void *panel, const float *centroids, const float *shift, int64_t depth);
    /* Lays n rows out for compare: x[rows[i]] (rows NULL: x[i]) of d numbers, less centre (depth). */
    void (*copy)(void *block, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, int64_t depth);
    /* For the n rows of a block (padded to `rows`): where shift[j] - 2 x.c_j is below best (n,lanes), it becomes best, and
     * where (n,lanes) becomes the number of j's vector of lanes, counted from `first` on over these panels. */
    void (*compare)(float *best, int32_t *where, const void *block, int64_t n, const void *panels, size_t panel_bytes,
                    int64_t n_panels, int64_t first, int64_t depth);
    /* Hands over what of the panels' centroids, numbered from `first` on, is below the limits of the n rows of a block, which
     * are numbered from `row` on. */
    void (*below)(const protea_near_sink *sink, int32_t row, const void *block, int64_t n, const void *panels, size_t panel_bytes,
                  int64_t n_panels, int32_t first, int64_t depth);
} protea_nearest_ops;

/* A bit for each of the first `count` of 16 lanes: none below 1, all from 16 on. */
static inline uint16_t protea_first_lanes(int64_t count)
{
    return (uint16_t)(count < 1 ? 0u : count < 16 ? (1u << count) - 1 : 0xffffu);
}

/* nearest_bytes, nearest_pack, nearest and nearest_below by protea_cpu.nearest. */
void protea_nearest_fill(protea_kernels *k);

/* Inner parts on vectors of this instruction set; bf16: rounded values in f32. */
const protea_nearest_ops *protea_simd_nearest(protea_isa isa, bool bf16);

#endif
