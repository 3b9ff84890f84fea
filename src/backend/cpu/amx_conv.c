/* Convolution forward and backward-data on AMX.
 *
 * A tile's rows are 16 samples at one and the same pixel. So for each pixel of the result, each tap that meets the map is
 * one product (samples x inputs)(inputs x outputs), and taps that fall off the edge are not computed at all, which on
 * small maps is a third of the work. Strides cost nothing, and backward-data is the same with the links turned round:
 *   forward        y[i]  = sum over taps p of x[i*stride + p - pad] w[p]
 *   backward-data  dx[y] = sum over taps p of dy[i] w[p]^T where i*stride + p - pad = y
 * Here `inputs` are the channels summed over, `outputs` those of the result, whichever pass it is.
 *
 * A thread takes 32 samples at a time, and of their maps a band of rows that fits into the second-level cache: it packs what
 * the band reads as (pixel, inputs / 32, 32 samples, 32) and goes over all outputs, 32 at a time, and the band's pixels
 * with 2 x 2 tiles of sums. No thread count changes a bit. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include <string.h>

#include "backend/bf16.h"
#include "backend/cpu/amx_tiles.h"
#include "base/parallel.h"

enum { SIDE = 32 /* samples and outputs of 2 x 2 tiles */, MAX_TAPS = 9, BAND_BYTES = 1 << 20 };

/* The pass as one problem. */
typedef struct problem {
    const protea_conv_dims *d;
    bool forward;
    const protea_map *in, *out;     /* maps that are read and written */
    const protea_bf16 *x;
    protea_bf16 *y;
    protea_bf16 *w;                 /* packed: (tap, outputs / 16, inputs / 32, 16 pairs of inputs, 16, 2) */
    int64_t band;                   /* rows of the result that are done at a time */
} problem;

/* Rows [from, to) of a map. */
typedef struct rows {
    int64_t from, to;
} rows;

/* A pixel of the map read, and the tap that leads there. */
typedef struct links {
    int n;
    int64_t pixel[MAX_TAPS], tap[MAX_TAPS];
} links;

/* Rows that the result's rows [from, to) read; may be empty. */
static rows rows_read(const problem *k, int64_t from, int64_t to)
{
    const protea_conv_dims *d = k->d;
    int64_t first = from * d->stride - d->pad, last = (to - 1) * d->stride - d->pad + d->kh - 1;
    if (!k->forward) {
        int64_t above = from + d->pad - d->kh + 1; /* rounded up */
        first = above <= 0 ? 0 : (above + d->stride - 1) / d->stride;
        last = (to - 1 + d->pad) / d->stride;
    }
    return (rows){ first < 0 ? 0 : first, last < k->in->h ? last + 1 : k->in->h };
}

static int64_t row_words(const problem *k)
{
    return k->in->w * k->in->c * SIDE;
}

/* Room for what any band reads. */
static int64_t band_words(const problem *k)
{
    int64_t most = 0;
    for (int64_t from = 0; from < k->out->h; from += k->band) {
        rows r = rows_read(k, from, from + k->band < k->out->h ? from + k->band : k->out->h);
        most = r.to - r.from > most ? r.to - r.from : most;
    }
    return most * row_words(k);
}

static problem make_problem(const protea_conv_dims *d, protea_conv_pass pass)
{
    bool forward = pass == PROTEA_CONV_FORWARD;
    problem k = { .d = d, .forward = forward, .in = forward ? &d->x : &d->y, .out = forward ? &d->y : &d->x };
    k.band = k.out->h;
    while (k.band > 1 && band_words(&k) * (int64_t)sizeof(protea_bf16) > BAND_BYTES)
        k.band = (k.band + 1) / 2;
    return k;
}

/* Position read for result position `at` through tap `tap`, or -1. */
static int64_t source(const problem *k, int64_t at, int64_t tap, int64_t size)
{
    int64_t from = k->forward ? at * k->d->stride + tap - k->d->pad : at + k->d->pad - tap;
    if (!k->forward) {
        if (from < 0 || from % k->d->stride != 0)
            return -1;
        from /= k->d->stride;
    }
    return from >= 0 && from < size ? from : -1;
}

static links links_of(const problem *k, int64_t pixel)
{
    links l = { .n = 0 };
    for (int64_t p = 0; p < k->d->kh; p++)
        for (int64_t q = 0; q < k->d->kw; q++) {
            int64_t y = source(k, pixel / k->out->w, p, k->in->h), x = source(k, pixel % k->out->w, q, k->in->w);
            if (y < 0 || x < 0)
                continue;
            l.pixel[l.n] = y * k->in->w + x;
            l.tap[l.n++] = p * k->d->kw + q;
        }
    return l;
}

bool protea_amx_conv_takes(const protea_conv_dims *d)
{
    return d->x.dtype == PROTEA_BF16 && d->x.block == d->x.c && d->y.block == d->y.c && d->x.c % SIDE == 0 &&
           d->y.c % SIDE == 0 && d->kh * d->kw <= MAX_TAPS && d->x.n >= SIDE * protea_threads();
}

static int64_t weight_words(const protea_conv_dims *d)
{
    return d->kh * d->kw * d->x.c * d->y.c;
}

size_t protea_amx_conv_scratch(const protea_conv_dims *d, protea_conv_pass pass)
{
    problem k = make_problem(d, pass);
    return (size_t)(weight_words(d) + band_words(&k) * protea_threads()) * sizeof(protea_bf16);
}

/* One tile of weights for every tap: 32 inputs from `in` on, 16 outputs from `out` on. */
static void pack_weights(const problem *k, const float *w, int64_t in, int64_t out)
{
    const protea_conv_dims *d = k->d;
    int64_t taps = d->kh * d->kw, tile = out / TILE * (k->in->c / STEP) + in / STEP;
    int64_t in_stride = (k->forward ? 1 : d->x.c) * taps, out_stride = (k->forward ? d->x.c : 1) * taps;
    int64_t tap_words = d->x.c * d->y.c;
    for (int64_t i = 0; i < STEP; i++)
        for (int64_t o = 0; o < TILE; o++) {
            const float *from = w + (in + i) * in_stride + (out + o) * out_stride;
            protea_bf16 *to = k->w + tile * TILE_WORDS + (i / 2 * TILE + o) * 2 + i % 2;
            for (int64_t tap = 0; tap < taps; tap++)
                to[tap * tap_words] = protea_f32_to_bf16(from[tap]);
        }
}

/* Rows of `samples` samples from `first` on; the rest of the 32 are zeros. */
static void pack_samples(protea_bf16 *packed, const problem *k, rows r, int64_t first, int64_t samples)
{
    int64_t row = k->in->w * k->in->c / STEP, pieces = (r.to - r.from) * row; /* pieces: 32 inputs of a pixel */
    for (int64_t s = 0; s < SIDE; s++) {
        const protea_bf16 *from = k->x + ((first + s) * k->in->h + r.from) * row * STEP;
        for (int64_t i = 0; i < pieces; i++)
            _mm512_store_si512(packed + (i * SIDE + s) * STEP,
                               s < samples ? _mm512_loadu_si512(from + i * STEP) : _mm512_setzero_si512());
    }
}

/* Adds one tap's products over all inputs to the tiles of sums 0 to 3. */
static void multiply(const protea_bf16 *x, const protea_bf16 *w, int64_t steps)
{
    const protea_bf16 *w1 = w + steps * TILE_WORDS;
    for (int64_t i = 0; i < steps; i++) {
        _tile_loadd(4, x + 2 * i * TILE_WORDS, 64);
        _tile_loadd(6, w + i * TILE_WORDS, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, w1 + i * TILE_WORDS, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x + (2 * i + 1) * TILE_WORDS, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

/* Writes the sums, rounded to bf16, to a pixel of `samples` samples: 32 outputs from y on. */
static void store_sums(protea_bf16 *y, int64_t sample_stride, int64_t samples)
{
    _Alignas(64) float sums[2][2][TILE][TILE]; /* (half of the samples, half of the outputs, sample, output) */
    _tile_stored(0, sums[0][0], TILE * 4);
    _tile_stored(1, sums[0][1], TILE * 4);
    _tile_stored(2, sums[1][0], TILE * 4);
    _tile_stored(3, sums[1][1], TILE * 4);
    for (int64_t s = 0; s < samples; s++) {
        __m512 low = _mm512_load_ps(sums[s / TILE][0][s % TILE]), high = _mm512_load_ps(sums[s / TILE][1][s % TILE]);
        _mm512_storeu_si512(y + s * sample_stride, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
}

/* The result's pixels [from, to) of one block of 32 samples. packed: rows from `top` on of the map that is read. */
static void run_pixels(const problem *k, const protea_bf16 *packed, int64_t top, int64_t first, int64_t samples, int64_t from,
                       int64_t to)
{
    int64_t pixels = k->out->h * k->out->w, steps = k->in->c / STEP, tap_words = k->in->c * k->out->c;
    for (int64_t out = 0; out < k->out->c; out += SIDE)
        for (int64_t pixel = from; pixel < to; pixel++) {
            links l = links_of(k, pixel);
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            for (int i = 0; i < l.n; i++)
                multiply(packed + (l.pixel[i] - top * k->in->w) * k->in->c * SIDE,
                         k->w + l.tap[i] * tap_words + out * k->in->c, steps);
            store_sums(k->y + (first * pixels + pixel) * k->out->c + out, pixels * k->out->c, samples);
        }
}

static void run_block(const problem *k, protea_bf16 *packed, int64_t first, int64_t samples)
{
    for (int64_t from = 0; from < k->out->h; from += k->band) {
        int64_t to = from + k->band < k->out->h ? from + k->band : k->out->h;
        rows r = rows_read(k, from, to);
        pack_samples(packed, k, r, first, samples);
        run_pixels(k, packed, r.from, first, samples, from * k->out->w, to * k->out->w);
    }
}

static void run(problem *k, const float *w, void *scratch)
{
    int64_t blocks = (k->in->n + SIDE - 1) / SIDE, tiles = k->in->c / STEP * (k->out->c / TILE);
    protea_bf16 *packed = (protea_bf16 *)scratch + weight_words(k->d);
    k->w = scratch;
#pragma omp parallel
    {
        protea_bf16 *own = packed + protea_thread_index() * band_words(k);
        configure_tiles();
#pragma omp for schedule(static)
        for (int64_t i = 0; i < tiles; i++)
            pack_weights(k, w, i % (k->in->c / STEP) * STEP, i / (k->in->c / STEP) * TILE);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks; i++) {
            int64_t first = i * SIDE, samples = k->in->n - first < SIDE ? k->in->n - first : SIDE;
            run_block(k, own, first, samples);
        }
        _tile_release();
    }
}

void protea_amx_conv_forward(void *y, const void *x, const float *w, const protea_conv_dims *d, void *scratch)
{
    problem k = make_problem(d, PROTEA_CONV_FORWARD);
    k.x = x;
    k.y = y;
    run(&k, w, scratch);
}

void protea_amx_conv_backward_data(void *dx, const void *dy, const float *w, const protea_conv_dims *d, void *scratch)
{
    problem k = make_problem(d, PROTEA_CONV_BACKWARD_DATA);
    k.x = dy;
    k.y = dx;
    run(&k, w, scratch);
}

#else

bool protea_amx_conv_takes(const protea_conv_dims *d)
{
    (void)d;
    return false;
}

size_t protea_amx_conv_scratch(const protea_conv_dims *d, protea_conv_pass pass)
{
    (void)d, (void)pass;
    return 0;
}

void protea_amx_conv_forward(void *y, const void *x, const float *w, const protea_conv_dims *d, void *scratch)
{
    (void)y, (void)x, (void)w, (void)d, (void)scratch;
}

void protea_amx_conv_backward_data(void *dx, const void *dy, const float *w, const protea_conv_dims *d, void *scratch)
{
    (void)dx, (void)dy, (void)w, (void)d, (void)scratch;
}

#endif
