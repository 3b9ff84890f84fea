/* Resizing: weighted sums of rows, several values at a time. Across, 16 rows are turned into columns first, so that the sums of
 * pixels are sums of rows too, and back afterwards: two turns cost less than loads from places all over. */
#include "image/pixels.h"
#include "image/simd_bytes.h"

enum { TILE = 16, BLOCK = 3 * TILE, VECTORS = BLOCK / LANES };

/* BLOCK values of a weighted sum. */
SIMD_INLINE void weighted(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *weight, int n_taps)
{
    vi sum[VECTORS];
    for (int v = 0; v < VECTORS; v++)
        sum[v] = (vi){ 0 } + (1 << (PROTEA_WEIGHT_BITS - 1));
    for (int k = 0; k < n_taps; k++, in += stride)
        for (int v = 0; v < VECTORS; v++)
            sum[v] += load_bytes(in + v * LANES) * weight[k];
    for (int v = 0; v < VECTORS; v++)
        store_bytes(out + v * LANES, sum[v] >> PROTEA_WEIGHT_BITS);
}

static void down_plain(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *weight, int n_taps, int n)
{
    for (int i = 0; i < n; i++) {
        int32_t sum = 1 << (PROTEA_WEIGHT_BITS - 1);
        for (int k = 0; k < n_taps; k++)
            sum += in[(size_t)k * stride + (size_t)i] * weight[k];
        sum >>= PROTEA_WEIGHT_BITS;
        out[i] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

static void down(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *weight, int n_taps, int n)
{
    int i = 0;
    if (n < BLOCK)
        down_plain(out, in, stride, weight, n_taps, n);
    for (; i + BLOCK <= n; i += BLOCK)
        weighted(out + i, in + i, stride, weight, n_taps);
    if (i < n && n > BLOCK) /* the last ones, some of them once more */
        weighted(out + n - BLOCK, in + n - BLOCK, stride, weight, n_taps);
}

/* ---- turning tiles of bytes */

SIMD_INLINE v16 first_halves(v16 a, v16 b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

SIMD_INLINE v16 second_halves(v16 a, v16 b)
{
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/* Each shuffle of the two halves moves every bit of a byte's place (row, column) one up; four exchange row and column. */
SIMD_INLINE void turn(v16 m[TILE])
{
    for (int round = 0; round < 4; round++) {
        v16 next[TILE];
        for (int i = 0; i < TILE / 2; i++) {
            next[2 * i] = first_halves(m[i], m[i + TILE / 2]);
            next[2 * i + 1] = second_halves(m[i], m[i + TILE / 2]);
        }
        memcpy(m, next, sizeof next);
    }
}

/* Rows of which fewer than TILE bytes are left, or fewer than TILE rows. */
static void copy_part(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride, int rows, int bytes)
{
    for (int y = 0; y < rows; y++)
        memcpy(out + (size_t)y * out_stride, in + (size_t)y * in_stride, (size_t)bytes);
}

SIMD_INLINE void turn_tile(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride)
{
    v16 m[TILE];
    for (int y = 0; y < TILE; y++)
        memcpy(&m[y], in + (size_t)y * in_stride, TILE);
    turn(m);
    for (int y = 0; y < TILE; y++)
        memcpy(out + (size_t)y * out_stride, &m[y], TILE);
}

/* `rows` rows of n bytes to n columns of TILE bytes. */
static void to_columns(uint8_t *columns, const uint8_t *in, size_t stride, int rows, int n)
{
    for (int i = 0; i < n; i += TILE) {
        uint8_t part[TILE * TILE] = { 0 };
        int bytes = n - i < TILE ? n - i : TILE;
        if (rows == TILE && bytes == TILE) {
            turn_tile(columns + i * TILE, TILE, in + i, stride);
            continue;
        }
        copy_part(part, TILE, in + i, stride, rows, bytes);
        turn_tile(columns + i * TILE, TILE, part, TILE);
    }
}

static void to_rows(uint8_t *out, size_t stride, const uint8_t *columns, int rows, int n)
{
    for (int i = 0; i < n; i += TILE) {
        uint8_t part[TILE * TILE];
        int bytes = n - i < TILE ? n - i : TILE;
        if (rows == TILE && bytes == TILE) {
            turn_tile(out + i, stride, columns + i * TILE, TILE);
            continue;
        }
        turn_tile(part, TILE, columns + i * TILE, TILE);
        copy_part(out + i, stride, part, TILE, rows, bytes);
    }
}

/* ---- across */

/* The pixels that any output looks at. */
static void extent(int *first, int *n, const protea_taps *t)
{
    int last = t->n_out - 1, left = t->first[0] < t->first[last] ? 0 : last, right = last - left;
    *first = t->first[left];
    *n = t->first[right] + t->n[right] - *first;
}

/* Of columns of TILE bytes, three for a pixel, in whole tiles. */
static size_t column_bytes(int pixels)
{
    return ((size_t)pixels * 3 + TILE - 1) / TILE * TILE * TILE;
}

static size_t across_scratch(int n_in, int n_out)
{
    return column_bytes(n_in) + column_bytes(n_out);
}

static void across(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride, int rows, const protea_taps *t,
                   void *scratch)
{
    int first, n;
    extent(&first, &n, t);
    uint8_t *from = scratch, *to = from + column_bytes(n);
    for (int y = 0; y < rows; y += TILE) {
        int some = rows - y < TILE ? rows - y : TILE;
        to_columns(from, in + (size_t)y * in_stride + 3 * (size_t)first, in_stride, some, 3 * n);
        for (int i = 0; i < t->n_out; i++)
            weighted(to + (size_t)i * BLOCK, from + (size_t)(t->first[i] - first) * BLOCK, BLOCK,
                     t->weight + (size_t)i * (size_t)t->width, t->n[i]);
        to_rows(out + (size_t)y * out_stride, out_stride, to, some, 3 * t->n_out);
    }
}

extern const protea_resize_ops SIMD_NAME(protea_resize);
const protea_resize_ops SIMD_NAME(protea_resize) = { across_scratch, across, down };
