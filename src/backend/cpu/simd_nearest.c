/* Nearest centroids on vectors: a tile of ROWS rows and VECTORS vectors of centroids has its products in registers. */
#include "backend/cpu/fill.h"
#include "backend/cpu/nearest.h"
#include "backend/cpu/simd.h"

#include <float.h>

/* As many running sums as fit: 24 of 32 registers with AVX-512, 12 of 16 otherwise. */
enum { ROWS = LANES == 16 ? 8 : 4, VECTORS = 3, PANEL = VECTORS * LANES, HEAD = (PANEL * (int)sizeof(float) + 63) / 64 * 64 };

SIMD_INLINE vf aligned(const float *p)
{
    return *(const vf *)p;
}

/* Shifts (PANEL), then (depth,PANEL), each centroid times -2. */
static void pack(void *panel, const float *centroids, const float *shift, int64_t depth)
{
    float *out = (float *)((char *)panel + HEAD);
    memcpy(panel, shift, PANEL * sizeof *shift);
    for (int64_t i = 0; i < depth; i++)
        for (int64_t j = 0; j < PANEL; j++)
            out[i * PANEL + j] = -2 * centroids[j * depth + i];
}

SIMD_INLINE void copy_columns(float *out, const float *row, const float *centre, int64_t i, int64_t count, bool bf16)
{
    vf value = load(row, i, count, PROTEA_F32) - load(centre, i, count, PROTEA_F32);
    store(out, i, count, PROTEA_F32, bf16 ? widen(narrow(value)) : value);
}

SIMD_INLINE void copy_row(float *out, const float *row, const float *centre, int64_t d, bool bf16)
{
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        copy_columns(out, row, centre, i, LANES, bf16);
    if (i < d)
        copy_columns(out, row, centre, i, d - i, bf16);
}

SIMD_INLINE void copy_rows(float *out, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, bool bf16)
{
    int64_t padded = (n + ROWS - 1) / ROWS * ROWS;
    for (int64_t i = 0; i < padded; i++) {
        int64_t from = i < n ? i : n - 1;
        copy_row(out + i * d, x + (rows != NULL ? rows[from] : from) * d, centre, d, bf16);
    }
}

static void copy(void *block, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, int64_t depth)
{
    (void)depth; /* D as it is: columns is 1 */
    copy_rows(block, x, rows, n, centre, d, false);
}

static void copy_rounded(void *block, const float *x, const int64_t *rows, int64_t n, const float *centre, int64_t d, int64_t depth)
{
    (void)depth;
    copy_rows(block, x, rows, n, centre, d, true);
}

SIMD_INLINE void keep_lower(float *best, int32_t *where, vf value, int32_t number)
{
    vf before = aligned(best);
    vi at = *(const vi *)where, lower = value < before;
    *(vf *)best = choose(lower, value, before);
    *(vi *)where = (lower & number) | (~lower & at);
}

/* Scores of ROWS rows and `vectors` vectors of a panel's centroids: constant where this is called. */
SIMD_INLINE void tile_scores(vf sum[ROWS][VECTORS], const float *x, const float *panel, const float *shift, int64_t depth,
                             int vectors)
{
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = aligned(shift + v * LANES);
#pragma GCC unroll 4
    for (int64_t i = 0; i < depth; i++) {
        vf c[VECTORS];
        for (int v = 0; v < vectors; v++)
            c[v] = aligned(panel + i * PANEL + v * LANES);
        for (int r = 0; r < ROWS; r++) {
            vf value = splat(x[r * depth + i]);
            for (int v = 0; v < vectors; v++)
                sum[r][v] += value * c[v];
        }
    }
}

/* vectors: of the panel that hold centroids. */
SIMD_INLINE void compare_tile(float *best, int32_t *where, const float *x, const float *panel, const float *shift, int32_t first,
                              int64_t depth, int vectors)
{
    vf sum[ROWS][VECTORS];
    tile_scores(sum, x, panel, shift, depth, vectors);
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < vectors; v++)
            keep_lower(best + r * LANES, where + r * LANES, sum[r][v], first + v);
}

SIMD_INLINE void compare_panel(float *best, int32_t *where, const float *block, int64_t n, const char *panel, int32_t first,
                               int64_t depth, int vectors)
{
    for (int64_t i = 0; i < n; i += ROWS)
        compare_tile(best + i * LANES, where + i * LANES, block + i * depth, (const float *)(panel + HEAD), (const float *)panel,
                     first, depth, vectors);
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
SIMD_INLINE int64_t append_below(protea_near *near, int64_t n, const vf sum[VECTORS], float limit, int32_t row, int32_t first)
{
    float score[PANEL];
    int32_t any = 0;
    vi below = { 0 };
    for (int v = 0; v < VECTORS; v++)
        below |= sum[v] < splat(limit);
    for (int i = 0; i < LANES; i++)
        any |= below[i];
    if (any == 0)
        return n;
    memcpy(score, sum, sizeof score);
    for (int32_t i = 0; i < PANEL; i++)
        if (score[i] < limit)
            near[n++] = (protea_near){ row, first + i, score[i] };
    return n;
}

/* Padding has the shift infinity, which is below no limit. */
static void below_limits(const protea_near_sink *sink, int32_t row, const void *block, int64_t n, const void *panels,
                         size_t panel_bytes, int64_t n_panels, int32_t first, int64_t depth)
{
    const float *x = block;
    for (int64_t p = 0; p < n_panels; p++) {
        const float *shift = (const float *)((const char *)panels + (size_t)p * panel_bytes);
        const float *panel = (const float *)((const char *)shift + HEAD);
        for (int64_t i = 0; i < n; i += ROWS) {
            vf sum[ROWS][VECTORS];
            protea_near near[ROWS * PANEL];
            int64_t count = 0;
            tile_scores(sum, x + i * depth, panel, shift, depth, VECTORS);
            for (int r = 0; r < ROWS && i + r < n; r++)
                count = append_below(near, count, sum[r], sink->limit[row + i + r], row + (int32_t)(i + r),
                                     first + (int32_t)p * PANEL);
            if (count > 0)
                sink->take(sink->self, near, count);
        }
    }
}

const protea_nearest_ops *SIMD_NAME(protea_simd_nearest)(bool bf16)
{
    static const protea_nearest_ops ops[2] = {
        { LANES, PANEL, HEAD, ROWS, 1, sizeof(float), false, pack, copy, compare, below_limits },
        { LANES, PANEL, HEAD, ROWS, 1, sizeof(float), true, pack, copy_rounded, compare, below_limits },
    };
    return &ops[bf16];
}

/* ---- sums of clusters: GROUP rows at a time, so that each sum is read and written once for all of them */
enum { GROUP = 8 };
typedef double vd __attribute__((vector_size(PROTEA_LANES * 8)));

/* Where the rows of a group are, and what they weigh. */
typedef struct group {
    const float *row[GROUP];
    float weight[GROUP];
} group;

SIMD_INLINE group group_at(const float *x, const int64_t *rows, const float *weights, int64_t left, int64_t d)
{
    group g;
    for (int r = 0; r < GROUP; r++) {
        g.row[r] = x + rows[r < left ? r : 0] * d;
        g.weight[r] = r >= left ? 0 : weights != NULL ? weights[rows[r]] : 1;
    }
    return g;
}

/* Columns [i, i + count) of a group: adds weight * x to sum, weight * (x - c)^2 to squares. */
SIMD_INLINE void group_columns(double *sum, vf *squares, const group *g, const float *c, int64_t i, int64_t count)
{
    vd total = { 0 };
    vf from = load(c, i, count, PROTEA_F32);
    memcpy(&total, sum + i, (size_t)count * sizeof *sum);
    for (int r = 0; r < GROUP; r++) {
        vf value = load(g->row[r], i, count, PROTEA_F32), off = value - from, weight = splat(g->weight[r]);
        total += __builtin_convertvector(value, vd) * (double)g->weight[r];
        *squares += weight * off * off;
    }
    memcpy(sum + i, &total, (size_t)count * sizeof *sum);
}

/* Asks for the beginnings of the group at `first`: rows of a cluster lie anywhere, so that nothing else would. */
SIMD_INLINE void fetch(const float *x, const int64_t *rows, int64_t first, int64_t n, int64_t d)
{
    enum { LINE = 16, MOST = 256 };
    for (int64_t i = first; i < first + GROUP && i < n; i++)
        for (int64_t j = 0; j < d && j < MOST; j += LINE)
            __builtin_prefetch(x + rows[i] * d + j, 0, 2);
}

static double group_sum(double *sum, const group *g, const float *c, int64_t d)
{
    vf squares = { 0 };
    double cost = 0;
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        group_columns(sum, &squares, g, c, i, LANES);
    if (i < d)
        group_columns(sum, &squares, g, c, i, d - i);
    for (int j = 0; j < LANES; j++)
        cost += (double)squares[j];
    return cost;
}

static double squared_distance(const protea_backend *be, const float *a, const float *b, int64_t d)
{
    (void)be;
    vf squares = { 0 }, off;
    double cost = 0;
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES) {
        off = load(a, i, LANES, PROTEA_F32) - load(b, i, LANES, PROTEA_F32);
        squares += off * off;
    }
    off = load(a, i, d - i, PROTEA_F32) - load(b, i, d - i, PROTEA_F32);
    squares += off * off;
    for (int j = 0; j < LANES; j++)
        cost += (double)squares[j];
    return cost;
}

static double cluster_sum(const protea_backend *be, double *sum, const float *x, const int64_t *rows, const float *weights,
                          const float *c, int64_t n, int64_t d)
{
    (void)be;
    double cost = 0;
    for (int64_t i = 0; i < n; i += GROUP) {
        fetch(x, rows, i + GROUP, n, d);
        group g = group_at(x, rows + i, weights, n - i, d);
        cost += group_sum(sum, &g, c, d);
    }
    return cost;
}

void SIMD_NAME(protea_simd_fill_nearest)(protea_kernels *k)
{
    k->cluster_sum = cluster_sum;
    k->squared_distance = squared_distance;
}
