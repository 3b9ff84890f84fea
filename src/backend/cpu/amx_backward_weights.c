/* Gradient of convolution weights on AMX.
 *
 *   dw[o,c,p,q] = sum over pixels k of dy[k,o] * x[pixel k moved by tap (p,q), c]
 *
 * is, for each tap, a product of matrices with the pixels as inner dimension. Pixels are put on a line: sample after
 * sample, row after row, each row with `pitch` places and each sample with `rows` rows, such that a move by a tap is a
 * move along the line, and what falls off a map's edge meets a place that holds zeros. With a stride, x is split into
 * phases (every stride-th row and column), on each of which a tap is again a plain move.
 *
 * A chunk of samples is packed first: dy as rows of one output channel (o, place), x as pairs of places interleaved
 * (c / 16, place / 2, 16, 2), as the tile product wants them. A tap's move is taken by reading dy from another place, so
 * one packed copy of each serves all taps. Then every (32 outputs, 32 channels) task goes over all taps with 2 x 2
 * tiles of sums. Tasks are independent and each adds up its pixels in order: no thread count changes a bit.
 *
 * Why: oneDNN 2.6.3's jit:avx512_core_amx_bf16 does 90 to 1400 GFLOP/s here, least at small maps and strides. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/bf16.h"

enum { TILE = 16, STEP = 32 /* places that one tile product takes */, SIDE = 32 /* outputs and channels of a task */ };
enum { CHUNK_BYTES = 1 << 20 /* of packed x or dy, whichever is wider */, MAX_PHASES = 4, MAX_TAPS = 9 };

/* The line of places, and where everything lies on it. */
typedef struct line {
    int64_t pitch, rows;                /* places of a row, rows of a sample */
    int64_t samples;                    /* of a chunk */
    int64_t places;                     /* of a chunk: a multiple of STEP */
    int64_t margin;                     /* places of zeros before and behind each row of packed dy: a multiple of STEP */
    int64_t dy_pitch;                   /* places of a row of packed dy, margins included */
    int64_t n_phases;
    int64_t phase_y[MAX_PHASES], phase_x[MAX_PHASES];
    int64_t tap_phase[MAX_TAPS], tap_move[MAX_TAPS];
} line;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Finds or adds the phase that holds rows y (mod stride) and columns x. */
static int64_t phase_of(line *l, int64_t y, int64_t x)
{
    int64_t i = 0;
    while (i < l->n_phases && (l->phase_y[i] != y || l->phase_x[i] != x))
        i++;
    if (i == l->n_phases) {
        l->phase_y[i] = y;
        l->phase_x[i] = x;
        l->n_phases++;
    }
    return i;
}

/* Zeros that moves of up to `before` back and `behind` forward need between rows (or samples) of `outputs`. */
static int64_t with_edges(int64_t outputs, int64_t kernel, const protea_conv_dims *d)
{
    int64_t before = -floor_div(-d->pad, d->stride), behind = floor_div(kernel - 1 - d->pad, d->stride);
    return outputs + most(before, most(behind, 0));
}

static line make_line(const protea_conv_dims *d)
{
    line l = { .pitch = with_edges(d->y.w, d->kw, d), .rows = with_edges(d->y.h, d->kh, d) };
    int64_t widest = most(d->x.c, d->y.c) * 2;
    for (int64_t tap = 0; tap < d->kh * d->kw; tap++) {
        int64_t y = tap / d->kw - d->pad, x = tap % d->kw - d->pad;
        int64_t move_y = floor_div(y, d->stride), move_x = floor_div(x, d->stride);
        l.tap_phase[tap] = phase_of(&l, y - move_y * d->stride, x - move_x * d->stride);
        l.tap_move[tap] = move_y * l.pitch + move_x;
        l.margin = most(l.margin, round_up(l.tap_move[tap] < 0 ? -l.tap_move[tap] : l.tap_move[tap], STEP));
    }
    l.samples = least(d->x.n, most(1, CHUNK_BYTES / (widest * l.pitch * l.rows)));
    l.places = round_up(l.samples * l.pitch * l.rows, STEP);
    l.dy_pitch = l.places + 2 * l.margin;
    if (l.dy_pitch / STEP % 2 == 0) /* an odd number of cache lines, so that a tile's rows fall on different sets */
        l.dy_pitch += STEP;
    return l;
}

/* Where the parts of the scratch begin, in bytes. */
typedef struct parts {
    size_t dy, x, sums, all;
} parts;

static parts make_parts(const protea_conv_dims *d, const line *l)
{
    parts p = { 0 };
    p.x = p.dy + (size_t)(d->y.c * l->dy_pitch) * sizeof(protea_bf16);
    p.sums = p.x + (size_t)(l->n_phases * d->x.c * l->places) * sizeof(protea_bf16);
    p.all = p.sums + (size_t)(d->kh * d->kw * d->y.c * d->x.c) * sizeof(float);
    return p;
}

bool protea_amx_backward_weights_takes(const protea_conv_dims *d)
{
    return d->x.dtype == PROTEA_BF16 && d->x.block == d->x.c && d->y.block == d->y.c && d->x.c % SIDE == 0 &&
           d->y.c % SIDE == 0 && d->stride <= 2 && d->kh * d->kw <= MAX_TAPS;
}

size_t protea_amx_backward_weights_scratch(const protea_conv_dims *d)
{
    line l = make_line(d);
    return make_parts(d, &l).all;
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

/* How a map (or a phase of it) lies on the line. */
typedef struct places {
    const protea_bf16 *data;    /* channel 0 of the first pixel of the first sample */
    const protea_map *m;
    int64_t samples, rows, pitch;
    int64_t height, width;      /* of the phase: places that hold pixels */
    int64_t phase_y, phase_x, stride;
} places;

/* The first pixel of a row of the line, or NULL when the whole row holds zeros. */
static const protea_bf16 *row_start(const places *p, int64_t row)
{
    int64_t sample = row / p->rows, y = row % p->rows;
    if (sample >= p->samples || y >= p->height)
        return NULL;
    return p->data + ((sample * p->m->h + y * p->stride + p->phase_y) * p->m->w + p->phase_x) * p->m->c;
}

static __m512i widened(const protea_bf16 *pixel, int64_t c)
{
    return pixel == NULL ? _mm512_setzero_si512()
                         : _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(pixel + c)));
}

/* 16 channels of two neighbour places, interleaved. */
static __m512i pair(const protea_bf16 *first, const protea_bf16 *second, int64_t c)
{
    return _mm512_or_si512(widened(first, c), _mm512_slli_epi32(widened(second, c), 16));
}

/* The pixels at STEP places; NULL: zeros. */
static void find_pixels(const protea_bf16 *pixel[STEP], const places *p, int64_t place)
{
    int64_t row = place / p->pitch, column = place % p->pitch;
    const protea_bf16 *start = row_start(p, row);
    for (int64_t i = 0; i < STEP; i++) {
        pixel[i] = start != NULL && column < p->width ? start + column * p->stride * p->m->c : NULL;
        if (++column == p->pitch) {
            column = 0;
            start = row_start(p, ++row);
        }
    }
}

/* STEP places of x, all channels, to (c / 16, place / 2, 16, 2). */
static void pack_x_step(protea_bf16 *out, const places *p, int64_t place, int64_t n_places)
{
    const protea_bf16 *pixel[STEP];
    find_pixels(pixel, p, place);
    for (int64_t c = 0; c < p->m->c; c += TILE)
        for (int64_t i = 0; i < STEP; i += 2)
            _mm512_storeu_si512(out + c * n_places + (place + i) * TILE, pair(pixel[i], pixel[i + 1], c));
}

/* STEP places of dy, all channels, to (o, place). */
static void pack_dy_step(protea_bf16 *out, const places *p, int64_t place, int64_t dy_pitch)
{
    const protea_bf16 *pixel[STEP];
    __m512i word[TILE];
    find_pixels(pixel, p, place);
    for (int64_t o = 0; o < p->m->c; o += TILE) {
        for (int64_t i = 0; i < TILE; i++)
            word[i] = pair(pixel[2 * i], pixel[2 * i + 1], o);
        transpose(word);
        for (int64_t i = 0; i < TILE; i++)
            _mm512_storeu_si512(out + (o + i) * dy_pitch + place, word[i]);
    }
}

/* What the threads work on. */
typedef struct work {
    const protea_conv_dims *d;
    line l;
    protea_bf16 *dy, *x;
    float *sums; /* (tap, o / 32, c / 32, 2, 2, 16, 16) */
} work;

/* Places of phase `phase` of x that some tap reads for some output. */
static places x_places(const work *k, const protea_bf16 *x, int64_t samples, int64_t phase)
{
    const protea_conv_dims *d = k->d;
    places p = { x, &d->x, samples, k->l.rows, k->l.pitch, 0, 0, k->l.phase_y[phase], k->l.phase_x[phase], d->stride };
    int64_t behind_y = most(0, floor_div(d->kh - 1 - d->pad - p.phase_y, d->stride));
    int64_t behind_x = most(0, floor_div(d->kw - 1 - d->pad - p.phase_x, d->stride));
    p.height = least((d->x.h - p.phase_y + d->stride - 1) / d->stride, d->y.h + behind_y);
    p.width = least((d->x.w - p.phase_x + d->stride - 1) / d->stride, d->y.w + behind_x);
    return p;
}

static void pack(const work *k, const protea_bf16 *dy, const protea_bf16 *x, int64_t samples)
{
    const line *l = &k->l;
    const places dy_map = { dy, &k->d->y, samples, l->rows, l->pitch, k->d->y.h, k->d->y.w, 0, 0, 1 };
    int64_t steps = l->places / STEP;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < steps * (1 + l->n_phases); i++) {
        int64_t what = i / steps, place = i % steps * STEP;
        if (what == 0) {
            pack_dy_step(k->dy + l->margin, &dy_map, place, l->dy_pitch);
        } else {
            places x_map = x_places(k, x, samples, what - 1);
            pack_x_step(k->x + (what - 1) * k->d->x.c * l->places, &x_map, place, l->places);
        }
    }
}

/* Adds one tap's product over all places to 2 x 2 tiles of sums. */
static void multiply(float *sums, const protea_bf16 *dy, int64_t dy_pitch, const protea_bf16 *x, int64_t n_places)
{
    const long dy_stride = (long)dy_pitch * 2, sum_stride = TILE * 4, x_stride = TILE * 4;
    _tile_loadd(0, sums, sum_stride);
    _tile_loadd(1, sums + 256, sum_stride);
    _tile_loadd(2, sums + 512, sum_stride);
    _tile_loadd(3, sums + 768, sum_stride);
    for (int64_t k = 0; k < n_places; k += STEP) {
        _tile_loadd(4, dy + k, dy_stride);
        _tile_loadd(6, x + k * TILE, x_stride);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, x + (n_places + k) * TILE, x_stride);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, dy + TILE * dy_pitch + k, dy_stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, sum_stride);
    _tile_stored(1, sums + 256, sum_stride);
    _tile_stored(2, sums + 512, sum_stride);
    _tile_stored(3, sums + 768, sum_stride);
}

/* All taps of 32 outputs and 32 channels. */
static void run_task(const work *k, int64_t task)
{
    const protea_conv_dims *d = k->d;
    const line *l = &k->l;
    int64_t o = task / (d->x.c / SIDE) * SIDE, c = task % (d->x.c / SIDE) * SIDE, tasks = d->y.c / SIDE * (d->x.c / SIDE);
    for (int64_t tap = 0; tap < d->kh * d->kw; tap++) {
        const protea_bf16 *x = k->x + (l->tap_phase[tap] * d->x.c + c) * l->places;
        const protea_bf16 *dy = k->dy + o * l->dy_pitch + l->margin - l->tap_move[tap];
        multiply(k->sums + (tap * tasks + task) * SIDE * SIDE, dy, l->dy_pitch, x, l->places);
    }
}

/* Adds the sums to dw (O,C,KH,KW). */
static void add_sums(float *dw, const work *k, int64_t task)
{
    const protea_conv_dims *d = k->d;
    int64_t o = task / (d->x.c / SIDE) * SIDE, c = task % (d->x.c / SIDE) * SIDE, tasks = d->y.c / SIDE * (d->x.c / SIDE);
    int64_t taps = d->kh * d->kw;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t i = 0; i < SIDE * SIDE; i++) {
            int64_t tile = i / 256, row = i / TILE % TILE, column = i % TILE;
            int64_t at = ((o + tile / 2 * TILE + row) * d->x.c + c + tile % 2 * TILE + column) * taps + tap;
            dw[at] += k->sums[(tap * tasks + task) * SIDE * SIDE + i];
        }
}

/* All eight tile registers: 16 rows of 64 bytes. */
static void configure_tiles(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = { .palette = 1 };
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = TILE;
    }
    _tile_loadconfig(&config);
}

void protea_amx_backward_weights(float *dw, const void *dy, const void *x, const protea_conv_dims *d, void *scratch)
{
    work k = { .d = d, .l = make_line(d) };
    parts p = make_parts(d, &k.l);
    int64_t tasks = d->y.c / SIDE * (d->x.c / SIDE);
    k.dy = (protea_bf16 *)((char *)scratch + p.dy);
    k.x = (protea_bf16 *)((char *)scratch + p.x);
    k.sums = (float *)(void *)((char *)scratch + p.sums);
    memset(k.dy, 0, p.x - p.dy);
    memset(k.sums, 0, p.all - p.sums);
#pragma omp parallel
    {
        configure_tiles();
        for (int64_t n = 0; n < d->x.n; n += k.l.samples) {
            pack(&k, (const protea_bf16 *)dy + n * d->y.h * d->y.w * d->y.c, (const protea_bf16 *)x + n * d->x.h * d->x.w * d->x.c,
                 least(k.l.samples, d->x.n - n));
#pragma omp for schedule(static)
            for (int64_t task = 0; task < tasks; task++)
                run_task(&k, task);
        }
        _tile_release();
#pragma omp for schedule(static)
        for (int64_t task = 0; task < tasks; task++)
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
