/* Slabs of the gallery go by; each query keeps the rows whose distance, by products of rounded values, is not surely above
 * that of k others. In the end the distances of what is left are computed exactly. Lengths and distances are in units in which
 * no row is longer than 1.
 *
 * In a large gallery a sample of its rows comes first, which says about how far the k-th neighbour may be: so much less is kept
 * on the way. Where the guess was too low, which the result shows, the query is searched for once more without one. */
#include "cluster/row_search.h"

#include <math.h>

#include "backend/bf16.h"

enum { SAMPLE = 2048, LARGE = 8 * SAMPLE };

typedef protea_seen seen;
typedef protea_wanted wanted;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- rows */

static inline void see_value(double *square, double *off, float value, bool rounds)
{
    float kept = rounds ? protea_bf16_to_f32(protea_f32_to_bf16(value)) : value;
    *square += (double)kept * (double)kept;
    *off += (double)(kept - value) * (double)(kept - value);
}

/* Of a row y (d) less the centre, as the products see it; rounds, a constant: they are of bf16. */
static inline seen see_as(const float *y, const float *centre, int64_t d, bool rounds)
{
    enum { SUMS = 4 };
    double square[SUMS] = { 0 }, off[SUMS] = { 0 };
    int64_t j = 0;
    for (; j + SUMS <= d; j += SUMS)
        for (int i = 0; i < SUMS; i++)
            see_value(&square[i], &off[i], y[j + i] - centre[j + i], rounds);
    for (; j < d; j++)
        see_value(&square[0], &off[0], y[j] - centre[j], rounds);
    return (seen){ sqrt((square[0] + square[1]) + (square[2] + square[3])), sqrt((off[0] + off[1]) + (off[2] + off[3])) };
}

static seen see(const protea_row_search *s, const float *y)
{
    return s->dtype == PROTEA_BF16 ? see_as(y, s->centre, s->d, true) : see_as(y, s->centre, s->d, false);
}

static void scale_row(float *y, const float *x, double scale, int64_t d)
{
    float factor = (float)scale;
    for (int64_t j = 0; j < d; j++)
        y[j] = x[j] * factor;
}

/* count rows from slab_first on. */
static void prepare_slab(protea_row_search *s, int64_t count)
{
    double length = s->so_far.length, off = s->so_far.off;
#pragma omp parallel for schedule(static) reduction(max : length, off)
    for (int64_t j = 0; j < count; j++) {
        float *y = s->slab + j * s->d;
        int64_t i = s->slab_first + j * s->slab_step;
        scale_row(y, protea_row_at(&s->gallery, i, s->d), s->gallery_scale[i], s->d);
        seen own = see(s, y);
        length = own.length > length ? own.length : length;
        off = own.off > off ? own.off : off;
    }
    s->so_far = (seen){ length, off };
}

/* What is known of the query is forgotten but for its guess. */
static void begin_query(protea_row_search *s, int64_t at, double guess)
{
    wanted *w = &s->wanted[at];
    w->list.n = w->list.n_exact = 0;
    w->bound = w->guess = guess;
}

static void prepare_query(protea_row_search *s, int64_t at)
{
    const int64_t q = s->number[at];
    float *y = s->queries + at * s->d;
    scale_row(y, protea_row_at(&s->query, q, s->d), s->query_scale[q], s->d);
    s->wanted[at] = (wanted){ .list = { s->value + at * s->room, s->row + at * s->room, 0, 0 }, .seen = see(s, y) };
    begin_query(s, at, INFINITY);
}

static void search_slab(protea_row_search *s, int64_t rows, int64_t count)
{
    protea_backend *be = s->cx->be;
    const protea_nearest_dims dims = { rows, s->d, s->dtype };
    const protea_near_sink sink = { s, s->limit, protea_near_take };
    prepare_slab(s, rows);
    be->k.nearest_pack(be, s->pack, s->slab, s->centre, &dims);
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < count; at++) {
        protea_near_errors(s, &s->wanted[at]);
        s->limit[at] = protea_near_limit(&s->wanted[at]);
    }
    be->k.nearest_below(be, &sink, s->queries, count, s->pack, &dims);
}

static void seek(protea_row_search *s, int64_t sought, int64_t step)
{
    s->sought = sought;
    s->full = 4 * sought + 64;
    s->slab_step = step;
    s->slab_first = 0;
}

/* Guesses by a sample of S rows, of which about k S / n are among the k nearest of all n. So many more are looked for
 * that fewer than one guess in ten thousand is too low where the sample is as the rest. */
static void guess(protea_row_search *s, int64_t count)
{
    double share = (double)s->k * SAMPLE / (double)s->gallery.n;
    seek(s, (int64_t)(share + 4 * sqrt(share) + 4), s->gallery.n / SAMPLE);
    search_slab(s, SAMPLE, count);
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < count; at++) {
        wanted *w = &s->wanted[at];
        bool enough = w->list.n >= s->sought;
        protea_near_thin_out(s, w);
        if (enough && isinf(w->bound))
            protea_near_settle(s, w);
        begin_query(s, at, enough ? w->bound : INFINITY);
    }
}

static void search_all(protea_row_search *s, int64_t count)
{
    seek(s, s->k, 1);
    for (; s->slab_first < s->gallery.n; s->slab_first += PROTEA_SLAB)
        search_slab(s, smaller(PROTEA_SLAB, s->gallery.n - s->slab_first), count);
}

static void prepare_queries(protea_row_search *s, int64_t count)
{
    s->so_far = (seen){ 0, 0 };
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < count; at++)
        prepare_query(s, at);
}

/* Once more, those whose guess was too low. */
static void repeat(protea_row_search *s, int64_t count)
{
    int64_t again = 0;
    for (int64_t at = 0; at < count; at++)
        if (s->n_best[at] == 0)
            s->number[again++] = s->first + at;
    if (again == 0)
        return;
    prepare_queries(s, again);
    search_all(s, again);
    protea_row_search_finish(s, again);
}

void protea_row_search_next(protea_row_search *s, protea_neighbour_block *out)
{
    const int64_t count = smaller(s->block, s->query.n - s->next);
    const bool guesses = s->gallery.n >= LARGE;
    s->first = s->next;
    s->next += count;
    for (int64_t at = 0; at < count; at++)
        s->number[at] = s->first + at;
    if (count > 0) {
        prepare_queries(s, count);
        if (guesses)
            guess(s, count);
        search_all(s, count);
        protea_row_search_finish(s, count);
        if (guesses)
            repeat(s, count);
    }
    *out = (protea_neighbour_block){ s->first, count, s->k, s->best, s->n_best };
}

/* ---- all at once */

static void copy_block(int64_t *neighbour, float *similarity, const protea_neighbour_block *b, int64_t k)
{
    for (int64_t at = 0; at < b->count * k; at++) {
        int64_t q = at / k, place = at % k, to = b->first * k + at;
        bool found = place < b->n[q];
        const protea_neighbour *from = b->best + q * b->k + place;
        neighbour[to] = found ? from->i : -1;
        if (similarity != NULL)
            similarity[to] = found ? from->value : 0;
    }
}

protea_status protea_nearest_rows(protea_ctx *cx, int64_t *neighbour, float *similarity, const float *train, int64_t n,
                                  const float *test, const int64_t *self, int64_t m, int64_t d, int64_t k)
{
    const protea_some_rows gallery = { train, NULL, n, "gallery" }, query = { test, NULL, m, "query" };
    const protea_row_search_opts opts = { .metric = PROTEA_COSINE, .k = k, .self = self };
    protea_row_search *s;
    protea_neighbour_block b;
    PROTEA_TRY(protea_row_search_new(&s, cx, &gallery, &query, d, &opts));
    for (protea_row_search_next(s, &b); b.count > 0; protea_row_search_next(s, &b))
        copy_block(neighbour, similarity, &b, k);
    protea_row_search_free(s);
    return PROTEA_OK;
}
