/* Nearest centroids by vdpbf16ps: as simd_nearest.c, a tile of 8 rows and 3 vectors of centroids has its products in registers,
 * but two columns at a time. A pair of a row's columns is one 32-bit number, which meets 16 centroids' pairs. */
#include "backend/cpu/bf16_vectors.h"

#if defined(__x86_64__)

#include <float.h>
#include <immintrin.h>
#include <string.h>

#include "backend/bf16.h"

enum { LANES = 16, ROWS = 8, VECTORS = 3, PANEL = VECTORS * LANES, HEAD = PANEL * sizeof(float), PAIR = 2 };

/* Shifts (PANEL), then for each pair of columns that of each centroid, times -2. */
static void pack(void *panel, const float *centroids, const float *shift, int64_t depth)
{
    protea_bf16 *out = (protea_bf16 *)((char *)panel + HEAD);
    memcpy(panel, shift, HEAD);
    for (int64_t j = 0; j < PANEL; j++)
        for (int64_t i = 0; i < depth; i++)
            out[(i / PAIR * PANEL + j) * PAIR + i % PAIR] = protea_f32_to_bf16(-2 * centroids[j * depth + i]);
}

/* Rows less the centre, in bf16; an odd last column is followed by 0. Missing rows repeat the last. */
static void copy(void *block, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, int64_t depth)
{
    int64_t padded = (n + ROWS - 1) / ROWS * ROWS;
    for (int64_t r = 0; r < padded; r++) {
        int64_t from = r < n ? r : n - 1;
        const float *row = x + (rows != NULL ? rows[from] : from) * d;
        protea_bf16 *out = (protea_bf16 *)block + r * depth;
        for (int64_t i = 0; i < d; i += LANES) {
            __mmask16 in = protea_first_lanes(d - i), kept = protea_first_lanes(depth - i);
            __m512 value = _mm512_sub_ps(_mm512_maskz_loadu_ps(in, row + i), _mm512_maskz_loadu_ps(in, centre + i));
            _mm256_mask_storeu_epi16(out + i, kept, (__m256i)_mm512_cvtneps_pbh(value));
        }
    }
}

static inline void keep_lower(float *best, int32_t *where, __m512 value, int32_t number)
{
    __m512 before = _mm512_load_ps(best);
    __mmask16 lower = _mm512_cmp_ps_mask(value, before, _CMP_LT_OQ);
    _mm512_store_ps(best, _mm512_min_ps(value, before));
    _mm512_mask_store_epi32(where, lower, _mm512_set1_epi32(number));
}

/* Two columns of a row, in each lane. */
static inline __m512bh pair_of(const protea_bf16 *columns)
{
    int32_t pair;
    memcpy(&pair, columns, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

/* Scores of ROWS rows and `vectors` vectors of a panel's centroids: constant where this is called. */
static inline __attribute__((always_inline)) void tile_scores(__m512 sum[ROWS][VECTORS], const protea_bf16 *x, const char *panel,
                                                              int64_t depth, int vectors)
{
    const protea_bf16 *centroids = (const protea_bf16 *)(panel + HEAD);
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = _mm512_load_ps((const float *)panel + v * LANES);
#pragma GCC unroll 4
    for (int64_t i = 0; i < depth; i += PAIR) {
        __m512bh c[VECTORS];
        for (int v = 0; v < vectors; v++)
            c[v] = (__m512bh)_mm512_load_si512(centroids + i * PANEL + v * LANES * PAIR);
        for (int r = 0; r < ROWS; r++) {
            __m512bh pair = pair_of(x + r * depth + i);
            for (int v = 0; v < vectors; v++)
                sum[r][v] = _mm512_dpbf16_ps(sum[r][v], c[v], pair);
        }
    }
}

/* vectors: of the panel that hold centroids. */
static inline __attribute__((always_inline)) void compare_tile(float *best, int32_t *where, const protea_bf16 *x,
                                                               const char *panel, int32_t first, int64_t depth, int vectors)
{
    __m512 sum[ROWS][VECTORS];
    tile_scores(sum, x, panel, depth, vectors);
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < vectors; v++)
            keep_lower(best + r * LANES, where + r * LANES, sum[r][v], first + v);
}

static inline __attribute__((always_inline)) void compare_panel(float *best, int32_t *where, const protea_bf16 *block, int64_t n,
                                                                const char *panel, int32_t first, int64_t depth, int vectors)
{
    for (int64_t r = 0; r < n; r += ROWS)
        compare_tile(best + r * LANES, where + r * LANES, block + r * depth, panel, first, depth, vectors);
}

/* A panel stays in the first cache while the block's rows go by. Padding has the shift infinity: nothing is compared with it. */
static void compare(float *best, int32_t *where, const void *block, int64_t n, const void *panels, size_t panel_bytes,
                    int64_t n_panels, int64_t first, int64_t depth)
{
    for (int64_t p = 0; p < n_panels; p++) {
        const char *panel = (const char *)panels + (size_t)p * panel_bytes;
        const float *shift = (const float *)panel;
        int32_t number = (int32_t)(first + p * VECTORS);
        if (shift[LANES] > FLT_MAX)
            compare_panel(best, where, block, n, panel, number, depth, 1);
        else if (shift[2 * LANES] > FLT_MAX)
            compare_panel(best, where, block, n, panel, number, depth, 2);
        else
            compare_panel(best, where, block, n, panel, number, depth, VECTORS);
    }
}

/* Appends what of a row's scores is below its limit; returns the new count. */
static inline int64_t append_below(protea_near *near, int64_t n, const __m512 sum[VECTORS], float limit, int32_t row, int32_t first)
{
    for (int v = 0; v < VECTORS; v++) {
        uint32_t left = _mm512_cmp_ps_mask(sum[v], _mm512_set1_ps(limit), _CMP_LT_OQ);
        if (left == 0)
            continue;
        float score[LANES];
        _mm512_storeu_ps(score, sum[v]);
        for (; left != 0; left &= left - 1) {
            int lane = __builtin_ctz(left);
            near[n++] = (protea_near){ row, first + v * LANES + lane, score[lane] };
        }
    }
    return n;
}

/* Padding has the shift infinity, which is below no limit. */
static void below_limits(const protea_near_sink *sink, int32_t row, const void *block, int64_t n, const void *panels,
                         size_t panel_bytes, int64_t n_panels, int32_t first, int64_t depth)
{
    for (int64_t p = 0; p < n_panels; p++)
        for (int64_t i = 0; i < n; i += ROWS) {
            __m512 sum[ROWS][VECTORS];
            protea_near near[ROWS * PANEL];
            int64_t count = 0;
            tile_scores(sum, (const protea_bf16 *)block + i * depth, (const char *)panels + (size_t)p * panel_bytes, depth,
                        VECTORS);
            for (int r = 0; r < ROWS && i + r < n; r++)
                count = append_below(near, count, sum[r], sink->limit[row + i + r], row + (int32_t)(i + r),
                                     first + (int32_t)p * PANEL);
            if (count > 0)
                sink->take(sink->self, near, count);
        }
}

const protea_nearest_ops *protea_bf16_nearest(void)
{
    static const protea_nearest_ops ops = { LANES, PANEL, HEAD, ROWS, PAIR, sizeof(protea_bf16), true, pack, copy, compare,
                                            below_limits };
    return &ops;
}

#else

const protea_nearest_ops *protea_bf16_nearest(void)
{
    return NULL;
}

#endif
