/* Gradient of convolution weights as the sum it is:
 *
 *   dw[o,c,p,q] = sum over samples n and output pixels i of dy[n,i,o] * x[n, i*stride + (p,q) - pad, c]
 *
 * A product takes PAIR samples, a group: of one output at one pixel, which all lanes share, and of LANES channels at the pixel that
 * a tap leads to, which is one vector. So strides cost nothing, and no pixel has to stand beside another.
 *
 * The batch is taken in chunks: some groups of samples, of their maps a band of rows. A chunk is packed by all threads, dy as
 * (o / LANES, group, pixel, LANES, PAIR) and x as (c / LANES, group, pixel, LANES, PAIR), its rows with the padding that taps
 * reach. Then tasks, a block of outputs and one or some of channels, are shared. Innermost are half a block of outputs and up to 3
 * vectors of weights: three taps of a row or, with one tap, three blocks of channels. Each task adds up its products in order: no
 * thread count changes a bit. */
#include "backend/cpu/direct_weights.h"

#include "backend/cpu/product_words.h"
#include "backend/cpu/weights_rows.h"

enum {
    HALVES = 2, ROWS = LANES / HALVES, VECTORS = 3,
    PIXEL = LANES * PAIR,           /* words of a packed pixel */
    SUMS = ROWS * LANES,            /* of a vector of weights for ROWS outputs */
    CHUNK_PIXELS = 128 * PAIR       /* of dy, groups counted once, about: panels stay in the second cache */
};

/* What the threads work on. */
typedef struct work {
    const protea_conv_dims *d;
    const void *dy, *x;
    float *dw;
    int64_t groups, band;           /* of a chunk: groups of samples, rows of dy */
    int64_t x_rows, x_width;        /* the most rows of x that a band meets, pixels of a packed one */
    int64_t vectors, blocks;        /* of weights in a row of taps of a task; blocks of channels of a task */
    int64_t tasks;
    word *packed_dy, *packed_x;
    float *sums;                    /* (task, tap row, half of the outputs, vector, ROWS, LANES) */
    int64_t first;                  /* this chunk: its first sample, */
    rows dy_now, x_now;             /* its rows */
} work;

/* Of so many samples. */
static int64_t groups_of(int64_t samples)
{
    return (samples + PAIR - 1) / PAIR;
}

static work make_work(const protea_conv_dims *d)
{
    int64_t pixels = d->y.h * d->y.w, channels = d->x.c / LANES;
    work k = { .d = d, .groups = most(1, least(CHUNK_PIXELS / pixels, groups_of(d->x.n))), .blocks = 1 };
    k.band = least(d->y.h, most(1, CHUNK_PIXELS / d->y.w));
    k.x_rows = most_rows_met(d, k.band);
    k.x_width = (d->y.w - 1) * d->stride + d->kw;
    if (d->kw == 1)
        k.blocks = channels % 3 == 0 ? 3 : channels % 2 == 0 ? 2 : 1;
    k.vectors = d->kw * k.blocks;
    k.tasks = d->y.c / LANES * (channels / k.blocks);
    return k;
}

/* Words of a packed panel: a block of channels in a chunk. */
static int64_t dy_panel(const work *k)
{
    return k->groups * k->band * k->d->y.w * PIXEL;
}

static int64_t x_panel(const work *k)
{
    return k->groups * k->x_rows * k->x_width * PIXEL;
}

static int64_t task_sums(const work *k)
{
    return k->d->kh * HALVES * k->vectors * SUMS;
}

/* Bytes of the parts of the scratch. */
typedef struct parts {
    size_t dy, x, sums;
} parts;

static size_t lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static parts parts_of(const work *k)
{
    return (parts){ lines((size_t)(k->d->y.c / LANES * dy_panel(k)) * sizeof(word)),
                    lines((size_t)(k->d->x.c / LANES * x_panel(k)) * sizeof(word)),
                    (size_t)(k->tasks * task_sums(k)) * sizeof(float) };
}

static size_t scratch_bytes(const protea_conv_dims *d)
{
    work k = make_work(d);
    parts p = parts_of(&k);
    return p.dy + p.x + p.sums;
}

/* ---- packing */

/* Pixels [0, n) from element `from` of a map on, and of the next sample, `sample` elements on; 0: there is none. */
SIMD_INLINE void pack_pixels(word *to, const void *map, int64_t from, int64_t sample, int64_t n, protea_dtype dtype)
{
    for (int64_t i = 0; i < n; i++, from += LANES) {
        vf next = { 0 };
        if (PAIR == 2 && sample > 0)
            next = load(map, from + sample, LANES, dtype);
        store_pair(to + i * PIXEL, load(map, from, LANES, dtype), next);
    }
}

/* Row y of a block of channels of a group, whose first sample is n; left: pixels of padding before it, width: with all. */
static void pack_row(word *to, const protea_map *m, const void *map, int64_t n, int64_t c, int64_t y, int64_t left, int64_t width)
{
    int64_t sample = m->h * m->w * m->c, inside = most(0, least(m->w, width - left));
    int64_t from = n * sample + (c * m->h + y) * m->w * LANES, to_next = n + 1 < m->n ? sample : 0;
    memset(to, 0, (size_t)(left * PIXEL) * sizeof *to);
    if (m->dtype == PROTEA_BF16)
        pack_pixels(to + left * PIXEL, map, from, to_next, inside, PROTEA_BF16);
    else
        pack_pixels(to + left * PIXEL, map, from, to_next, inside, PROTEA_F32);
    memset(to + (left + inside) * PIXEL, 0, (size_t)((width - left - inside) * PIXEL) * sizeof *to);
}

/* Item `item` of a chunk: a row of a group of a panel, of dy's first, then of x's. */
static void pack_item(const work *k, int64_t item)
{
    const protea_conv_dims *d = k->d;
    int64_t dy_height = k->dy_now.to - k->dy_now.from, x_height = k->x_now.to - k->x_now.from;
    int64_t of_dy = d->y.c / LANES * k->groups * dy_height;
    bool is_dy = item < of_dy;
    item -= is_dy ? 0 : of_dy;
    int64_t height = is_dy ? dy_height : x_height, row = item % height, group = item / height % k->groups;
    int64_t panel = item / height / k->groups, n = k->first + PAIR * group;
    if (is_dy)
        pack_row(k->packed_dy + panel * dy_panel(k) + (group * k->band + row) * d->y.w * PIXEL, &d->y, k->dy, n, panel,
                 k->dy_now.from + row, 0, d->y.w);
    else if (is_met(d, k->x_now.from + row, d->kh))
        pack_row(k->packed_x + panel * x_panel(k) + (group * k->x_rows + row) * k->x_width * PIXEL, &d->x, k->x, n, panel,
                 k->x_now.from + row, d->pad, k->x_width);
}

static void pack(const work *k)
{
    int64_t of_dy = k->d->y.c / LANES * (k->dy_now.to - k->dy_now.from);
    int64_t of_x = k->d->x.c / LANES * (k->x_now.to - k->x_now.from), items = k->groups * (of_dy + of_x);
#pragma omp for schedule(static)
    for (int64_t item = 0; item < items; item++)
        pack_item(k, item);
}

/* ---- products */

/* Where the innermost loop reads: pixels of dy one after the other, of x `stride` apart; vectors `apart` words apart. */
typedef struct span {
    const word *dy, *x;
    int64_t groups, rows, columns;  /* of dy */
    int64_t dy_group, x_group, dy_row, x_row, stride, apart;
} span;

/* sums (vectors, ROWS, LANES) += the products of a span; vectors is constant where this is called. */
SIMD_INLINE void add_span(float *sums, const span *s, int vectors)
{
    vf sum[VECTORS][ROWS];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++)
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++)
            sum[v][r] = load(sums, v * SUMS + r * LANES, LANES, PROTEA_F32);
    for (int64_t row = 0; row < s->groups * s->rows; row++) {
        int64_t group = row / s->rows, down = row % s->rows;
        const word *dy = s->dy + group * s->dy_group + down * s->dy_row, *x = s->x + group * s->x_group + down * s->x_row;
        for (int64_t i = 0; i < s->columns; i++, dy += PIXEL, x += s->stride) {
            vf c[VECTORS];
#pragma GCC unroll 3
            for (int v = 0; v < vectors; v++)
                c[v] = load_row(x + v * s->apart);
#pragma GCC unroll 8
            for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 3
                for (int v = 0; v < vectors; v++)
                    sum[v][r] = add_products(sum[v][r], dy + PAIR * r, c[v]);
        }
    }
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++)
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++)
            store(sums, v * SUMS + r * LANES, LANES, PROTEA_F32, sum[v][r]);
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
static void run_taps(const work *k, float *sums, const word *dy, const word *x, int64_t p)
{
    const protea_conv_dims *d = k->d;
    rows height = outputs_inside(d, p, k->dy_now, k->x_now.from, k->x_now.to);
    int64_t dy_row = d->y.w * PIXEL, x_row = k->x_width * PIXEL, y = height.from * d->stride + p - d->pad - k->x_now.from;
    span s = { .groups = k->groups, .rows = height.to - height.from, .columns = d->y.w, .dy_group = k->band * dy_row,
               .x_group = k->x_rows * x_row, .dy_row = dy_row, .x_row = d->stride * x_row, .stride = d->stride * PIXEL,
               .apart = d->kw > 1 ? PIXEL : x_panel(k) };
    for (int half = 0; half < HALVES && s.rows > 0; half++)
        for (int64_t v = 0; v < k->vectors; v += VECTORS) {
            s.dy = dy + (height.from - k->dy_now.from) * dy_row + half * ROWS * PAIR;
            s.x = x + y * x_row + v * s.apart;
            add_vectors(sums + (half * k->vectors + v) * SUMS, &s, k->vectors - v);
        }
}

/* Tasks of the same channels follow each other: their panel of x stays in cache. */
static void run_task(const work *k, int64_t task)
{
    int64_t outs = k->d->y.c / LANES;
    const word *dy = k->packed_dy + task % outs * dy_panel(k), *x = k->packed_x + task / outs * k->blocks * x_panel(k);
    for (int64_t p = 0; p < k->d->kh; p++)
        run_taps(k, k->sums + task * task_sums(k) + p * HALVES * k->vectors * SUMS, dy, x, p);
}

/* Adds a task's sums to dw (O,C,KH,KW). */
static void add_sums(const work *k, int64_t task)
{
    const protea_conv_dims *d = k->d;
    int64_t outs = d->y.c / LANES, o = task % outs * LANES, c = task / outs * k->blocks * LANES;
    const float *from = k->sums + task * task_sums(k);
    for (int64_t p = 0; p < d->kh; p++)
        for (int64_t half = 0; half < HALVES; half++)
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
    k.groups = least(k.groups, groups_of(k.d->x.n - first));
    pack(&k);
#pragma omp for schedule(static)
    for (int64_t task = 0; task < k.tasks; task++)
        run_task(&k, task);
}

static void backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch)
{
    work k = make_work(d);
    parts p = parts_of(&k);
    k.dy = dy;
    k.x = x;
    k.dw = dw;
    k.packed_dy = scratch;
    k.packed_x = (word *)(void *)((char *)scratch + p.dy);
    k.sums = (float *)(void *)((char *)scratch + p.dy + p.x);
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (int64_t task = 0; task < k.tasks; task++)
            memset(k.sums + task * task_sums(&k), 0, (size_t)task_sums(&k) * sizeof(float));
        for (int64_t first = 0; first < d->x.n; first += PAIR * k.groups)
            for (int64_t from = 0; from < d->y.h; from += k.band)
                run_chunk(k, first, from);
#pragma omp for schedule(static)
        for (int64_t task = 0; task < k.tasks; task++)
            add_sums(&k, task);
    }
}

extern const protea_direct_weights_ops SIMD_NAME(protea_direct_weights);
const protea_direct_weights_ops SIMD_NAME(protea_direct_weights) = {
    .lanes = LANES,
    .scratch = scratch_bytes,
    .backward_weights = backward_weights,
};
