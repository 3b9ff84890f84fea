/* Winograd's gradient of the weights, the transpose of the convolution in its weights:
 *
 *     dw = G^T [ sum over tiles of (A dy A^T) * (B^T x B) ] G
 *
 * where * is, at each position, the product of a tile's outputs and inputs. The batch is taken in chunks of strips (rows of tiles
 * of a sample), whose tiles are transformed, rounded once and laid out as the innermost loop reads them, two tiles to a pair:
 *     x (position, inputs / WIDE, tile / PAIR, WIDE, PAIR),  y (position, outputs / LANES, tile / PAIR, LANES, PAIR)
 * A task is a block of outputs and one of inputs: sums (position, inputs / WIDE, outputs of the block, WIDE), f32.
 *
 * With few channels each thread has tiles of its own, and sums for all tasks, which are added up at the end in the order of
 * threads. With many (their sums would fill memory) all threads transform each chunk together and then share the tasks. */
#include "backend/cpu/winograd_weights_tiles.h"

size_t SIMD_NAME(protea_winograd_weights_scratch)(const protea_conv_dims *d, int tile)
{
    job k = make_job(d, tile);
    return room_bytes(&k) * (size_t)protea_threads() + chunk_bytes(&k) * (size_t)k.parts;
}

/* ---- products */

/* s (ROWS, vectors * LANES) += y (pairs, LANES, PAIR) * x (pairs, vectors * LANES, PAIR); first: s is set. */
SIMD_INLINE void add_rows(float *s, const word *y, const word *x, int64_t pairs, bool first, int vectors)
{
    vf sum[ROWS][2];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
        for (int n = 0; n < vectors; n++)
            sum[r][n] = first ? (vf){ 0 } : load(s, (r * vectors + n) * LANES, LANES, PROTEA_F32);
    for (int64_t i = 0; i < pairs; i++, x += vectors * LANES * PAIR, y += LANES * PAIR) {
        vf row[2];
#pragma GCC unroll 2
        for (int n = 0; n < vectors; n++)
            row[n] = load_row(x + n * LANES * PAIR);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
            for (int n = 0; n < vectors; n++)
                sum[r][n] = add_products(sum[r][n], y + r * PAIR, row[n]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
        for (int n = 0; n < vectors; n++)
            store(s, (r * vectors + n) * LANES, LANES, PROTEA_F32, sum[r][n]);
}

/* One panel of inputs, at one position: all outputs of the block. */
SIMD_INLINE void add_panel(float *s, const word *y, const word *x, int64_t tiles, int64_t pairs, int64_t outs, bool first,
                           int vectors)
{
    for (int64_t o = 0; o < outs; o += ROWS)
        add_rows(s + o * vectors * LANES, y + o / LANES * LANES * tiles + o % LANES * PAIR, x, pairs, first, vectors);
}

static void multiply(const job *k, const place *p, float *sums, block b, int64_t tiles, bool first)
{
    int64_t pairs = over(tiles, PAIR);
    for (int64_t at = 0; at < k->t.positions; at++)
        for (int64_t c = 0; c < b.ins; c += WIDE) {
            float *s = sums + at * BLOCK * BLOCK + c * b.outs;
            const word *y = p->y + at * k->y_step + b.out * k->tiles, *x = p->x + at * k->x_step + (b.in + c) * k->tiles;
            if (b.ins - c >= WIDE)
                add_panel(s, y, x, k->tiles, pairs, b.outs, first, 2);
            else
                add_panel(s, y, x, k->tiles, pairs, b.outs, first, 1);
        }
}

/* ---- sums to weights */

/* dw += of LANES inputs and one output; next: from it to the next output, fetched in advance. sums: of so many parts, part_step
 * apart, positions BLOCK * BLOCK apart. */
SIMD_INLINE void add_weights(float *dw, int64_t next, const float *sums, int64_t parts, size_t part_step, int m)
{
    vf half[MAX_SIDE][3];
    float taps[9][LANES];
#pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
        vf u[MAX_SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < m + 2; i++) {
            const float *s = sums + (i * (m + 2) + j) * BLOCK * BLOCK;
            u[i] = load(s, 0, LANES, PROTEA_F32);
            for (int64_t part = 1; part < parts; part++)
                u[i] += load(s + (size_t)part * part_step, 0, LANES, PROTEA_F32);
        }
        weights_of_sums(half[j], u, m);
    }
#pragma GCC unroll 3
    for (int row = 0; row < 3; row++) {
        vf u[MAX_SIDE], out[3];
#pragma GCC unroll 6
        for (int j = 0; j < m + 2; j++)
            u[j] = half[j][row];
        weights_of_sums(out, u, m);
#pragma GCC unroll 3
        for (int column = 0; column < 3; column++)
            store(taps[row * 3 + column], 0, LANES, PROTEA_F32, out[column]);
    }
    for (int line = 0; line < 9; line++)
        __builtin_prefetch(dw + next + line * LANES, 1);
    for (int i = 0; i < LANES; i++)
        for (int tap = 0; tap < 9; tap++)
            dw[i * 9 + tap] += taps[tap][i];
}

/* One output of a task. */
SIMD_INLINE void add_output(const job *k, const float *sums, block b, int64_t o, int64_t parts, size_t part_step, int m)
{
    for (int64_t c = 0; c < b.ins; c += LANES) {
        panel in = panel_of(c, b.ins);
        const float *from = sums + in.first * b.outs + o * in.width + c - in.first;
        add_weights(k->dw + ((b.out + o) * k->d->x.c + b.in + c) * 9, k->d->x.c * 9, from, parts, part_step, m);
    }
}

/* ---- a tile's size and a type of activations */

typedef struct kind {
    void (*x)(const job *k, const place *p, int64_t c, int64_t from, int64_t to);
    void (*y)(const job *k, const place *p, int64_t c, int64_t from, int64_t to);
    void (*weights)(const job *k, const float *sums, block b, int64_t o, int64_t parts, size_t part_step);
} kind;

#define KIND(name, m, dtype)                                                                                            \
    static void x_##name(const job *k, const place *p, int64_t c, int64_t from, int64_t to)                             \
    {                                                                                                                   \
        transform_x(k, p, c, from, to, m, dtype);                                                                       \
    }                                                                                                                   \
    static void y_##name(const job *k, const place *p, int64_t c, int64_t from, int64_t to)                             \
    {                                                                                                                   \
        transform_y(k, p, c, from, to, m, dtype);                                                                       \
    }                                                                                                                   \
    static void weights_##name(const job *k, const float *sums, block b, int64_t o, int64_t parts, size_t part_step)    \
    {                                                                                                                   \
        add_output(k, sums, b, o, parts, part_step, m);                                                                 \
    }
EACH_KIND(KIND)

#define ENTRY(name, m, dtype) { x_##name, y_##name, weights_##name },
static const kind kinds[] = { EACH_KIND(ENTRY) };

/* LANES channels: of x first, then of dy. */
static void transform(const job *k, const kind *of, const place *p, int64_t i, int64_t from, int64_t to)
{
    int64_t of_x = k->d->x.c / LANES;
    if (i < of_x)
        of->x(k, p, i * LANES, from, to);
    else
        of->y(k, p, (i - of_x) * LANES, from, to);
}

/* One part: its sums of all tasks. */
static void add_part(const job *k, const kind *of, int64_t part)
{
    int64_t vectors = (k->d->x.c + k->d->y.c) / LANES;
    int64_t from = k->t.strips * part / k->parts, to = k->t.strips * (part + 1) / k->parts;
    place p = place_of(k, part);
    clear_columns(p.columns, &k->t);
    if (from == to)
        memset(p.sums, 0, (size_t)(k->tasks * task_sums(&k->t)) * sizeof(float));
    for (int64_t strip = from; strip < to; strip += k->tall) {
        int64_t end = smaller(strip + k->tall, to);
        for (int64_t i = 0; i < vectors; i++)
            transform(k, of, &p, i, strip, end);
        for (int64_t task = 0; task < k->tasks; task++)
            multiply(k, &p, p.sums + task * task_sums(&k->t), block_of(k, task), (end - strip) * k->t.across, strip == from);
    }
}

/* By all threads of the parallel region, a part each; several where OpenMP gave fewer threads than are set. */
static void run_parts(const job *k, const kind *of)
{
    const float *sums = place_of(k, 0).sums;
#pragma omp for schedule(static)
    for (int64_t part = 0; part < k->parts; part++)
        add_part(k, of, part);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < k->tasks * BLOCK; i++) {
        block b = block_of(k, i / BLOCK);
        if (i % BLOCK < b.outs)
            of->weights(k, sums + i / BLOCK * task_sums(&k->t), b, i % BLOCK, k->parts, room_bytes(k) / sizeof(float));
    }
}

static void run_task(const job *k, const kind *of, const place *p, int64_t task, int64_t tiles)
{
    block b = block_of(k, task);
    multiply(k, p, p->sums, b, tiles, true);
    for (int64_t o = 0; o < b.outs; o++)
        of->weights(k, p->sums, b, o, 1, 0);
}

/* By all threads of the parallel region, chunk after chunk. */
static void run_shared(const job *k, const kind *of)
{
    int64_t vectors = (k->d->x.c + k->d->y.c) / LANES;
    place p = place_of(k, protea_thread_index());
    clear_columns(p.columns, &k->t);
    for (int64_t strip = 0; strip < k->t.strips; strip += k->tall) {
        int64_t end = smaller(strip + k->tall, k->t.strips);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < vectors; i++)
            transform(k, of, &p, i, strip, end);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < k->tasks; task++)
            run_task(k, of, &p, task, (end - strip) * k->t.across);
    }
}

void SIMD_NAME(protea_winograd_backward_weights)(float *dw, const void *dy, const void *x, const protea_conv_dims *d, int tile,
                                                 void *scratch)
{
    job k = make_job(d, tile);
    k.dw = dw;
    k.dy = dy;
    k.x = x;
    k.scratch = scratch;
    const kind *of = &kinds[kind_number(&k.t, d->x.dtype)];
#pragma omp parallel
    {
        if (k.shared)
            run_shared(&k, of);
        else
            run_parts(&k, of);
    }
}
