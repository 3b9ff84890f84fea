/* Slabs of the gallery go by; each query keeps the rows whose distance, by products of rounded values, is not surely above
 * that of k others. In the end the distances of what is left are computed exactly. Lengths and distances are in units in which
 * no row is longer than 1.
 *
 * In a large gallery a sample of its rows comes first, which says about how far the k-th neighbour may be: so much less is kept
 * on the way. Where the guess was too low, which the result shows, the query is searched for once more without one. */
#include "cluster/row_search.h"

#include <math.h>

#include "backend/bf16.h"
#include "base/parallel.h"

enum { LARGE = 8 * PROTEA_SLAB, PART_BYTES = 256 << 10, GROUP_BYTES = 1 << 20, LINE = 64 };

typedef protea_seen seen;
typedef protea_wanted wanted;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static uint64_t *own_scratch(const protea_row_search *s)
{
    return s->scratch + protea_thread_index() * 2 * s->room;
}

/* ---- bounds */

static double root(double x)
{
    return x > 0 ? sqrt(x) : 0;
}

static void set_errors(const protea_row_search *s, wanted *w)
{
    double reach = w->seen.length + s->so_far.length;
    w->square_error = 0x1p-24 * ((1.25 * (double)s->d + 16) * reach * reach + 2 * ((double)s->d / 16 + 16)) + 0x1p-22;
    w->distance_error = w->seen.off + s->so_far.off + 0x1p-20;
}

/* The most that the score of a row can be whose distance may be up to `distance`. */
static float largest_score(const wanted *w, double distance)
{
    double reach = distance + w->distance_error;
    return nextafterf((float)(reach * reach + w->square_error - w->seen.length * w->seen.length), INFINITY);
}

/* The most that the distance of a row with this score can be. */
static double largest_distance(const wanted *w, float score)
{
    return root((double)score + w->seen.length * w->seen.length + w->square_error) + w->distance_error;
}

/* ---- candidates */

/* What orders rows, smaller first. */
static float key_of(const protea_row_search *s, int64_t q, int64_t i)
{
    protea_backend *be = s->cx->be;
    const float *x = protea_row_at(&s->query, q, s->d), *c = protea_row_at(&s->gallery, i, s->d);
    if (s->metric == PROTEA_EUCLIDEAN)
        return (float)sqrt(be->k.squared_distance(be, x, c, s->d));
    return 0 - (float)(be->k.dot(be, x, c, s->d) * s->query_scale[q] * s->gallery_scale[i]);
}

static double distance_of_key(const protea_row_search *s, float key)
{
    double distance = s->metric == PROTEA_EUCLIDEAN ? (double)key * s->query_scale[0] : root(2 + 2 * (double)key);
    return distance + 0x1p-22;
}

/* Computes what is not exact of the candidates whose rows are below `end`, in order. */
static void settle_up_to(const protea_row_search *s, wanted *w, int64_t end)
{
    protea_near_list *l = &w->list;
    const int64_t q = s->number[w - s->wanted];
    for (; l->n_exact < l->n && l->row[l->n_exact] < end; l->n_exact++)
        l->value[l->n_exact] = key_of(s, q, l->row[l->n_exact]);
}

/* Computes all candidates; the nearest stay, as many as are sought. */
static void settle(const protea_row_search *s, wanted *w)
{
    settle_up_to(s, w, s->gallery.n);
    protea_near_select(&w->list, s->sought, own_scratch(s));
    w->list.n_exact = w->list.n;
    if (w->list.n == s->sought && s->sought > 0)
        w->bound = fmin(w->bound, distance_of_key(s, w->list.value[s->sought - 1]));
}

/* Leaves out what is surely farther than as many others as are sought, by scores alone. */
static void thin_out(const protea_row_search *s, wanted *w)
{
    if (w->list.n <= s->sought || w->list.n_exact > 0)
        return;
    w->bound = fmin(w->bound, largest_distance(w, protea_near_about(&w->list, s->sought)));
    protea_near_keep(&w->list, largest_score(w, w->bound));
}

/* Where scores are too close together to tell, distances do; a list that has some of them goes on so. */
static void make_room(const protea_row_search *s, wanted *w)
{
    thin_out(s, w);
    if (w->list.n > s->full / 4 * 3)
        settle(s, w);
}

static bool is_own(const protea_row_search *s, int64_t at, int64_t i)
{
    return s->self != NULL && s->self[s->number[at]] == protea_row_number(&s->gallery, i);
}

/* Rows of zeros come at the end. */
static void take(void *self, const protea_near *near, int64_t n)
{
    const protea_row_search *s = self;
    for (int64_t at = 0; at < n; at++) {
        wanted *w = &s->wanted[near[at].row];
        int64_t i = s->slab_first + near[at].centroid * s->slab_step;
        if (!(near[at].score < s->limit[near[at].row]) || !(s->gallery_scale[i] > 0) || is_own(s, near[at].row, i))
            continue;
        w->list.value[w->list.n] = near[at].score;
        w->list.row[w->list.n++] = (int32_t)i;
        if (w->list.n == s->full) {
            make_room(s, w);
            s->limit[near[at].row] = largest_score(w, w->bound);
        }
    }
}

/* ---- rows */

/* Squares, of a row y less the centre as the products see it. */
static seen see(const protea_row_search *s, const float *y)
{
    double square = 0, off = 0;
    for (int64_t j = 0; j < s->d; j++) {
        float value = y[j] - s->centre[j];
        float rounded = s->dtype == PROTEA_BF16 ? protea_bf16_to_f32(protea_f32_to_bf16(value)) : value;
        square += (double)rounded * (double)rounded;
        off += (double)(rounded - value) * (double)(rounded - value);
    }
    return (seen){ sqrt(square), sqrt(off) };
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
    const protea_near_sink sink = { s, s->limit, take };
    prepare_slab(s, rows);
    be->k.nearest_pack(be, s->pack, s->slab, s->centre, &dims);
    for (int64_t at = 0; at < count; at++) {
        set_errors(s, &s->wanted[at]);
        s->limit[at] = largest_score(&s->wanted[at], s->wanted[at].bound);
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

/* Guesses by a sample of S rows, a slab, of which about k S / n are among the k nearest of all n. So many more are looked for
 * that fewer than one guess in ten thousand is too low where the sample is as the rest. */
static void guess(protea_row_search *s, int64_t count)
{
    double share = (double)s->k * PROTEA_SLAB / (double)s->gallery.n;
    seek(s, (int64_t)(share + 4 * sqrt(share) + 4), s->gallery.n / PROTEA_SLAB);
    search_slab(s, PROTEA_SLAB, count);
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < count; at++) {
        wanted *w = &s->wanted[at];
        bool enough = w->list.n >= s->sought;
        thin_out(s, w);
        if (enough && isinf(w->bound))
            settle(s, w);
        begin_query(s, at, enough ? w->bound : INFINITY);
    }
}

static void search_all(protea_row_search *s, int64_t count)
{
    seek(s, s->k, 1);
    for (; s->slab_first < s->gallery.n; s->slab_first += PROTEA_SLAB)
        search_slab(s, smaller(PROTEA_SLAB, s->gallery.n - s->slab_first), count);
}

/* ---- the end of a block */

/* So many rows as fit into a cache. */
static int64_t rows_in(const protea_row_search *s, int64_t bytes)
{
    int64_t rows = bytes / (s->d * (int64_t)sizeof(float));
    return rows < 1 ? 1 : rows;
}

/* Has the rows [from, to) of the gallery brought into the second cache. */
static void fetch(const protea_row_search *s, int64_t from, int64_t to)
{
    for (int64_t i = from; i < smaller(to, s->gallery.n); i++)
        for (int64_t j = 0; j < s->d; j += LINE / (int64_t)sizeof(float))
            __builtin_prefetch(protea_row_at(&s->gallery, i, s->d) + j, 0, 2);
}

/* Candidates come in the order of their rows: a part of the gallery and a group of queries stay in the second cache, while the
 * next part comes. */
static void settle_group(protea_row_search *s, int64_t from, int64_t to)
{
    const int64_t part = rows_in(s, PART_BYTES), share = (part + to - from - 1) / (to - from);
    for (int64_t at = from; at < to; at++)
        thin_out(s, &s->wanted[at]);
    for (int64_t end = part; end - part < s->gallery.n; end += part)
        for (int64_t at = from; at < to; at++) {
            int64_t next = end + (at - from) * share;
            fetch(s, next, smaller(next + share, end + part));
            settle_up_to(s, &s->wanted[at], end);
        }
}

/* A row of zeros has the similarity 0 to all, which no distance says; the first k of them are as good as all. */
static void add_zero_rows(const protea_row_search *s, int64_t at)
{
    protea_near_list *l = &s->wanted[at].list;
    int64_t most = l->n + s->k;
    for (int64_t i = 0; i < s->gallery.n && l->n < most; i++)
        if (!(s->gallery_scale[i] > 0) && !is_own(s, at, i)) {
            l->value[l->n] = 0;
            l->row[l->n++] = (int32_t)i;
        }
    l->n_exact = l->n;
}

/* Candidates become neighbours; none of them where the guess was too low. */
static void finish_query(const protea_row_search *s, int64_t at)
{
    wanted *w = &s->wanted[at];
    protea_near_list *l = &w->list;
    const int64_t to = s->number[at] - s->first;
    if (l->n > s->k)
        settle(s, w);
    if (s->zero_rows)
        add_zero_rows(s, at);
    settle(s, w);
    bool right = isinf(w->guess) || (l->n == s->k && distance_of_key(s, l->value[s->k - 1]) <= w->guess);
    protea_near_sort(l, own_scratch(s));
    for (int64_t j = 0; j < l->n; j++)
        s->best[to * s->k + j] = (protea_neighbour){ s->metric == PROTEA_COSINE ? 0 - l->value[j] : l->value[j], l->row[j] };
    s->n_best[to] = right ? l->n : 0;
}

static void finish(protea_row_search *s, int64_t count)
{
    const int64_t group = rows_in(s, GROUP_BYTES);
#pragma omp parallel for schedule(dynamic)
    for (int64_t from = 0; from < count; from += group) {
        settle_group(s, from, smaller(from + group, count));
        for (int64_t at = from; at < smaller(from + group, count); at++)
            finish_query(s, at);
    }
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
    finish(s, again);
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
        finish(s, count);
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
