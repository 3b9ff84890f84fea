/* What the gradient of the weights reads: tiles of x and dy transformed, rounded and laid out for its products
 * (winograd_weights.c has the layouts). */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_WEIGHTS_TILES_H
#define PROTEA_BACKEND_CPU_WINOGRAD_WEIGHTS_TILES_H

#include "backend/cpu/winograd_weights_job.h"

/* Where a tile is to lie: LANES channels of a panel of `width`. */
typedef struct target {
    word *at;
    int64_t step, width;
    vf *even;
} target;

/* One row of positions of a tile. The even tile of a pair waits for the odd one. */
SIMD_INLINE void put_row(const target *to, const vf *row, int64_t tile, int i, int m)
{
#pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
        int at = i * (m + 2) + j;
        if (PAIR == 2 && tile % 2 == 0)
            to->even[at] = row[j];
        else
            store_pair(to->at + at * to->step + tile / PAIR * to->width * PAIR, PAIR == 2 ? to->even[at] : row[j], row[j]);
    }
}

/* The tile of zeros that an odd number of tiles is followed by. */
SIMD_INLINE void finish_pair(const target *to, int64_t tile, int m)
{
    const vf zeros[MAX_SIDE] = { { 0 } };
    if (PAIR == 2 && tile % 2 == 1)
        for (int i = 0; i < m + 2; i++)
            put_row(to, zeros, tile, i, m);
}

/* Row i of the positions of a tile, from its columns: of x or, in the columns between its first and last, of dy. */
SIMD_INLINE void row_of(vf *out, const vf *column, int i, int m, bool of_dy)
{
    vf in[MAX_TILE];
    if (!of_dy) {
        transform_row(out, column, i, m);
        return;
    }
#pragma GCC unroll 4
    for (int j = 0; j < m; j++)
        in[j] = column[(j + 1) * (m + 2) + i];
    transform_gradients(out, in, m);
}

SIMD_INLINE void put_tile(const target *to, const vf *column, int64_t tile, int m, bool of_dy)
{
#pragma GCC unroll 1
    for (int i = 0; i < m + 2; i++) {
        vf row[MAX_SIDE];
        row_of(row, column, i, m, of_dy);
        put_row(to, row, tile, i, m);
    }
}

/* An even tile and the odd one beside it. */
SIMD_INLINE void put_pair(const target *to, const vf *column, int64_t tile, int m, bool of_dy)
{
    word *at = to->at + tile * to->width;
#pragma GCC unroll 1
    for (int i = 0; i < m + 2; i++) {
        vf even[MAX_SIDE], odd[MAX_SIDE];
        row_of(even, column, i, m, of_dy);
        row_of(odd, column + m * (m + 2), i, m, of_dy);
#pragma GCC unroll 6
        for (int j = 0; j < m + 2; j++)
            store_pair(at + (i * (m + 2) + j) * to->step, even[j], odd[j]);
    }
}

/* All tiles of a strip, the first of which is `tile`. */
SIMD_INLINE void put_strip(const target *to, const vf *columns, int64_t tile, int64_t across, int m, bool of_dy)
{
    const int64_t next = m * (m + 2), end = tile + across;
    if (tile % PAIR == 1) {
        put_tile(to, columns, tile++, m, of_dy);
        columns += next;
    }
    if (PAIR == 2)
        for (; tile + 2 <= end; tile += 2, columns += 2 * next)
            put_pair(to, columns, tile, m, of_dy);
    for (; tile < end; tile++, columns += next)
        put_tile(to, columns, tile, m, of_dy);
}

/* The transform of gradients down the columns of a strip, of LANES channels from c on. */
SIMD_INLINE void gradient_columns(vf *columns, const job *k, int64_t strip, int64_t c, int m, protea_dtype dtype)
{
    const protea_map *map = &k->d->y;
    int64_t slab = strip / k->t.down * (map->c / LANES) + c / LANES, top = strip % k->t.down * m;
    for (int64_t at = 0; at < map->w; at++) {
        vf in[MAX_TILE];
#pragma GCC unroll 4
        for (int i = 0; i < m; i++)
            in[i] = top + i < map->h ? load(k->dy, ((slab * map->h + top + i) * map->w + at) * LANES, LANES, dtype) : (vf){ 0 };
        transform_gradients(columns + (at + 1) * (m + 2), in, m);
    }
}

/* LANES inputs from c on, strips [from, to). */
SIMD_INLINE void transform_x(const job *k, const place *p, int64_t c, int64_t from, int64_t to, int m, protea_dtype dtype)
{
    panel in = panel_of(c, k->d->x.c);
    int64_t tile = 0;
    target at = { p->x + in.first * k->tiles + (c - in.first) * PAIR, k->x_step, in.width, p->even };
    for (int64_t strip = from; strip < to; strip++, tile += k->t.across) {
        transform_rows(p->columns, &k->t, &k->d->x, k->x, strip, c, m, dtype);
        put_strip(&at, p->columns, tile, k->t.across, m, false);
    }
    finish_pair(&at, tile, m);
}

/* LANES outputs from c on. */
SIMD_INLINE void transform_y(const job *k, const place *p, int64_t c, int64_t from, int64_t to, int m, protea_dtype dtype)
{
    int64_t tile = 0;
    target at = { p->y + c * k->tiles, k->y_step, LANES, p->even };
    for (int64_t strip = from; strip < to; strip++, tile += k->t.across) {
        gradient_columns(p->columns, k, strip, c, m, dtype);
        put_strip(&at, p->columns, tile, k->t.across, m, true);
    }
    finish_pair(&at, tile, m);
}

#endif
