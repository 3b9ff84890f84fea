/* Gradient of convolution weights by vdpbf16ps, as the sum it is:
 *
 *   dw[o,c,p,q] = sum over samples n and output pixels i of dy[n,i,o] * x[n, i*stride + (p,q) - pad, c]
 *
 * A product takes a pair of samples: of one output at one pixel, which is one 32-bit number, and of 16 channels at the pixel that
 * a tap leads to, which is one vector. So strides cost nothing, and no pixel has to stand beside another.
 *
 * The batch is taken in chunks: some pairs of samples, of their maps a band of rows. A chunk is packed by all threads, dy as
 * (o / 16, pair, pixel, 16, 2) and x as (c / 16, pair, pixel, 16, 2), its rows with the padding that taps reach. Then tasks, a
 * block of outputs and one or some of channels, are shared. Innermost are 8 outputs and up to 3 vectors of 16 weights: three
 * taps of a row or, with one tap, three blocks of channels. Each task adds up its products in order: no thread count changes a
 * bit. */
#include "backend/cpu/bf16_vectors.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "backend/bf16.h"
#include "backend/cpu/weights_rows.h"

enum {
    LANES = 16, ROWS = 8, VECTORS = 3,
    PIXEL = 2 * LANES,              /* bf16 of a packed pixel */
    SUMS = ROWS * LANES,            /* of a vector of weights for ROWS outputs */
    CHUNK_PIXELS = 256              /* of dy, pairs counted once, about: panels stay in the second cache */
};

/* What the threads work on. */
typedef struct work {
    const protea_conv_dims *d;
    const protea_bf16 *dy, *x;
    float *dw;
    int64_t pairs, band;            /* of a chunk: pairs of samples, rows of dy */
    int64_t x_rows, x_width;        /* the most rows of x that a band meets, pixels of a packed one */
    int64_t vectors, blocks;        /* of weights in a row of taps of a task; blocks of channels of a task */
    int64_t tasks;
    protea_bf16 *packed_dy, *packed_x;
    float *sums;                    /* (task, tap row, half of the outputs, vector, ROWS, LANES) */
    int64_t first;                  /* this chunk: its first sample, */
    rows dy_now, x_now;             /* its rows */
} work;

static work make_work(const protea_conv_dims *d)
{
    int64_t pixels = d->y.h * d->y.w, pairs = (d->x.n + 1) / 2, channels = d->x.c / LANES;
    work k = { .d = d, .pairs = most(1, least(CHUNK_PIXELS / pixels, pairs)), .blocks = 1 };
    k.band = least(d->y.h, most(1, CHUNK_PIXELS / d->y.w));
    k.x_rows = most_rows_met(d, k.band);
    k.x_width = (d->y.w - 1) * d->stride + d->kw;
    if (d->kw == 1)
        k.blocks = channels % 3 == 0 ? 3 : channels % 2 == 0 ? 2 : 1;
    k.vectors = d->kw * k.blocks;
    k.tasks = d->y.c / LANES * (channels / k.blocks);
    return k;
}

/* bf16 of a packed panel: a block of channels in a chunk. */
static int64_t dy_panel(const work *k)
{
    return k->pairs * k->band * k->d->y.w * PIXEL;
}

static int64_t x_panel(const work *k)
{
    return k->pairs * k->x_rows * k->x_width * PIXEL;
}

static int64_t task_sums(const work *k)
{
    return k->d->kh * 2 * k->vectors * SUMS;
}

/* Bytes of the parts of the scratch. */
typedef struct parts {
    size_t dy, x, sums;
} parts;

static parts parts_of(const work *k)
{
    return (parts){ (size_t)(k->d->y.c / LANES * dy_panel(k)) * sizeof(protea_bf16),
                    (size_t)(k->d->x.c / LANES * x_panel(k)) * sizeof(protea_bf16),
                    (size_t)(k->tasks * task_sums(k)) * sizeof(float) };
}

bool protea_bf16_backward_weights_takes(const protea_conv_dims *d)
{
    return d->x.dtype == PROTEA_BF16 && d->x.block == LANES && d->y.block == LANES;
}

size_t protea_bf16_backward_weights_scratch(const protea_conv_dims *d)
{
    work k = make_work(d);
    parts p = parts_of(&k);
    return p.dy + p.x + p.sums;
}

/* ---- packing */

/* Pixels [0, n) of a row of two samples; the second is NULL where there is none. */
static void pack_pixels(protea_bf16 *to, const protea_bf16 *one, const protea_bf16 *two, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        __m512i a = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(one + i * LANES)));
        __m512i b = _mm512_setzero_si512();
        if (two != NULL)
            b = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(two + i * LANES)));
        _mm512_store_si512(to + i * PIXEL, _mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
    }
}

/* Row y of a block of channels of a pair of samples, whose first is n; left: pixels of padding before it, width: with all. */
static void pack_row(protea_bf16 *to, const protea_map *m, const protea_bf16 *from, int64_t n, int64_t c, int64_t y, int64_t left,
                     int64_t width)
{
    int64_t sample = m->h * m->w * m->c, inside = most(0, least(m->w, width - left));
    const protea_bf16 *one = from + n * sample + (c * m->h + y) * m->w * LANES;
    memset(to, 0, (size_t)(left * PIXEL) * sizeof *to);
    pack_pixels(to + left * PIXEL, one, n + 1 < m->n ? one + sample : NULL, inside);
    memset(to + (left + inside) * PIXEL, 0, (size_t)((width - left - inside) * PIXEL) * sizeof *to);
}

/* Item `item` of a chunk: a row of a pair of a panel, of dy's first, then of x's. */
static void pack_item(const work *k, int64_t item)
{
    const protea_conv_dims *d = k->d;
    int64_t dy_height = k->dy_now.to - k->dy_now.from, x_height = k->x_now.to - k->x_now.from;
    int64_t of_dy = d->y.c / LANES * k->pairs * dy_height;
    bool is_dy = item < of_dy;
    item -= is_dy ? 0 : of_dy;
    int64_t height = is_dy ? dy_height : x_height, row = item % height, pair = item / height % k->pairs;
    int64_t panel = item / height / k->pairs, n = k->first + 2 * pair;
    if (is_dy)
        pack_row(k->packed_dy + panel * dy_panel(k) + (pair * k->band + row) * d->y.w * PIXEL, &d->y, k->dy, n, panel,
                 k->dy_now.from + row, 0, d->y.w);
    else if (is_met(d, k->x_now.from + row, d->kh))
        pack_row(k->packed_x + panel * x_panel(k) + (pair * k->x_rows + row) * k->x_width * PIXEL, &d->x, k->x, n, panel,
                 k->x_now.from + row, d->pad, k->x_width);
}

static void pack(const work *k)
{
    int64_t of_dy = k->d->y.c / LANES * (k->dy_now.to - k->dy_now.from);
    int64_t of_x = k->d->x.c / LANES * (k->x_now.to - k->x_now.from), items = k->pairs * (of_dy + of_x);
#pragma omp for schedule(static)
    for (int64_t item = 0; item < items; item++)
        pack_item(k, item);
}

/* ---- products */

/* Where the innermost loop reads: pixels of dy one after the other, of x `stride` apart; vectors `apart` bf16 apart. */
typedef struct span {
    const protea_bf16 *dy, *x;
    int64_t pairs, rows, columns;   /* of dy */
    int64_t dy_pair, x_pair, dy_row, x_row, stride, apart;
} span;

/* A pair of samples of one output, in each lane. */
static inline __m512bh pair_of(const protea_bf16 *dy)
{
    int32_t pair;
    memcpy(&pair, dy, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

/* sums (vectors, ROWS, LANES) += the products of a span; vectors is constant where this is called. */
static inline __attribute__((always_inline)) void add_span(float *sums, const span *s, int vectors)
{
    __m512 sum[VECTORS][ROWS];
    for (int v = 0; v < vectors; v++)
        for (int r = 0; r < ROWS; r++)
            sum[v][r] = _mm512_load_ps(sums + v * SUMS + r * LANES);
    for (int64_t row = 0; row < s->pairs * s->rows; row++) {
        int64_t pair = row / s->rows, down = row % s->rows;
        const protea_bf16 *dy = s->dy + pair * s->dy_pair + down * s->dy_row, *x = s->x + pair * s->x_pair + down * s->x_row;
        for (int64_t i = 0; i < s->columns; i++, dy += PIXEL, x += s->stride) {
            __m512bh c[VECTORS];
            for (int v = 0; v < vectors; v++)
                c[v] = (__m512bh)_mm512_load_si512(x + v * s->apart);
            for (int r = 0; r < ROWS; r++) {
                __m512bh pair_of_r = pair_of(dy + 2 * r);
                for (int v = 0; v < vectors; v++)
                    sum[v][r] = _mm512_dpbf16_ps(sum[v][r], c[v], pair_of_r);
            }
        }
    }
    for (int v = 0; v < vectors; v++)
        for (int r = 0; r < ROWS; r++)
            _mm512_store_ps(sums + v * SUMS + r * LANES, sum[v][r]);
}

static void add_vectors(float *sums, const span *s, int64_t vectors)
{
    if (vectors >= 3)
        add_span(sums, s, 3);
    else if (vectors == 2)
        add_span(sums, s, 2);
    else
        add_span(sums, s, 1);
}

/* One row of taps of a task, over the chunk. */
static void run_taps(const work *k, float *sums, const protea_bf16 *dy, const protea_bf16 *x, int64_t p)
{
    const protea_conv_dims *d = k->d;
    rows height = outputs_inside(d, p, k->dy_now, k->x_now.from, k->x_now.to);
    int64_t dy_row = d->y.w * PIXEL, x_row = k->x_width * PIXEL, y = height.from * d->stride + p - d->pad - k->x_now.from;
    span s = { .pairs = k->pairs, .rows = height.to - height.from, .columns = d->y.w, .dy_pair = k->band * dy_row,
               .x_pair = k->x_rows * x_row, .dy_row = dy_row, .x_row = d->stride * x_row, .stride = d->stride * PIXEL,
               .apart = d->kw > 1 ? PIXEL : x_panel(k) };
    for (int half = 0; half < 2 && s.rows > 0; half++)
        for (int64_t v = 0; v < k->vectors; v += VECTORS) {
            s.dy = dy + (height.from - k->dy_now.from) * dy_row + half * PIXEL / 2;
            s.x = x + y * x_row + v * s.apart;
            add_vectors(sums + (half * k->vectors + v) * SUMS, &s, k->vectors - v);
        }
}

/* Tasks of the same channels follow each other: their panel of x stays in cache. */
static void run_task(const work *k, int64_t task)
{
    int64_t outs = k->d->y.c / LANES;
    const protea_bf16 *dy = k->packed_dy + task % outs * dy_panel(k), *x = k->packed_x + task / outs * k->blocks * x_panel(k);
    for (int64_t p = 0; p < k->d->kh; p++)
        run_taps(k, k->sums + task * task_sums(k) + p * 2 * k->vectors * SUMS, dy, x, p);
}

/* Adds a task's sums to dw (O,C,KH,KW). */
static void add_sums(const work *k, int64_t task)
{
    const protea_conv_dims *d = k->d;
    int64_t outs = d->y.c / LANES, o = task % outs * LANES, c = task / outs * k->blocks * LANES;
    const float *from = k->sums + task * task_sums(k);
    for (int64_t p = 0; p < d->kh; p++)
        for (int64_t half = 0; half < 2; half++)
            for (int64_t v = 0; v < k->vectors; v++, from += SUMS)
                for (int64_t i = 0; i < SUMS; i++) {
                    int64_t out = o + half * ROWS + i / LANES, in = c + v / d->kw * LANES + i % LANES;
                    k->dw[((out * d->x.c + in) * d->kh + p) * d->kw + v % d->kw] += from[i];
                }
}

/* One chunk, by all threads of the parallel region. */
static void run_chunk(work k, int64_t first, int64_t from)
{
    k.first = first;
    k.dy_now = (rows){ from, least(from + k.band, k.d->y.h) };
    k.x_now = rows_met(k.d, k.dy_now);
    k.pairs = least(k.pairs, (k.d->x.n - first + 1) / 2);
    pack(&k);
#pragma omp for schedule(static)
    for (int64_t task = 0; task < k.tasks; task++)
        run_task(&k, task);
}

void protea_bf16_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch)
{
    work k = make_work(d);
    parts p = parts_of(&k);
    k.dy = dy;
    k.x = x;
    k.dw = dw;
    k.packed_dy = scratch;
    k.packed_x = (protea_bf16 *)(void *)((char *)scratch + p.dy);
    k.sums = (float *)(void *)((char *)scratch + p.dy + p.x);
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (int64_t task = 0; task < k.tasks; task++)
            memset(k.sums + task * task_sums(&k), 0, (size_t)task_sums(&k) * sizeof(float));
        for (int64_t first = 0; first < d->x.n; first += 2 * k.pairs)
            for (int64_t from = 0; from < d->y.h; from += k.band)
                run_chunk(k, first, from);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < k.tasks; task++)
            add_sums(&k, task);
    }
}

#else

bool protea_bf16_backward_weights_takes(const protea_conv_dims *d)
{
    (void)d;
    return false;
}

size_t protea_bf16_backward_weights_scratch(const protea_conv_dims *d)
{
    (void)d;
    return 0;
}

void protea_bf16_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch)
{
    (void)dw, (void)dy, (void)x, (void)d, (void)scratch;
}

#endif
