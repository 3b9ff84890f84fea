/* Gradient of convolution weights on AMX.
 *
 *   dw[o,c,p,q] = sum over samples n and output pixels i of dy[n,i,o] * x[n, i*stride + (p,q) - pad, c]
 *
 * The inner dimension of a tile product is 32 samples at one output pixel and the input pixel that a tap leads to: pairs
 * of pixels that fall off the edge are not computed at all, and strides cost nothing.
 *
 * The batch is taken in chunks: some groups of 32 samples, of their maps a band of rows. A chunk is packed by all threads
 * as the tile product wants it: dy as (o / 32, group, pixel, 2, 16 outputs, 32 samples), x as (c / 32, group, pixel, 2,
 * 16 pairs of samples, 16 channels, 2). Then every (32 outputs, 32 channels) task goes over all taps with 2 x 2 tiles of
 * sums. Tasks are independent and each adds up its products in order: no thread count changes a bit. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/bf16.h"
#include "backend/cpu/amx_tiles.h"
#include "backend/cpu/weights_rows.h"

enum {
    SIDE = 32,                      /* outputs and channels of a task, and samples of a group */
    PAIR_WORDS = 2 * TILE_WORDS,    /* bf16 of a packed pixel of a group: 32 samples, 32 channels */
    SUM_WORDS = SIDE * SIDE,
    CHUNK_BYTES = 2 << 20,          /* of packed dy, about */
    CHUNK_PIXELS = 256,             /* of one panel, over all groups, about: two panels stay in the second-level cache */
    MAX_TAPS = 9
};

/* What the threads work on. */
typedef struct work {
    const protea_conv_dims *d;
    const protea_bf16 *dy, *x;
    int64_t groups, band;           /* of a chunk: groups of samples, rows of dy */
    int64_t x_rows;                 /* the most rows of x that a band meets */
    int64_t tasks;
    protea_bf16 *packed_dy, *packed_x;
    float *sums;                    /* (tap, o / 32, c / 32, 2, 2, 16, 16) */
    int64_t first;                  /* this chunk: its first sample, */
    rows dy_now, x_now;             /* its rows */
} work;

static work make_work(const protea_conv_dims *d)
{
    work k = { .d = d, .groups = 1, .band = d->y.h, .tasks = d->y.c / SIDE * (d->x.c / SIDE) };
    int64_t pixels = least(CHUNK_PIXELS, most(1, CHUNK_BYTES / (most(d->x.c, d->y.c) * SIDE * 2)));
    if (d->y.h * d->y.w <= pixels)
        k.groups = least(pixels / (d->y.h * d->y.w), (d->x.n + SIDE - 1) / SIDE);
    else
        k.band = most(1, pixels / d->y.w);
    k.x_rows = most_rows_met(d, k.band);
    return k;
}

/* Packed pixels of a panel (32 channels) in a chunk. */
static int64_t dy_pixels(const work *k)
{
    return k->groups * k->band * k->d->y.w;
}

static int64_t x_pixels(const work *k)
{
    return k->groups * k->x_rows * k->d->x.w;
}

/* Bytes of the parts of the scratch. */
typedef struct parts {
    size_t dy, x, sums;
} parts;

static parts parts_of(const work *k)
{
    const protea_conv_dims *d = k->d;
    return (parts){ (size_t)(d->y.c / SIDE * dy_pixels(k) * PAIR_WORDS) * sizeof(protea_bf16),
                    (size_t)(d->x.c / SIDE * x_pixels(k) * PAIR_WORDS) * sizeof(protea_bf16),
                    (size_t)(d->kh * d->kw * k->tasks * SUM_WORDS) * sizeof(float) };
}

bool protea_amx_backward_weights_takes(const protea_conv_dims *d)
{
    return d->x.dtype == PROTEA_BF16 && d->x.block == d->x.c && d->y.block == d->y.c && d->x.c % SIDE == 0 &&
           d->y.c % SIDE == 0 && d->kh * d->kw <= MAX_TAPS && d->x.n >= SIDE;
}

size_t protea_amx_backward_weights_scratch(const protea_conv_dims *d)
{
    work k = make_work(d);
    parts p = parts_of(&k);
    return p.dy + p.x + p.sums;
}

/* Transposes 16 x 16 words of 32 bits. */
static void transpose(__m512i r[TILE])
{
    __m512i t[TILE];
    for (int i = 0; i < TILE; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < TILE; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

/* 32 channels at one pixel of 32 samples (those from `samples` on count as zeros), `stride` elements apart: 16 words of
 * two neighbour samples for channels 0 to 15 and for 16 to 31. */
static void load_pairs(__m512i low[TILE], __m512i high[TILE], const protea_bf16 *from, int64_t stride, int64_t samples)
{
    for (int64_t i = 0; i < TILE; i++) {
        __m512i a = 2 * i < samples ? _mm512_loadu_si512(from + 2 * i * stride) : _mm512_setzero_si512();
        __m512i b = 2 * i + 1 < samples ? _mm512_loadu_si512(from + (2 * i + 1) * stride) : _mm512_setzero_si512();
        __m512i b_low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(b));
        __m512i b_high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(b, 1));
        low[i] = _mm512_or_si512(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(a)), _mm512_slli_epi32(b_low, 16));
        high[i] = _mm512_or_si512(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(a, 1)), _mm512_slli_epi32(b_high, 16));
    }
}

static void store_tile(protea_bf16 *to, const __m512i word[TILE])
{
    for (int i = 0; i < TILE; i++)
        _mm512_store_si512(to + i * STEP, word[i]);
}

/* All channels of one pixel of one group. to: the pixel in the first panel. */
static void pack_pixel(protea_bf16 *to, int64_t panel_words, const protea_map *m, const protea_bf16 *from, int64_t samples,
                       bool transposed)
{
    __m512i low[TILE], high[TILE];
    for (int64_t c = 0; c < m->c; c += SIDE) {
        load_pairs(low, high, from + c, m->h * m->w * m->c, samples);
        if (transposed) {
            transpose(low);
            transpose(high);
        }
        store_tile(to + c / SIDE * panel_words, low);
        store_tile(to + c / SIDE * panel_words + TILE_WORDS, high);
    }
}

/* Row `item` of the chunk: rows of dy of all groups, then rows of x. */
static void pack_row(const work *k, int64_t item)
{
    const protea_conv_dims *d = k->d;
    int64_t dy_height = k->dy_now.to - k->dy_now.from, x_height = k->x_now.to - k->x_now.from;
    bool is_dy = item < k->groups * dy_height;
    item -= is_dy ? 0 : k->groups * dy_height;
    const protea_map *m = is_dy ? &d->y : &d->x;
    int64_t height = is_dy ? dy_height : x_height, room = is_dy ? k->band : k->x_rows;
    int64_t group = item / height, row = item % height, y = row + (is_dy ? k->dy_now.from : k->x_now.from);
    int64_t first = k->first + group * SIDE, samples = least(SIDE, m->n - first);
    const protea_bf16 *from = (is_dy ? k->dy : k->x) + (first * m->h + y) * m->w * m->c;
    protea_bf16 *to = (is_dy ? k->packed_dy : k->packed_x) + (group * room + row) * m->w * PAIR_WORDS;
    if (!is_dy && !is_met(d, y, d->kh))
        return;
    for (int64_t i = 0; i < m->w; i++)
        if (is_dy || is_met(d, i, d->kw))
            pack_pixel(to + i * PAIR_WORDS, (is_dy ? dy_pixels(k) : x_pixels(k)) * PAIR_WORDS, m, from + i * m->c, samples, is_dy);
}

static void pack(const work *k)
{
    int64_t items = k->groups * (k->dy_now.to - k->dy_now.from + k->x_now.to - k->x_now.from);
#pragma omp for schedule(static)
    for (int64_t item = 0; item < items; item++)
        pack_row(k, item);
}

/* Adds the products of `count` pixels in a row to the tiles of sums 0 to 3. */
static void multiply(const protea_bf16 *dy, const protea_bf16 *x, int64_t stride, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        _tile_loadd(4, dy + i * PAIR_WORDS, 64);
        _tile_loadd(6, x + i * stride * PAIR_WORDS, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, x + i * stride * PAIR_WORDS + TILE_WORDS, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, dy + i * PAIR_WORDS + TILE_WORDS, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

/* One tap of 32 outputs and 32 channels, over the chunk. dy, x: their panels. */
static void run_tap(const work *k, float *sums, const protea_bf16 *dy, const protea_bf16 *x, int64_t p, int64_t q)
{
    const protea_conv_dims *d = k->d;
    rows height = outputs_inside(d, p, k->dy_now, k->x_now.from, k->x_now.to);
    rows width = outputs_inside(d, q, (rows){ 0, d->y.w }, 0, d->x.w);
    int64_t left = width.from * d->stride + q - d->pad;
    _tile_loadd(0, sums, TILE * 4);
    _tile_loadd(1, sums + 256, TILE * 4);
    _tile_loadd(2, sums + 512, TILE * 4);
    _tile_loadd(3, sums + 768, TILE * 4);
    for (int64_t group = 0; group < k->groups; group++)
        for (int64_t i = height.from; i < height.to; i++) {
            int64_t y = i * d->stride + p - d->pad - k->x_now.from;
            multiply(dy + ((group * k->band + i - k->dy_now.from) * d->y.w + width.from) * PAIR_WORDS,
                     x + ((group * k->x_rows + y) * d->x.w + left) * PAIR_WORDS, d->stride, width.to - width.from);
        }
    _tile_stored(0, sums, TILE * 4);
    _tile_stored(1, sums + 256, TILE * 4);
    _tile_stored(2, sums + 512, TILE * 4);
    _tile_stored(3, sums + 768, TILE * 4);
}

static void run_task(const work *k, int64_t task)
{
    const protea_conv_dims *d = k->d;
    const protea_bf16 *dy = k->packed_dy + task / (d->x.c / SIDE) * dy_pixels(k) * PAIR_WORDS;
    const protea_bf16 *x = k->packed_x + task % (d->x.c / SIDE) * x_pixels(k) * PAIR_WORDS;
    for (int64_t tap = 0; tap < d->kh * d->kw; tap++)
        run_tap(k, k->sums + (tap * k->tasks + task) * SUM_WORDS, dy, x, tap / d->kw, tap % d->kw);
}

/* Adds a task's sums to dw (O,C,KH,KW). */
static void add_sums(float *dw, const work *k, int64_t task)
{
    const protea_conv_dims *d = k->d;
    int64_t o = task / (d->x.c / SIDE) * SIDE, c = task % (d->x.c / SIDE) * SIDE, taps = d->kh * d->kw;
    for (int64_t i = 0; i < SUM_WORDS; i++) {
        int64_t tile = i / 256, row = i / TILE % TILE, column = i % TILE;
        float *to = dw + ((o + tile / 2 * TILE + row) * d->x.c + c + tile % 2 * TILE + column) * taps;
        for (int64_t tap = 0; tap < taps; tap++)
            to[tap] += k->sums[(tap * k->tasks + task) * SUM_WORDS + i];
    }
}

/* One chunk, by all threads of the parallel region. */
static void run_chunk(work k, int64_t first, int64_t from)
{
    k.first = first;
    k.dy_now = (rows){ from, least(from + k.band, k.d->y.h) };
    k.x_now = rows_met(k.d, k.dy_now);
    k.groups = least(k.groups, (k.d->x.n - first + SIDE - 1) / SIDE);
    pack(&k);
#pragma omp for schedule(static)
    for (int64_t task = 0; task < k.tasks; task++)
        run_task(&k, task);
}

void protea_amx_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch)
{
    work k = make_work(d);
    parts p = parts_of(&k);
    k.dy = dy;
    k.x = x;
    k.packed_dy = scratch;
    k.packed_x = (protea_bf16 *)(void *)((char *)scratch + p.dy);
    k.sums = (float *)(void *)((char *)scratch + p.dy + p.x);
#pragma omp parallel
    {
        configure_tiles();
#pragma omp for schedule(static)
        for (int64_t i = 0; i < d->kh * d->kw * k.tasks; i++)
            memset(k.sums + i * SUM_WORDS, 0, SUM_WORDS * sizeof(float));
        for (int64_t first = 0; first < d->x.n; first += k.groups * SIDE)
            for (int64_t from = 0; from < d->y.h; from += k.band)
                run_chunk(k, first, from);
        _tile_release();
#pragma omp for schedule(static)
        for (int64_t task = 0; task < k.tasks; task++)
            add_sums(dw, &k, task);
    }
}

bool protea_amx_open(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    unsigned a, b, c, d;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    bool amx_bf16 = d >> 22 & 1, amx_tile = d >> 24 & 1;
    return amx_bf16 && amx_tile && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

#else

bool protea_amx_open(void)
{
    return false;
}

bool protea_amx_backward_weights_takes(const protea_conv_dims *d)
{
    (void)d;
    return false;
}

size_t protea_amx_backward_weights_scratch(const protea_conv_dims *d)
{
    (void)d;
    return 0;
}

void protea_amx_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch)
{
    (void)dw, (void)dy, (void)x, (void)d, (void)scratch;
}

#endif
