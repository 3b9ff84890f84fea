/* Winograd's convolution, forward and backward-data: the latter is the former with the weights turned by half a turn and their
 * channels exchanged. Here `inputs` are the channels summed over, `outputs` those of the result, whichever pass it is.
 *
 * A strip is the row of tiles that makes m rows of a sample's result. A thread takes some strips at a time:
 *     its maps' rows -> transformed tiles v (position, inputs / LANES, tile, LANES), rounded once
 *     for every 64 outputs: v * u -> sums s (position, outputs / WIDE, tile, WIDE), f32; sums -> rows of the result
 * where position is one of the (m + 2)^2 and u are the transformed weights
 *     u (outputs / 64, position, outputs / WIDE, inputs / PAIR, WIDE, PAIR).
 * v and s stay in the second-level cache. No thread count changes a bit: an element's sum depends on its tile alone. */
#include "backend/cpu/winograd_parts.h"

#include "base/parallel.h"

enum {
    WIDE = 2 * LANES,               /* outputs that the innermost loop computes */
    OUTPUTS = 64,                   /* of one round over a thread's tiles */
    ROWS = LANES == 16 ? 14 : 6,    /* tiles that it computes: sums, two rows of weights and one of v fill the registers */
    TILES = 56                      /* of a thread's block, about */
};

typedef struct job {
    const protea_map *in, *out;     /* maps that are read and written */
    const void *x;
    void *y;
    const float *w;
    word *u;
    bool turned;                    /* backward-data */
    tiling t;
    int64_t tall;                   /* strips of a block */
    int64_t v_step, s_step;         /* words, sums from position to position: not a multiple of a page */
} job;

static int64_t outputs_at(const job *k, int64_t first)
{
    return smaller(OUTPUTS, k->out->c - first);
}

/* So many strips a block that the last round of blocks keeps all threads busy. */
static int64_t strips_of_block(const tiling *t)
{
    int64_t threads = protea_threads(), most = larger(1, TILES / t->across);
    int64_t blocks = over(over(t->strips, most), threads) * threads;
    return over(t->strips, blocks);
}

static job make_job(const protea_conv_dims *d, protea_conv_pass pass, int tile)
{
    bool turned = pass == PROTEA_CONV_BACKWARD_DATA;
    job k = { .in = turned ? &d->y : &d->x, .out = turned ? &d->x : &d->y, .turned = turned, .t = tiling_of(&d->x, tile) };
    k.tall = strips_of_block(&k.t);
    k.v_step = k.tall * k.t.across * k.in->c + 64 / (int64_t)sizeof(word);
    k.s_step = k.tall * k.t.across * over(smaller(OUTPUTS, k.out->c), WIDE) * WIDE + 16;
    return k;
}

static size_t weight_bytes(const job *k)
{
    return lines((size_t)(k->t.positions * k->in->c * k->out->c) * sizeof(word));
}

/* A thread's room: columns, v, s. */
static size_t v_bytes(const job *k)
{
    return lines((size_t)(k->t.positions * k->v_step) * sizeof(word));
}

static size_t room_bytes(const job *k)
{
    return columns_bytes(&k->t) + v_bytes(k) + lines((size_t)(k->t.positions * k->s_step) * sizeof(float));
}

size_t SIMD_NAME(protea_winograd_scratch)(const protea_conv_dims *d, protea_conv_pass pass, int tile)
{
    job k = make_job(d, pass, tile);
    return weight_bytes(&k) + room_bytes(&k) * (size_t)protea_threads();
}

/* ---- weights */

/* to (tap, LANES inputs, LANES outputs) of inputs from `in` on and outputs from `out` on. */
static void gather_weights(float *to, const job *k, int64_t in, int64_t out)
{
    int64_t in_step = 9 * (k->turned ? k->out->c : 1), out_step = 9 * (k->turned ? 1 : k->in->c);
    for (int64_t o = 0; o < LANES; o++)
        for (int64_t i = 0; i < LANES; i++) {
            const float *from = k->w + (in + i) * in_step + (out + o) * out_step;
            for (int64_t tap = 0; tap < 9; tap++)
                to[((k->turned ? 8 - tap : tap) * LANES + i) * LANES + o] = from[tap];
        }
}

/* u (position) of one input's weights; taps lie LANES * LANES apart. */
SIMD_INLINE void transform_kernel(vf *u, const float *taps, int m)
{
    vf half[3 * MAX_SIDE];
#pragma GCC unroll 3
    for (int column = 0; column < 3; column++) {
        vf g[3];
#pragma GCC unroll 3
        for (int row = 0; row < 3; row++)
            g[row] = load(taps, (row * 3 + column) * LANES * LANES, LANES, PROTEA_F32);
        transform_weights(half + column * MAX_SIDE, g, m);
    }
#pragma GCC unroll 6
    for (int row = 0; row < m + 2; row++) {
        vf g[3] = { half[row], half[MAX_SIDE + row], half[2 * MAX_SIDE + row] };
        transform_weights(u + row * (m + 2), g, m);
    }
}

/* Where u has LANES outputs from `out` on, of position 0 and the first inputs; what lies between positions and between pairs of
 * inputs. */
typedef struct panel {
    word *at;
    int64_t position_step, input_step;
} panel;

static panel panel_of(const job *k, int64_t out)
{
    int64_t first = out / OUTPUTS * OUTPUTS, all = outputs_at(k, first), wide = (out - first) / WIDE * WIDE;
    int64_t width = smaller(WIDE, all - wide);
    word *at = k->u + first * k->t.positions * k->in->c + wide * k->in->c + (out - first - wide) * PAIR;
    return (panel){ at, all * k->in->c, width * PAIR };
}

SIMD_INLINE void pack_weights(const job *k, int64_t in, int64_t out, int m)
{
    float taps[9 * LANES * LANES] __attribute__((aligned(64)));
    vf u[2][MAX_SIDE * MAX_SIDE];
    panel p = panel_of(k, out);
    gather_weights(taps, k, in, out);
    for (int64_t i = 0; i < LANES; i += PAIR) {
        for (int half = 0; half < PAIR; half++)
            transform_kernel(u[half], taps + (i + half) * LANES, m);
        for (int at = 0; at < (m + 2) * (m + 2); at++)
            store_pair(p.at + at * p.position_step + (in + i) / PAIR * p.input_step, u[0][at], u[PAIR - 1][at]);
    }
}

/* ---- what is read */

SIMD_INLINE void transform_strip(const job *k, char *room, int64_t strip, int64_t first_tile, int m, protea_dtype dtype)
{
    word *v = (word *)(void *)(room + columns_bytes(&k->t));
    int64_t tiles = k->tall * k->t.across;
    for (int64_t c = 0; c < k->in->c; c += LANES) {
        transform_rows((vf *)(void *)room, &k->t, k->in, k->x, strip, c, m, dtype);
        word *to = v + c * tiles + first_tile * LANES;
        for (int64_t tile = 0; tile < k->t.across; tile++) {
            const vf *column = (const vf *)(void *)room + tile * m * (m + 2);
#pragma GCC unroll 1
            for (int i = 0; i < m + 2; i++) {
                vf in[MAX_SIDE], out[MAX_SIDE];
#pragma GCC unroll 6
                for (int j = 0; j < m + 2; j++)
                    in[j] = column[j * (m + 2) + i];
                transform_inputs(out, in, m);
#pragma GCC unroll 6
                for (int j = 0; j < m + 2; j++)
                    store_words(to + tile * LANES + (i * (m + 2) + j) * k->v_step, out[j]);
            }
        }
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

/* The m x m of a tile that lie inside the map: `rows` of them, `columns` wide. s: the tile's sums, LANES outputs. */
SIMD_INLINE void write_tile(void *y, int64_t at, int64_t width, int64_t rows, int64_t columns, const float *s, int64_t s_step,
                            int m, protea_dtype dtype)
{
    vf half[MAX_SIDE][MAX_TILE];
#pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
        vf in[MAX_SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < m + 2; i++)
            in[i] = load(s, (i * (m + 2) + j) * s_step, LANES, PROTEA_F32);
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
                store_map(y, at + (i * width + j) * LANES, dtype, out[j]);
    }
}

SIMD_INLINE void write_strip(const job *k, const float *s, int64_t strip, int64_t first_tile, int64_t first, int m,
                             protea_dtype dtype)
{
    const protea_map *map = k->out;
    int64_t all = outputs_at(k, first), tiles = k->tall * k->t.across, top = strip % k->t.down * m;
    for (int64_t o = 0; o < all; o += LANES) {
        int64_t wide = o / WIDE * WIDE, width = smaller(WIDE, all - wide);
        int64_t slab = strip / k->t.down * (map->c / LANES) + (first + o) / LANES;
        const float *from = s + wide * tiles + first_tile * width + o - wide;
        for (int64_t tile = 0; tile < k->t.across; tile++) {
            int64_t at = ((slab * map->h + top) * map->w + tile * m) * LANES;
            int64_t rows = smaller(m, map->h - top), columns = smaller(m, map->w - tile * m);
            if (rows == m && columns == m)
                write_tile(k->y, at, map->w, m, m, from + tile * width, k->s_step, m, dtype);
            else
                write_tile(k->y, at, map->w, rows, columns, from + tile * width, k->s_step, m, dtype);
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
        write_strip(k, s, strip, first_tile, first, m, dtype);                                                          \
    }                                                                                                                   \
    static const kind kind_##name = { pack_##name, read_##name, write_##name };

KIND(4_bf16, 4, PROTEA_BF16)
#ifdef __AVX512BF16__
KIND(2_bf16, 2, PROTEA_BF16)
#else
KIND(4_f32, 4, PROTEA_F32)
#endif

static const kind *kind_of(const job *k)
{
#ifdef __AVX512BF16__
    return k->t.m == 2 ? &kind_2_bf16 : &kind_4_bf16;
#else
    return k->in->dtype == PROTEA_F32 ? &kind_4_f32 : &kind_4_bf16;
#endif
}

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

static void run(job k, void *y, const void *x, const float *w, void *scratch)
{
    k.y = y;
    k.x = x;
    k.w = w;
    k.u = scratch;
    const kind *of = kind_of(&k);
    int64_t lanes_in = k.in->c / LANES, packs = lanes_in * (k.out->c / LANES), blocks = over(k.t.strips, k.tall);
#pragma omp parallel
    {
        char *room = (char *)scratch + weight_bytes(&k) + room_bytes(&k) * (size_t)protea_thread_index();
#pragma omp for schedule(static)
        for (int64_t i = 0; i < packs; i++)
            of->pack(&k, i % lanes_in * LANES, i / lanes_in * LANES);
        clear_columns(room, &k.t);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks; i++)
            run_block(&k, of, room, i * k.tall, smaller((i + 1) * k.tall, k.t.strips));
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
