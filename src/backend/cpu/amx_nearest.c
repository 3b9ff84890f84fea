/* Nearest centroids on the matrix unit: 32 rows against 32 centroids at a time, in four tiles of sums. The sums start from the
 * centroids' shifts. While the unit multiplies one such square, the vector unit takes the minima of the one before. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include <string.h>

#include "backend/bf16.h"
#include "backend/cpu/amx_tiles.h"

enum { SIDE = 2 * TILE };

/* A panel: for each step of 32 columns two tiles of 16 centroids, in pairs of columns as the unit wants them; times -2. */
static void pack(void *panel, const float *centroids, int64_t depth)
{
    protea_bf16 *out = panel;
    for (int64_t i = 0; i < depth; i++)
        for (int64_t j = 0; j < SIDE; j++) {
            int64_t tile = i / STEP * 2 + j / TILE;
            out[tile * TILE_WORDS + i % STEP / 2 * STEP + j % TILE * 2 + i % 2] = protea_f32_to_bf16(-2 * centroids[j * depth + i]);
        }
}

/* Columns [i, i + 32) of a row less the centre, in bf16; those from d on are 0. */
static inline __m512i columns(const float *row, const float *centre, int64_t i, int64_t d)
{
    __mmask16 low = d - i >= TILE ? 0xffff : (__mmask16)((1u << (d - i)) - 1);
    int64_t left = d - i - TILE;
    __mmask16 high = left >= TILE ? 0xffff : left > 0 ? (__mmask16)((1u << left) - 1) : 0;
    __m512 a = _mm512_sub_ps(_mm512_maskz_loadu_ps(low, row + i), _mm512_maskz_loadu_ps(low, centre + i));
    __m512 b = _mm512_sub_ps(_mm512_maskz_loadu_ps(high, row + i + TILE), _mm512_maskz_loadu_ps(high, centre + i + TILE));
    return (__m512i)_mm512_cvtne2ps_pbh(b, a);
}

/* A block: for each 16 rows, for each step of 32 columns, a tile. */
static void copy(void *block, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, int64_t depth)
{
    int64_t padded = (n + SIDE - 1) / SIDE * SIDE;
    for (int64_t r = 0; r < padded; r++) {
        int64_t from = r < n ? r : n - 1;
        const float *row = x + (rows != NULL ? rows[from] : from) * d;
        protea_bf16 *out = (protea_bf16 *)block + r / TILE * TILE * depth + r % TILE * STEP;
        for (int64_t i = 0; i < d; i += STEP)
            _mm512_store_si512(out + i * TILE, columns(row, centre, i, d));
    }
}

/* sums (2,2 tiles) of 32 rows and 32 centroids. */
static inline void multiply(float sums[static 4 * TILE * TILE], const protea_bf16 *rows, const protea_bf16 *panel,
                            const float *shift, int64_t depth)
{
    const protea_bf16 *lower = rows + TILE * depth;
    _tile_loadd(0, shift, 0); /* 16 times the same row */
    _tile_loadd(1, shift + TILE, 0);
    _tile_loadd(2, shift, 0);
    _tile_loadd(3, shift + TILE, 0);
    for (int64_t i = 0; i < depth * TILE; i += TILE_WORDS) {
        _tile_loadd(4, rows + i, 64);
        _tile_loadd(6, panel + 2 * i, 64);
        _tile_loadd(7, panel + 2 * i + TILE_WORDS, 64);
        _tile_loadd(5, lower + i, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + TILE * TILE, 64);
    _tile_stored(2, sums + 2 * TILE * TILE, 64);
    _tile_stored(3, sums + 3 * TILE * TILE, 64);
}

/* Minima of 32 rows against sums. */
static inline void keep_lower(float *best, int32_t *where, const float sums[static 4 * TILE * TILE], int32_t first)
{
    const __m512i number0 = _mm512_set1_epi32(first), number1 = _mm512_set1_epi32(first + 1);
    for (int r = 0; r < SIDE; r++) {
        const float *row = sums + (r / TILE * 2 * TILE + r % TILE) * TILE;
        __m512 least = _mm512_load_ps(best + r * TILE), a = _mm512_load_ps(row), b = _mm512_load_ps(row + TILE * TILE);
        __m512i at = _mm512_load_si512(where + r * TILE);
        at = _mm512_mask_mov_epi32(at, _mm512_cmp_ps_mask(a, least, _CMP_LT_OQ), number0);
        least = _mm512_min_ps(a, least);
        at = _mm512_mask_mov_epi32(at, _mm512_cmp_ps_mask(b, least, _CMP_LT_OQ), number1);
        least = _mm512_min_ps(b, least);
        _mm512_store_ps(best + r * TILE, least);
        _mm512_store_si512(where + r * TILE, at);
    }
}

static void compare(float *best, int32_t *where, const void *block, int64_t n, const void *panel, const float *shift,
                    int64_t first, int64_t depth)
{
    float sums[2][4 * TILE * TILE] __attribute__((aligned(64)));
    const protea_bf16 *rows = block;
    int64_t i = 0;
    configure_tiles();
    multiply(sums[0], rows, panel, shift, depth);
    for (; i + SIDE < n; i += SIDE) {
        int now = (int)(i / SIDE % 2);
        multiply(sums[!now], rows + (i + SIDE) * depth, panel, shift, depth);
        keep_lower(best + i * TILE, where + i * TILE, sums[now], (int32_t)first);
    }
    keep_lower(best + i * TILE, where + i * TILE, sums[i / SIDE % 2], (int32_t)first);
}

const protea_nearest_ops *protea_amx_nearest(void)
{
    static const protea_nearest_ops ops = { TILE, SIDE, SIDE, STEP, sizeof(protea_bf16), true, pack, copy, compare };
    return &ops;
}

#else

const protea_nearest_ops *protea_amx_nearest(void)
{
    return NULL;
}

#endif
