/* Batch-norm's sums: bn_stats and bn_backward_reduce.
 *
 * The samples of a group are split into up to PARTS parts, whatever the number of threads; each part keeps its sums in f64, and
 * parts are combined in order: any thread count gives equal bits. Inside a part, f32 sums run over windows of WINDOW to
 * 2 WINDOW rows. For statistics they are of x - pivot, the pivot being the window's first row, so that a mean far from
 * zero costs no digits; windows and parts merge by Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm
 * for computing sample variances". Channels go in chunks of up to CHUNK, for which the sums have room: whole blocks, or a piece of
 * one. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/fill.h"
#include "backend/cpu/simd_strips.h"

enum { WINDOW = 256, CHUNK = PROTEA_SUM_CHUNK, PARTS = PROTEA_SUM_PARTS };

/* What one call works on; y, dy, mean, scale, shift are bn_backward_reduce's. */
typedef struct sums {
    const void *x, *y, *dy;
    const float *mean, *scale, *shift;
    const protea_map *m;
    const protea_groups *g;
    protea_act act;
    int64_t group, channel, count; /* now: this group, `count` channels from `channel` on: a chunk, or its piece of one block */
} sums;

/* f32 sums over the rows of a window: of x - pivot and its square, or of dz and dz * (x - mean). */
typedef struct window {
    float pivot[CHUNK], first[CHUNK], second[CHUNK];
    int64_t rows;
} window;

/* Samples of the group, and the i-th of them. */
static int64_t group_size(const sums *k)
{
    return k->m->n / k->g->groups;
}

static int64_t group_sample(const sums *k, int64_t i)
{
    return (i / k->g->run * k->g->groups + k->group) * k->g->run + i % k->g->run;
}

/* Element of the first channel of the chunk in row 0 of sample n. */
static int64_t chunk_start(const sums *k, int64_t n)
{
    const protea_map *m = k->m;
    int64_t slab = n * (m->c / m->block) + k->channel / m->block;
    return slab * m->h * m->w * m->block + k->channel % m->block;
}

/* s.at: the strip in the first row; s.first: its place in the chunk. */
SIMD_INLINE void add_deviations(const sums *k, window *w, const strip *s, int64_t rows, protea_dtype dtype, int vectors,
                                int64_t lanes)
{
    vf pivot[VECTORS], sum[VECTORS], squares[VECTORS];
    load_vectors(pivot, w->pivot, s->first, vectors, lanes);
    load_vectors(sum, w->first, s->first, vectors, lanes);
    load_vectors(squares, w->second, s->first, vectors, lanes);
    for (int64_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) {
            vf off = load(k->x, s->at + row * k->m->block + v * LANES, lanes, dtype) - pivot[v];
            sum[v] += off;
            squares[v] += off * off;
        }
    for (int v = 0; v < vectors; v++) {
        store(w->first, s->first + v * LANES, lanes, PROTEA_F32, sum[v]);
        store(w->second, s->first + v * LANES, lanes, PROTEA_F32, squares[v]);
    }
}

typedef enum mask { MASK_NONE, MASK_OUTPUT, MASK_RECOMPUTE } mask;

SIMD_INLINE void add_gradients(const sums *k, window *w, const strip *s, int64_t rows, protea_dtype dtype, mask how,
                               int vectors, int64_t lanes)
{
    vf mean[VECTORS], sum[VECTORS], sum_x[VECTORS], scale[VECTORS] = { 0 }, shift[VECTORS] = { 0 };
    int64_t coefficient = k->group * k->m->c + k->channel + s->first;
    load_vectors(mean, k->mean, coefficient, vectors, lanes);
    load_vectors(sum, w->first, s->first, vectors, lanes);
    load_vectors(sum_x, w->second, s->first, vectors, lanes);
    if (how == MASK_RECOMPUTE) {
        load_vectors(scale, k->scale, coefficient, vectors, lanes);
        load_vectors(shift, k->shift, coefficient, vectors, lanes);
    }
    for (int64_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) {
            int64_t i = s->at + row * k->m->block + v * LANES;
            vf x = load(k->x, i, lanes, dtype), dz = load(k->dy, i, lanes, dtype);
            if (how == MASK_OUTPUT)
                dz = choose(load(k->y, i, lanes, dtype) > 0, dz, (vf){ 0 });
            if (how == MASK_RECOMPUTE)
                dz = choose(x * scale[v] + shift[v] > 0, dz, (vf){ 0 });
            sum[v] += dz;
            sum_x[v] += dz * (x - mean[v]);
        }
    for (int v = 0; v < vectors; v++) {
        store(w->first, s->first + v * LANES, lanes, PROTEA_F32, sum[v]);
        store(w->second, s->first + v * LANES, lanes, PROTEA_F32, sum_x[v]);
    }
}

static void add_span_stats(const sums *k, window *w, const strip *s, int64_t rows)
{
    if (k->m->dtype == PROTEA_BF16)
        STRIP_SIZED(s, add_deviations, k, w, s, rows, PROTEA_BF16);
    else
        STRIP_SIZED(s, add_deviations, k, w, s, rows, PROTEA_F32);
}

SIMD_INLINE void add_masked(const sums *k, window *w, const strip *s, int64_t rows, protea_dtype dtype)
{
    if (k->act == PROTEA_LINEAR)
        STRIP_SIZED(s, add_gradients, k, w, s, rows, dtype, MASK_NONE);
    else if (k->y != NULL)
        STRIP_SIZED(s, add_gradients, k, w, s, rows, dtype, MASK_OUTPUT);
    else
        STRIP_SIZED(s, add_gradients, k, w, s, rows, dtype, MASK_RECOMPUTE);
}

static void add_span_gradients(const sums *k, window *w, const strip *s, int64_t rows)
{
    if (k->m->dtype == PROTEA_BF16)
        add_masked(k, w, s, rows, PROTEA_BF16);
    else
        add_masked(k, w, s, rows, PROTEA_F32);
}

/* Takes (mean, sum of squared deviations) of b's rows into those of a's, channel by channel. */
static void merge(protea_moments *a, const protea_moments *b, int64_t count)
{
    double total = a->rows + b->rows;
    if (b->rows == 0)
        return;
    double share = b->rows / total, cross = a->rows * share;
    for (int64_t c = 0; c < count; c++) {
        double apart = b->first[c] - a->first[c];
        a->first[c] += apart * share;
        a->second[c] += b->second[c] + apart * apart * cross;
    }
    a->rows = total;
}

static void flush_stats(protea_moments *part, window *w, int64_t count)
{
    double rows = (double)w->rows, total = part->rows + rows, share = rows / total, cross = part->rows * share;
    for (int64_t c = 0; c < count; c++) {
        double from_pivot = (double)w->first[c] / rows;
        double squares = (double)w->second[c] - from_pivot * (double)w->first[c];
        double apart = (double)w->pivot[c] + from_pivot - part->first[c];
        part->first[c] += apart * share;
        part->second[c] += squares + apart * apart * cross;
    }
    part->rows = total;
}

static void flush_gradients(protea_moments *part, window *w, int64_t count)
{
    for (int64_t c = 0; c < count; c++) {
        part->first[c] += (double)w->first[c];
        part->second[c] += (double)w->second[c];
    }
}

/* The two kinds of sums differ in how a span is added and a window is flushed. */
typedef struct kind {
    void (*add)(const sums *k, window *w, const strip *s, int64_t rows);
    void (*flush)(protea_moments *part, window *w, int64_t count);
} kind;
static const kind statistics = { add_span_stats, flush_stats }, gradients = { add_span_gradients, flush_gradients };

static void start_window(const sums *k, window *w, int64_t at)
{
    memset(w->first, 0, (size_t)k->count * sizeof(float));
    memset(w->second, 0, (size_t)k->count * sizeof(float));
    w->rows = 0;
    for (int64_t c = 0, lanes; c < k->count; c += lanes) {
        lanes = k->count - c < LANES ? k->count - c : LANES;
        store(w->pivot, c, lanes, PROTEA_F32, load(k->x, at + c, lanes, k->m->dtype));
    }
}

static void add_span(const sums *k, const kind *how, window *w, int64_t at, int64_t rows)
{
    for (int64_t c = 0, length; c < k->count; c += length) {
        length = strip_length(k->count - c);
        how->add(k, w, &(strip){ at + c, c, length }, rows);
    }
    w->rows += rows;
}

/* Samples [from, to) of the group. */
static void sum_part(const sums *k, const kind *how, protea_moments *part, int64_t from, int64_t to)
{
    window w = { .rows = 0 };
    int64_t rows = k->m->h * k->m->w;
    part->rows = 0;
    memset(part->first, 0, (size_t)k->count * sizeof(double));
    memset(part->second, 0, (size_t)k->count * sizeof(double));
    for (int64_t i = from; i < to; i++)
        for (int64_t row = 0; row < rows; row += WINDOW) {
            int64_t at = chunk_start(k, group_sample(k, i)) + row * k->m->block;
            if (w.rows == 0)
                start_window(k, &w, at);
            add_span(k, how, &w, at, rows - row < WINDOW ? rows - row : WINDOW);
            if (w.rows >= WINDOW) {
                how->flush(part, &w, k->count);
                w.rows = 0;
            }
        }
    if (w.rows > 0)
        how->flush(part, &w, k->count);
}

/* How the chunk k is shared out: each part of the samples, each piece of a block. */
typedef struct shares {
    int64_t parts, pieces;
} shares;

static shares shares_of(const sums *k)
{
    int64_t samples = group_size(k), block = k->m->block;
    return (shares){ samples < PARTS ? samples : PARTS, k->count > block ? k->count / block : 1 };
}

/* One share's sums to their place among the parts'; rows are a part's, so one of its pieces tells them. */
static void sum_share(const sums *chunk, const kind *how, protea_moments *parts, shares s, int64_t share)
{
    protea_moments sum;
    sums piece = *chunk;
    int64_t part = share / s.pieces, at = share % s.pieces * chunk->m->block, samples = group_size(chunk);
    piece.count = chunk->count / s.pieces;
    piece.channel += at;
    sum_part(&piece, how, &sum, samples * part / s.parts, samples * (part + 1) / s.parts);
    memcpy(parts[part].first + at, sum.first, (size_t)piece.count * sizeof(double));
    memcpy(parts[part].second + at, sum.second, (size_t)piece.count * sizeof(double));
    if (at == 0)
        parts[part].rows = sum.rows;
}

/* Channels of a chunk that begins with this one: whole blocks where a chunk has room for some. */
static int64_t chunk_from(const protea_map *m, int64_t channel)
{
    int64_t whole = CHUNK / m->block * m->block, left = whole > 0 ? m->c - channel : m->block - channel % m->block;
    int64_t room = whole > 0 ? whole : CHUNK;
    return left < room ? left : room;
}

/* Goes over all groups and chunks of channels; take receives each chunk's n parts, filled. */
static void sum_all(sums *k, const kind *how, protea_moments parts[PARTS],
                    void (*take)(const sums *k, protea_moments *parts, int64_t n, void *self), void *self)
{
    for (k->group = 0; k->group < k->g->groups; k->group++)
        for (k->channel = 0; k->channel < k->m->c; k->channel += k->count) {
            k->count = chunk_from(k->m, k->channel);
            shares s = shares_of(k);
#pragma omp parallel for schedule(static)
            for (int64_t share = 0; share < s.parts * s.pieces; share++)
                sum_share(k, how, parts, s, share);
            take(k, parts, s.parts, self);
        }
}

typedef struct stats_out { float *mean, *var; } stats_out;

static void take_stats(const sums *k, protea_moments *parts, int64_t n, void *self)
{
    const stats_out *out = self;
    int64_t at = k->group * k->m->c + k->channel;
    for (int64_t p = 1; p < n; p++)
        merge(&parts[0], &parts[p], k->count);
    for (int64_t c = 0; c < k->count; c++) {
        out->mean[at + c] = (float)parts[0].first[c];
        out->var[at + c] = (float)(parts[0].second[c] < 0 ? 0 : parts[0].second[c] / parts[0].rows);
    }
}

static void bn_stats(protea_backend *be, float *mean, float *var, const void *x, const protea_map *m, const protea_groups *g)
{
    sums k = { .x = x, .m = m, .g = g };
    sum_all(&k, &statistics, protea_cpu_of(be)->parts, take_stats, &(stats_out){ mean, var });
}

typedef struct gradient_out { double *sum_dz, *sum_dz_x; } gradient_out;

static void take_gradients(const sums *k, protea_moments *parts, int64_t n, void *self)
{
    const gradient_out *out = self;
    int64_t at = k->group * k->m->c + k->channel;
    for (int64_t p = 1; p < n; p++)
        for (int64_t c = 0; c < k->count; c++) {
            parts[0].first[c] += parts[p].first[c];
            parts[0].second[c] += parts[p].second[c];
        }
    memcpy(out->sum_dz + at, parts[0].first, (size_t)k->count * sizeof(double));
    memcpy(out->sum_dz_x + at, parts[0].second, (size_t)k->count * sizeof(double));
}

static void bn_backward_reduce(protea_backend *be, double *sum_dz, double *sum_dz_x, const void *x, const void *y,
                               const void *dy, const float *mean, const float *scale, const float *shift, const protea_map *m,
                               const protea_groups *g, protea_act act)
{
    sums k = { .x = x, .y = y, .dy = dy, .mean = mean, .scale = scale, .shift = shift, .m = m, .g = g, .act = act };
    sum_all(&k, &gradients, protea_cpu_of(be)->parts, take_gradients, &(gradient_out){ sum_dz, sum_dz_x });
}

void SIMD_NAME(protea_simd_fill_batchnorm_sums)(protea_kernels *k)
{
    k->bn_stats = bn_stats;
    k->bn_backward_reduce = bn_backward_reduce;
}
