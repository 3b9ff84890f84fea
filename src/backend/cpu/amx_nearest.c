/* Nearest centroids on the matrix unit: 32 centroids against 32 rows at a time, in four tiles of sums. A line of a tile is one
 * centroid against 16 rows, so that the minima of 16 rows are one vector, which stays in a register. The sums start from the
 * centroids' shifts. While the unit multiplies one square, the vector unit takes the minima of the square before it. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include <math.h>

#include "backend/bf16.h"
#include "backend/cpu/amx_tiles.h"

enum { SIDE = 2 * TILE, SUMS = TILE * TILE, HEAD = SIDE * TILE * sizeof(float) };

/* A panel: for each of 32 centroids 16 times its shift, which is two tiles to start from; then for each step of 32 columns two
 * tiles of 16 centroids; times -2. */
static void pack(void *panel, const float *centroids, const float *shift, int64_t depth)
{
    float *head = panel;
    protea_bf16 *out = (protea_bf16 *)(head + SIDE * TILE);
    for (int64_t j = 0; j < SIDE; j++) {
        for (int64_t i = 0; i < TILE; i++)
            head[j * TILE + i] = shift[j];
        for (int64_t i = 0; i < depth; i++)
            out[(i / STEP * 2 + j / TILE) * TILE_WORDS + j % TILE * STEP + i % STEP] =
                protea_f32_to_bf16(-2 * centroids[j * depth + i]);
    }
}

/* Columns [i, i + 32) of a row less the centre, in bf16; those from d on are 0. */
static inline __m512i columns(const float *row, const float *centre, int64_t i, int64_t d)
{
    __mmask16 low = protea_first_lanes(d - i), high = protea_first_lanes(d - i - TILE);
    __m512 a = _mm512_sub_ps(_mm512_maskz_loadu_ps(low, row + i), _mm512_maskz_loadu_ps(low, centre + i));
    __m512 b = _mm512_sub_ps(_mm512_maskz_loadu_ps(high, row + i + TILE), _mm512_maskz_loadu_ps(high, centre + i + TILE));
    return (__m512i)_mm512_cvtne2ps_pbh(b, a);
}

/* Transposes 16 x 16 pairs of columns: in each of four rounds the lines i and i + step swap a half of each 2 * step. */
static inline void transpose(__m512i line[static TILE])
{
    const __m512i count = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
#pragma GCC unroll 4
    for (int step = 1; step < TILE; step *= 2) {
        __m512i of_step = _mm512_and_si512(count, _mm512_set1_epi32(step)); /* step in the upper half of each 2 * step, else 0 */
        __m512i low = _mm512_mask_add_epi32(count, _mm512_test_epi32_mask(count, of_step), count, _mm512_set1_epi32(TILE - step));
        __m512i high = _mm512_mask_add_epi32(_mm512_add_epi32(count, _mm512_set1_epi32(step)),
                                             _mm512_test_epi32_mask(count, of_step), count, _mm512_set1_epi32(TILE));
#pragma GCC unroll 16
        for (int i = 0; i < TILE; i++)
            if ((i & step) == 0) {
                __m512i a = line[i], b = line[i + step];
                line[i] = _mm512_permutex2var_epi32(a, low, b);
                line[i + step] = _mm512_permutex2var_epi32(a, high, b);
            }
    }
}

/* One tile: columns [i, i + 32) of 16 rows, a line for each pair of columns. */
static inline void copy_tile(protea_bf16 *out, const float *const row[static TILE], const float *centre, int64_t i, int64_t d)
{
    __m512i line[TILE];
#pragma GCC unroll 16
    for (int r = 0; r < TILE; r++)
        line[r] = columns(row[r], centre, i, d);
    transpose(line);
#pragma GCC unroll 16
    for (int r = 0; r < TILE; r++)
        _mm512_store_si512(out + r * STEP, line[r]);
}

/* A block: for each 16 rows, for each step of 32 columns, a tile. Missing rows repeat the last. */
static void copy(void *block, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, int64_t depth)
{
    int64_t padded = (n + SIDE - 1) / SIDE * SIDE;
    for (int64_t first = 0; first < padded; first += TILE) {
        const float *row[TILE];
        for (int64_t r = 0; r < TILE; r++) {
            int64_t from = first + r < n ? first + r : n - 1;
            row[r] = x + (rows != NULL ? rows[from] : from) * d;
        }
        for (int64_t i = 0; i < d; i += STEP)
            copy_tile((protea_bf16 *)block + first * depth + i * TILE, row, centre, i, d);
    }
}

/* Leaves the sums of 32 rows and a panel in the tiles 0 to 3: (centroids, rows) 0 0, 0 1, 1 0, 1 1. */
static inline void multiply(const protea_bf16 *rows, const float *panel, int64_t depth)
{
    const protea_bf16 *right = rows + TILE * depth, *centroids = (const protea_bf16 *)(panel + SIDE * TILE);
    _tile_loadd(0, panel, 64);
    _tile_loadd(1, panel, 64);
    _tile_loadd(2, panel + SUMS, 64);
    _tile_loadd(3, panel + SUMS, 64);
    for (int64_t i = 0; i < depth * TILE; i += TILE_WORDS) {
        _tile_loadd(4, centroids + 2 * i, 64);
        _tile_loadd(6, rows + i, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, right + i, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, centroids + 2 * i + TILE_WORDS, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

static inline void store_sums(float sums[static 4 * SUMS])
{
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + SUMS, 64);
    _tile_stored(2, sums + 2 * SUMS, 64);
    _tile_stored(3, sums + 3 * SUMS, 64);
}

/* Minima of 2 x 16 rows, and whose they are. */
typedef struct minima {
    __m512 best[2];
    __m512i where[2];
} minima;

/* The 32 centroids from number `first` on. */
static inline void keep_lower(minima *m, const float sums[static 4 * SUMS], int32_t first)
{
    __m512i number = _mm512_set1_epi32(first);
#pragma GCC unroll 4
    for (int c = 0; c < SIDE; c++) {
        const float *line = sums + c / TILE * 2 * SUMS + c % TILE * TILE;
        for (int side = 0; side < 2; side++) {
            __m512 sum = _mm512_load_ps(line + side * SUMS);
            __mmask16 lower = _mm512_cmp_ps_mask(sum, m->best[side], _CMP_LT_OQ);
            m->where[side] = _mm512_mask_mov_epi32(m->where[side], lower, number);
            m->best[side] = _mm512_min_ps(sum, m->best[side]);
        }
        number = _mm512_add_epi32(number, _mm512_set1_epi32(1));
    }
}

/* A square whose sums are in memory and whose minima are still to be taken. */
typedef struct square {
    minima *m;
    const float *sums;
    int32_t first;
} square;

/* Groups of 32 rows against all panels. A panel comes from the second cache once and is used for every group. */
static void compare_groups(minima *m, const protea_bf16 *rows, int64_t groups, const char *panels, size_t panel_bytes,
                           int64_t n_panels, int32_t first, int64_t depth)
{
    float sums[2][4 * SUMS] __attribute__((aligned(64)));
    square before = { 0 };
    int turn = 0;
    for (int64_t p = 0; p < n_panels; p++)
        for (int64_t g = 0; g < groups; g++) {
            multiply(rows + g * SIDE * depth, (const float *)(panels + (size_t)p * panel_bytes), depth);
            if (before.m != NULL)
                keep_lower(before.m, before.sums, before.first);
            store_sums(sums[turn]);
            before = (square){ &m[g], sums[turn], first + (int32_t)p * SIDE };
            turn = !turn;
        }
    keep_lower(before.m, before.sums, before.first);
}

/* As many groups as leave the first cache room for a panel and sums. */
static void compare(float *best, int32_t *where, const void *block, int64_t n, const void *panels, size_t panel_bytes,
                    int64_t n_panels, int64_t first, int64_t depth)
{
    enum { MOST = 8, BYTES = 24 << 10 };
    int64_t all = (n + SIDE - 1) / SIDE, most = BYTES / (SIDE * depth * (int64_t)sizeof(protea_bf16));
    most = most < 1 ? 1 : most > MOST ? MOST : most;
    configure_tiles();
    for (int64_t from = 0; from < all; from += most) {
        int64_t groups = all - from < most ? all - from : most;
        minima m[MOST];
        for (int64_t v = 0; v < 2 * groups; v++) {
            m[v / 2].best[v % 2] = _mm512_load_ps(best + from * SIDE + v * TILE);
            m[v / 2].where[v % 2] = _mm512_load_si512(where + from * SIDE + v * TILE);
        }
        compare_groups(m, (const protea_bf16 *)block + from * SIDE * depth, groups, panels, panel_bytes, n_panels,
                       (int32_t)first, depth);
        for (int64_t v = 0; v < 2 * groups; v++) {
            _mm512_store_ps(best + from * SIDE + v * TILE, m[v / 2].best[v % 2]);
            _mm512_store_si512(where + from * SIDE + v * TILE, m[v / 2].where[v % 2]);
        }
    }
}

/* ---- all that is below the rows' limits */

/* A square whose sums are in memory: 32 rows from `row` on, n of them real, and 32 centroids from `first` on. */
typedef struct near_square {
    const float *sums;
    int64_t n;
    int32_t row, first;
} near_square;

/* Missing rows have a limit that nothing is below. */
static inline __m512 limits(const protea_near_sink *sink, const near_square *s, int64_t from)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(-INFINITY), protea_first_lanes(s->n - from), sink->limit + s->row + from);
}

/* What is below the limits of 16 rows, as pairs c * 32 + row and their scores; returns the new count. Without a branch, for which
 * pairs these are nobody can foresee. */
static inline int64_t append_below(int32_t *pair, float *score, int64_t n, __m512 sums, __m512 limit, __m512i pairs)
{
    __mmask16 below = _mm512_cmp_ps_mask(sums, limit, _CMP_LT_OQ);
    _mm512_storeu_si512(pair + n, _mm512_maskz_compress_epi32(below, pairs));
    _mm512_storeu_ps(score + n, _mm512_maskz_compress_ps(below, sums));
    return n + __builtin_popcount(below);
}

static void take_below(const protea_near_sink *sink, const near_square *s)
{
    int32_t pair[SIDE * SIDE + TILE];
    float score[SIDE * SIDE + TILE];
    protea_near near[SIDE * SIDE];
    int64_t n = 0;
    const __m512 left = limits(sink, s, 0), right = limits(sink, s, TILE);
    __m512i pairs = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
#pragma GCC unroll 4
    for (int c = 0; c < SIDE; c++) {
        const float *line = s->sums + c / TILE * 2 * SUMS + c % TILE * TILE;
        n = append_below(pair, score, n, _mm512_load_ps(line), left, pairs);
        pairs = _mm512_add_epi32(pairs, _mm512_set1_epi32(TILE));
        n = append_below(pair, score, n, _mm512_load_ps(line + SUMS), right, pairs);
        pairs = _mm512_add_epi32(pairs, _mm512_set1_epi32(TILE));
    }
    for (int64_t i = 0; i < n; i++)
        near[i] = (protea_near){ s->row + pair[i] % SIDE, s->first + pair[i] / SIDE, score[i] };
    if (n > 0)
        sink->take(sink->self, near, n);
}

/* 32 rows stay in the first cache while the panels come from the second. Padding has the shift infinity. */
static void below_limits(const protea_near_sink *sink, int32_t row, const void *block, int64_t n, const void *panels,
                         size_t panel_bytes, int64_t n_panels, int32_t first, int64_t depth)
{
    float sums[2][4 * SUMS] __attribute__((aligned(64)));
    near_square before = { 0 };
    int turn = 0;
    configure_tiles();
    for (int64_t from = 0; from < n; from += SIDE)
        for (int64_t p = 0; p < n_panels; p++) {
            multiply((const protea_bf16 *)block + from * depth, (const float *)((const char *)panels + (size_t)p * panel_bytes),
                     depth);
            if (before.sums != NULL)
                take_below(sink, &before);
            store_sums(sums[turn]);
            before = (near_square){ sums[turn], n - from, row + (int32_t)from, first + (int32_t)p * SIDE };
            turn = !turn;
        }
    take_below(sink, &before);
}

const protea_nearest_ops *protea_amx_nearest(void)
{
    static const protea_nearest_ops ops = { 1, SIDE, HEAD, SIDE, STEP, sizeof(protea_bf16), true, pack, copy, compare,
                                            below_limits };
    return &ops;
}

#else

const protea_nearest_ops *protea_amx_nearest(void)
{
    return NULL;
}

#endif
