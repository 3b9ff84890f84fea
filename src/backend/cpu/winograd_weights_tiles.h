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

SIMD_INLINE void put_inputs(const target *to, const vf *column, int64_t tile, int m)
{
#pragma GCC unroll 1
    for (int i = 0; i < m + 2; i++) {
        vf out[MAX_SIDE];
        transform_row(out, column, i, m);
        put_row(to, out, tile, i, m);
    }
}

SIMD_INLINE void put_gradients(const target *to, const vf *column, int64_t tile, int m)
{
#pragma GCC unroll 1
    for (int i = 0; i < m + 2; i++) {
        vf in[MAX_TILE], out[MAX_SIDE];
#pragma GCC unroll 4
        for (int j = 0; j < m; j++)
            in[j] = column[(j + 1) * (m + 2) + i];
        transform_gradients(out, in, m);
        put_row(to, out, tile, i, m);
    }
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
    for (int64_t strip = from; strip < to; strip++) {
        transform_rows(p->columns, &k->t, &k->d->x, k->x, strip, c, m, dtype);
        for (int64_t i = 0; i < k->t.across; i++, tile++)
            put_inputs(&at, p->columns + i * m * (m + 2), tile, m);
    }
    finish_pair(&at, tile, m);
}

/* LANES outputs from c on. */
SIMD_INLINE void transform_y(const job *k, const place *p, int64_t c, int64_t from, int64_t to, int m, protea_dtype dtype)
{
    int64_t tile = 0;
    target at = { p->y + c * k->tiles, k->y_step, LANES, p->even };
    for (int64_t strip = from; strip < to; strip++) {
        gradient_columns(p->columns, k, strip, c, m, dtype);
        for (int64_t i = 0; i < k->t.across; i++, tile++)
            put_gradients(&at, p->columns + i * m * (m + 2), tile, m);
    }
    finish_pair(&at, tile, m);
}

#endif
