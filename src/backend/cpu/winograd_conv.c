/* Winograd's convolution, forward and backward-data: the latter is the former with the weights turned by half a turn and their
 * channels exchanged. Here `inputs` are the channels summed over, `outputs` those of the result, whichever pass it is.
 *
 * A strip is the row of tiles that makes m rows of a sample's result. A thread takes some strips at a time:
 *     its maps' rows -> transformed tiles v (position, inputs / LANES, tile, LANES), rounded once
 *     for every 64 outputs: v * u -> sums s (position, outputs / WIDE, tile, WIDE), f32; sums -> rows of the result
 * where position is one of the (m + 2)^2 and u are the transformed weights
 *     u (outputs / 64, position, outputs / WIDE, inputs / PAIR, WIDE, PAIR).
 * v and s stay in the second-level cache. No thread count changes a bit: an element's sum depends on its tile alone. */
#include "backend/cpu/winograd_conv_pack.h"

size_t SIMD_NAME(protea_winograd_scratch)(const protea_conv_dims *d, protea_conv_pass pass, int tile)
{
    job k = make_job(d, pass, tile);
    return weight_bytes(&k) + room_bytes(&k) * (size_t)protea_threads();
}

/* ---- what is read */

/* Tiles of LANES channels from `tile` on, one or two, whose columns begin at `column`. to: where v has the first. */
SIMD_INLINE void transform_tiles(const job *k, word *to, const vf *column, int tiles, int m)
{
#pragma GCC unroll 1
    for (int i = 0; i < m + 2; i++) {
        vf first[MAX_SIDE], second[MAX_SIDE];
        transform_row(first, column, i, m);
        if (tiles == 2)
            transform_row(second, column + m * (m + 2), i, m);
#pragma GCC unroll 6
        for (int j = 0; j < m + 2; j++) {
            word *at = to + (i * (m + 2) + j) * k->v_step;
            if (tiles == 2)
                store_two(at, first[j], second[j]);
            else
                store_words(at, first[j]);
        }
    }
}

SIMD_INLINE void transform_strip(const job *k, char *room, int64_t strip, int64_t first_tile, int m, protea_dtype dtype)
{
    word *v = (word *)(void *)(room + columns_bytes(&k->t));
    int64_t tiles = k->tall * k->t.across;
    for (int64_t c = 0; c < k->in->c; c += LANES) {
        const vf *columns = (const vf *)(void *)room;
        word *to = v + c * tiles + first_tile * LANES;
        int64_t tile = 0;
        transform_rows((vf *)(void *)room, &k->t, k->in, k->x, strip, c, m, dtype);
        for (; tile + 2 <= k->t.across; tile += 2)
            transform_tiles(k, to + tile * LANES, columns + tile * m * (m + 2), 2, m);
        if (tile < k->t.across)
            transform_tiles(k, to + tile * LANES, columns + tile * m * (m + 2), 1, m);
    }
}

/* ---- products */

/* s (rows, vectors * LANES) = v (inputs / LANES, rows of a block, LANES) * u (inputs / PAIR, vectors * LANES, PAIR). */
SIMD_INLINE void multiply_rows(float *s, const word *v, int64_t v_step, const word *u, int64_t inputs, int rows, int vectors)
{
    vf sum[ROWS][2];
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int n = 0; n < vectors; n++)
            sum[r][n] = (vf){ 0 };
    for (int64_t c = 0; c < inputs; c += LANES, v += v_step)
#pragma GCC unroll 1
        for (int i = 0; i < LANES; i += PAIR, u += vectors * LANES * PAIR) {
            vf row[2];
#pragma GCC unroll 2
            for (int n = 0; n < vectors; n++)
                row[n] = load_row(u + n * LANES * PAIR);
#pragma GCC unroll 14
            for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
                for (int n = 0; n < vectors; n++)
                    sum[r][n] = add_products(sum[r][n], v + r * LANES + i, row[n]);
        }
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int n = 0; n < vectors; n++)
            store(s, r * vectors * LANES + n * LANES, LANES, PROTEA_F32, sum[r][n]);
}

#define CASE(n)                                                     \
    case n:                                                         \
        multiply_rows(s, v, v_step, u, inputs, n, vectors);         \
        break;

SIMD_INLINE void multiply_some(float *s, const word *v, int64_t v_step, const word *u, int64_t inputs, int64_t rows, int vectors)
{
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if PROTEA_LANES == 16
        CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#endif
    default: break;
    }
}

/* All tiles of one panel of outputs at one position, in parts of about equal size. */
SIMD_INLINE void multiply_panel(float *s, const word *v, int64_t v_step, const word *u, int64_t inputs, int64_t tiles, int vectors)
{
    for (int64_t parts = over(tiles, ROWS), at = 0; parts > 0; parts--) {
        int64_t rows = over(tiles - at, parts);
        multiply_some(s + at * vectors * LANES, v + at * LANES, v_step, u, inputs, rows, vectors);
        at += rows;
    }
}

static void multiply(const job *k, float *s, const word *v, int64_t first, int64_t tiles)
{
    int64_t all = outputs_at(k, first), block = k->tall * k->t.across;
    const word *u = k->u + first * k->t.positions * k->in->c;
    for (int64_t at = 0; at < k->t.positions; at++)
        for (int64_t o = 0; o < all; o += WIDE) {
            const word *panel_u = u + (at * all + o) * k->in->c, *panel_v = v + at * k->v_step;
            float *to = s + at * k->s_step + o * block;
            if (all - o >= WIDE)
                multiply_panel(to, panel_v, block * LANES, panel_u, k->in->c, tiles, 2);
            else
                multiply_panel(to, panel_v, block * LANES, panel_u, k->in->c, tiles, 1);
        }
}

/* ---- what is written */

/* One vector of the result; ended: with bias, sum and activation. */
SIMD_INLINE void put(const job *k, int64_t at, vf f, vf bias, protea_dtype dtype, bool ended)
{
    if (ended) {
        f += bias;
        if (k->ending.add)
            f += load(k->y, at, LANES, dtype);
        if (k->ending.act == PROTEA_RELU)
            f = relu_of(f);
    }
    store(k->y, at, LANES, dtype, f);
}

/* The m x m of a tile that lie inside the map: `rows` of them, `columns` wide. s: the tile's sums, LANES outputs. */
SIMD_INLINE void write_tile(const job *k, int64_t at, int64_t rows, int64_t columns, const float *s, vf bias, int m,
                            protea_dtype dtype, bool ended)
{
    vf half[MAX_SIDE][MAX_TILE];
#pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
        vf in[MAX_SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < m + 2; i++)
            in[i] = load(s, (i * (m + 2) + j) * k->s_step, LANES, PROTEA_F32);
        transform_sums(half[j], in, m);
    }
#pragma GCC unroll 4
    for (int i = 0; i < m; i++) {
        vf in[MAX_SIDE], out[MAX_TILE];
        if (i >= rows)
            break;
#pragma GCC unroll 6
        for (int j = 0; j < m + 2; j++)
            in[j] = half[j][i];
        transform_sums(out, in, m);
#pragma GCC unroll 4
        for (int j = 0; j < m; j++)
            if (j < columns)
                put(k, at + (i * k->out->w + j) * LANES, out[j], bias, dtype, ended);
    }
}

SIMD_INLINE void write_strip(const job *k, const float *s, int64_t strip, int64_t first_tile, int64_t first, int m,
                             protea_dtype dtype, bool ended)
{
    const protea_map *map = k->out;
    int64_t all = outputs_at(k, first), tiles = k->tall * k->t.across, top = strip % k->t.down * m;
    for (int64_t o = 0; o < all; o += LANES) {
        panel out = panel_of(o, all);
        int64_t slab = strip / k->t.down * (map->c / LANES) + (first + o) / LANES;
        const float *from = s + out.first * tiles + first_tile * out.width + o - out.first;
        vf bias = ended ? load(k->bias, first + o, LANES, PROTEA_F32) : (vf){ 0 };
        for (int64_t tile = 0; tile < k->t.across; tile++) {
            int64_t at = ((slab * map->h + top) * map->w + tile * m) * LANES;
            int64_t rows = smaller(m, map->h - top), columns = smaller(m, map->w - tile * m);
            if (rows == m && columns == m)
                write_tile(k, at, m, m, from + tile * out.width, bias, m, dtype, ended);
            else
                write_tile(k, at, rows, columns, from + tile * out.width, bias, m, dtype, ended);
        }
    }
}

/* ---- a tile's size and a type of activations */

typedef struct kind {
    void (*pack)(const job *k, int64_t in, int64_t out);
    void (*read)(const job *k, char *room, int64_t strip, int64_t first_tile);
    void (*write)(const job *k, const float *s, int64_t strip, int64_t first_tile, int64_t first);
} kind;

#define KIND(name, m, dtype)                                                                                            \
    static void pack_##name(const job *k, int64_t in, int64_t out)                                                      \
    {                                                                                                                   \
        pack_weights(k, in, out, m);                                                                                    \
    }                                                                                                                   \
    static void read_##name(const job *k, char *room, int64_t strip, int64_t first_tile)                                \
    {                                                                                                                   \
        transform_strip(k, room, strip, first_tile, m, dtype);                                                          \
    }                                                                                                                   \
    static void write_##name(const job *k, const float *s, int64_t strip, int64_t first_tile, int64_t first)            \
    {                                                                                                                   \
        if (k->bias != NULL)                                                                                            \
            write_strip(k, s, strip, first_tile, first, m, dtype, true);                                                \
        else                                                                                                            \
            write_strip(k, s, strip, first_tile, first, m, dtype, false);                                               \
    }
EACH_KIND(KIND)

#define ENTRY(name, m, dtype) { pack_##name, read_##name, write_##name },
static const kind kinds[] = { EACH_KIND(ENTRY) };

/* One block: strips [from, to). */
static void run_block(const job *k, const kind *of, char *room, int64_t from, int64_t to)
{
    word *v = (word *)(void *)(room + columns_bytes(&k->t));
    float *s = (float *)(void *)(room + columns_bytes(&k->t) + v_bytes(k));
    for (int64_t strip = from; strip < to; strip++)
        of->read(k, room, strip, (strip - from) * k->t.across);
    for (int64_t first = 0; first < k->out->c; first += OUTPUTS) {
        multiply(k, s, v, first, (to - from) * k->t.across);
        for (int64_t strip = from; strip < to; strip++)
            of->write(k, s, strip, (strip - from) * k->t.across, first);
    }
}

/* By all threads of a parallel region: the weights. */
static void share_packs(const job *k, const kind *of)
{
    int64_t lanes_in = k->in->c / LANES, packs = lanes_in * (k->out->c / LANES);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < packs; i++)
        of->pack(k, i % lanes_in * LANES, i / lanes_in * LANES);
}

/* And the maps. rooms: of each thread. */
static void share_blocks(const job *k, const kind *of, char *rooms)
{
    int64_t blocks = over(k->t.strips, k->tall);
    char *room = rooms + room_bytes(k) * (size_t)protea_thread_index();
    clear_columns(room, &k->t);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < blocks; i++)
        run_block(k, of, room, i * k->tall, smaller((i + 1) * k->tall, k->t.strips));
}

static const kind *kind_of(const job *k)
{
    return &kinds[kind_number(&k->t, k->in->dtype)];
}

static void run(job k, void *y, const void *x, const float *w, void *scratch)
{
    k.y = y;
    k.x = x;
    k.w = w;
    k.u = scratch;
    const kind *of = kind_of(&k);
#pragma omp parallel
    {
        share_packs(&k, of);
        share_blocks(&k, of, (char *)scratch + weight_bytes(&k));
    }
}

void SIMD_NAME(protea_winograd_forward)(void *y, const void *x, const float *w, const protea_conv_dims *d, int tile, void *scratch)
{
    run(make_job(d, PROTEA_CONV_FORWARD, tile), y, x, w, scratch);
}

void SIMD_NAME(protea_winograd_backward_data)(void *dx, const void *dy, const float *w, const protea_conv_dims *d, int tile,
                                              void *scratch)
{
    run(make_job(d, PROTEA_CONV_BACKWARD_DATA, tile), dx, dy, w, scratch);
}

/* ---- inference */

size_t SIMD_NAME(protea_winograd_packed)(const protea_conv_dims *d, int tile)
{
    job k = make_job(d, PROTEA_CONV_FORWARD, tile);
    return weight_bytes(&k);
}

void SIMD_NAME(protea_winograd_pack)(void *packed, const float *w, const protea_conv_dims *d, int tile)
{
    job k = make_job(d, PROTEA_CONV_FORWARD, tile);
    k.w = w;
    k.u = packed;
    const kind *of = kind_of(&k);
#pragma omp parallel
    share_packs(&k, of);
}

void SIMD_NAME(protea_winograd_fused)(void *y, const void *x, const void *packed, const float *bias, const protea_conv_dims *d,
                                      protea_conv_ending ending, int tile, void *scratch)
{
    job k = make_job(d, PROTEA_CONV_FORWARD, tile);
    k.y = y;
    k.x = x;
    k.u = (word *)(uintptr_t)packed; /* only read */
    k.bias = bias;
    k.ending = ending;
    const kind *of = kind_of(&k);
#pragma omp parallel
    share_blocks(&k, of, scratch);
}
