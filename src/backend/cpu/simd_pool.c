/* Pooling, vectors over the channels of a block. */
#include "backend/cpu/fill.h"
#include "backend/cpu/simd.h"

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Element of row (y,x), channel 0 of slab. */
static inline int64_t row_at(const protea_map *m, int64_t slab, int64_t y, int64_t x)
{
    return ((slab * m->h + y) * m->w + x) * m->block;
}

/* Taps [from, to) of a window that starts at `start` and lie on a map of `size` pixels. */
typedef struct taps {
    int64_t from, to;
} taps;

static taps taps_inside(int64_t start, int64_t window, int64_t size)
{
    return (taps){ start < 0 ? -start : 0, least(window, size - start) };
}

/* A window on x: tap (p, q) is element at + p * row + q * column; those on the map. */
typedef struct tap_window {
    int64_t at, row, column;
    taps rows, columns;
    int64_t width;          /* of all taps */
} tap_window;

/* The maximum, written to element i, and where it was; the first of equals, and NaN beats all, as in the reference. */
SIMD_INLINE void max_of(void *y, uint8_t *where, int64_t i, const void *x, tap_window w, int64_t lanes, protea_dtype dtype)
{
    vf best = splat(-__builtin_inff());
    vi at = (vi){ 0 } + (int32_t)(w.rows.from * w.width + w.columns.from);
#pragma GCC unroll 3
    for (int64_t p = w.rows.from; p < w.rows.to; p++)
#pragma GCC unroll 3
        for (int64_t q = w.columns.from; q < w.columns.to; q++) {
            vf v = load(x, w.at + p * w.row + q * w.column, lanes, dtype);
            vi better = (v > best) | ((v != v) & (best == best));
            best = choose(better, v, best);
            at = (((vi){ 0 } + (int32_t)(p * w.width + q)) & better) | (at & ~better);
        }
    vb position = __builtin_convertvector(at, vb);
    store(y, i, lanes, dtype, best);
    memcpy(where + i, &position, lanes == LANES ? sizeof position : (size_t)lanes);
}

/* Channels [c, c + lanes) of an output. The stem's window of nine taps, where all are on the map, is unrolled. */
SIMD_INLINE void max_at(void *y, uint8_t *where, const void *x, const protea_conv_dims *d, int64_t slab, int64_t out_row,
                        int64_t out_column, int64_t c, int64_t lanes, protea_dtype dtype)
{
    const taps three = { 0, 3 };
    int64_t top = out_row * d->stride - d->pad, left = out_column * d->stride - d->pad;
    int64_t i = row_at(&d->y, slab, out_row, out_column) + c;
    tap_window w = { row_at(&d->x, slab, top, left) + c, d->x.w * d->x.block, d->x.block, taps_inside(top, d->kh, d->x.h),
                 taps_inside(left, d->kw, d->x.w), d->kw };
    if (d->kh == 3 && d->kw == 3 && w.rows.to - w.rows.from == 3 && w.columns.to - w.columns.from == 3)
        max_of(y, where, i, x, (tap_window){ w.at, w.row, w.column, three, three, 3 }, lanes, dtype);
    else
        max_of(y, where, i, x, w, lanes, dtype);
}

SIMD_INLINE void max_slab(void *y, uint8_t *where, const void *x, const protea_conv_dims *d, int64_t slab, protea_dtype dtype)
{
    for (int64_t row = 0; row < d->y.h; row++)
        for (int64_t column = 0; column < d->y.w; column++)
            for (int64_t c = 0; c < d->y.block; c += LANES)
                if (d->y.block - c >= LANES)
                    max_at(y, where, x, d, slab, row, column, c, LANES, dtype);
                else
                    max_at(y, where, x, d, slab, row, column, c, d->y.block - c, dtype);
}

static void max_pool(protea_backend *be, void *y, uint8_t *where, const void *x, const protea_conv_dims *d)
{
    (void)be;
    bool bf16 = d->x.dtype == PROTEA_BF16;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < d->y.n * (d->y.c / d->y.block); slab++)
        bf16 ? max_slab(y, where, x, d, slab, PROTEA_BF16) : max_slab(y, where, x, d, slab, PROTEA_F32);
}

/* Max-pooling's way back, of a window that is d's; where it is the stem's, the compiler knows it. */
typedef struct gathering {
    void *dx;
    const void *dy;
    const uint8_t *where;
    const protea_conv_dims *d;
    int64_t kh, kw, stride, pad;
} gathering;

/* Output rows (or columns) whose window holds input row `y`. */
SIMD_INLINE taps windows_over(const gathering *g, int64_t y, int64_t window, int64_t outputs)
{
    int64_t last = (y + g->pad) / g->stride, before = y + g->pad - window;
    int64_t first = before < 0 ? 0 : before / g->stride + 1;
    return (taps){ first, least(last + 1, outputs) };
}

/* Sum of dy over the windows of these rows whose maximum was element (y,x), of channels [c, c + lanes). */
SIMD_INLINE void gather_at(const gathering *g, int64_t slab, taps rows, int64_t y, int64_t x, int64_t c, int64_t lanes,
                           protea_dtype dtype)
{
    const protea_map *to = &g->d->x, *from = &g->d->y;
    taps columns = windows_over(g, x, g->kw, from->w);
    vf sum = { 0 };
    for (int64_t i = rows.from; i < rows.to; i++)
        for (int64_t j = columns.from; j < columns.to; j++) {
            int64_t out = row_at(from, slab, i, j) + c, p = y + g->pad - i * g->stride, q = x + g->pad - j * g->stride;
            vb position = { 0 };
            memcpy(&position, g->where + out, lanes == LANES ? sizeof position : (size_t)lanes);
            vi mine = __builtin_convertvector(position, vi) == (int32_t)(p * g->kw + q);
            sum += choose(mine, load(g->dy, out, lanes, dtype), (vf){ 0 });
        }
    store(g->dx, row_at(to, slab, y, x) + c, lanes, dtype, sum);
}

SIMD_INLINE void gather_slab(const gathering *g, int64_t slab, protea_dtype dtype)
{
    const protea_map *m = &g->d->x;
    for (int64_t y = 0; y < m->h; y++) {
        taps rows = windows_over(g, y, g->kh, g->d->y.h);
        for (int64_t x = 0; x < m->w; x++)
            for (int64_t c = 0; c < m->block; c += LANES)
                if (m->block - c >= LANES)
                    gather_at(g, slab, rows, y, x, c, LANES, dtype);
                else
                    gather_at(g, slab, rows, y, x, c, m->block - c, dtype);
    }
}

SIMD_INLINE void gather(void *dx, const void *dy, const uint8_t *where, const protea_conv_dims *d, int64_t slab,
                        protea_dtype dtype)
{
    const gathering stem = { dx, dy, where, d, 3, 3, 2, 1 }, any = { dx, dy, where, d, d->kh, d->kw, d->stride, d->pad };
    if (d->kh == stem.kh && d->kw == stem.kw && d->stride == stem.stride && d->pad == stem.pad)
        gather_slab(&stem, slab, dtype);
    else
        gather_slab(&any, slab, dtype);
}

static void max_pool_backward(protea_backend *be, void *dx, const void *dy, const uint8_t *where, const protea_conv_dims *d)
{
    (void)be;
    bool bf16 = d->x.dtype == PROTEA_BF16;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < d->x.n * (d->x.c / d->x.block); slab++)
        bf16 ? gather(dx, dy, where, d, slab, PROTEA_BF16) : gather(dx, dy, where, d, slab, PROTEA_F32);
}

static void mean_pool(protea_backend *be, float *y, const void *x, const protea_map *m)
{
    (void)be;
    int64_t rows = m->h * m->w;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < m->n * (m->c / m->block); slab++)
        for (int64_t c = 0; c < m->block; c += LANES) {
            int64_t lanes = least(LANES, m->block - c);
            vf sum = { 0 };
            for (int64_t row = 0; row < rows; row++)
                sum += load(x, (slab * rows + row) * m->block + c, lanes, m->dtype);
            store(y, slab * m->block + c, lanes, PROTEA_F32, sum / (float)rows);
        }
}

static void mean_pool_backward(protea_backend *be, void *dx, const float *dy, const protea_map *m)
{
    (void)be;
    int64_t rows = m->h * m->w;
#pragma omp parallel for schedule(static)
    for (int64_t slab = 0; slab < m->n * (m->c / m->block); slab++)
        for (int64_t c = 0; c < m->block; c += LANES) {
            int64_t lanes = least(LANES, m->block - c);
            vf share = load(dy, slab * m->block + c, lanes, PROTEA_F32) / (float)rows;
            for (int64_t row = 0; row < rows; row++)
                store(dx, (slab * rows + row) * m->block + c, lanes, m->dtype, share);
        }
}

void SIMD_NAME(protea_simd_fill_pool)(protea_kernels *k)
{
    k->max_pool = max_pool;
    k->max_pool_backward = max_pool_backward;
    k->mean_pool = mean_pool;
    k->mean_pool_backward = mean_pool_backward;
}
