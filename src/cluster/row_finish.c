/* The end of a search: what is left of a block's candidates is computed exactly, and the nearest are the result. */
#include "cluster/row_search.h"

#include <math.h>

enum { PART_BYTES = 256 << 10, GROUP_BYTES = 1 << 20, LINE = 64 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* So many rows as fit into a cache. */
static int64_t rows_in(const protea_row_search *s, int64_t bytes)
{
    int64_t rows = bytes / (s->d * (int64_t)sizeof(float));
    return rows < 1 ? 1 : rows;
}

static void fetch_row(const float *x, int64_t d, int64_t most)
{
    for (int64_t j = 0; j < smaller(d, most); j += LINE / (int64_t)sizeof(float))
        __builtin_prefetch(x + j, 0, 2);
}

/* Has the rows [from, to) of the gallery brought into the second cache. */
static void fetch(const protea_row_search *s, int64_t from, int64_t to)
{
    for (int64_t i = from; i < smaller(to, s->gallery.n); i++)
        fetch_row(protea_row_at(&s->gallery, i, s->d), s->d, s->d);
}

/* Pairs that are still to be computed: candidate `place` of query `at`. A pair's rows are asked for as it comes, and needed when
 * AHEAD others have come. Of a long row the beginning is asked for: the processor goes on by itself. */
enum { AHEAD = 4, MOST_COLUMNS = 256 };
typedef struct pairs {
    int64_t n;
    struct { int64_t at, place; } waiting[AHEAD];
} pairs;

static void add_pair(const protea_row_search *s, pairs *p, int64_t at, int64_t place)
{
    int turn = (int)(p->n++ % AHEAD);
    if (p->n > AHEAD)
        protea_near_compute(s, p->waiting[turn].at, p->waiting[turn].place);
    fetch_row(protea_row_at(&s->gallery, s->wanted[at].list.row[place], s->d), s->d, MOST_COLUMNS);
    fetch_row(protea_row_at(&s->query, s->number[at], s->d), s->d, MOST_COLUMNS);
    p->waiting[turn].at = at;
    p->waiting[turn].place = place;
}

static void compute_waiting(const protea_row_search *s, const pairs *p)
{
    for (int64_t i = 0; i < smaller(p->n, AHEAD); i++)
        protea_near_compute(s, p->waiting[i].at, p->waiting[i].place);
}

/* Candidates come in the order of their rows: a part of the gallery and a group of queries stay in the second cache, while the
 * next part comes. */
static void settle_group(protea_row_search *s, int64_t from, int64_t to)
{
    const int64_t part = rows_in(s, PART_BYTES), share = (part + to - from - 1) / (to - from);
    pairs p = { 0 };
    for (int64_t at = from; at < to; at++)
        protea_near_thin_out(s, &s->wanted[at]);
    for (int64_t end = part; end - part < s->gallery.n; end += part)
        for (int64_t at = from; at < to; at++) {
            int64_t next = end + (at - from) * share;
            protea_near_list *l = &s->wanted[at].list;
            fetch(s, next, smaller(next + share, end + part));
            for (; l->n_exact < l->n && l->row[l->n_exact] < end; l->n_exact++)
                add_pair(s, &p, at, l->n_exact);
        }
    compute_waiting(s, &p);
}

/* A row of zeros has the similarity 0 to all, which no distance says; the first k of them are as good as all. */
static void add_zero_rows(const protea_row_search *s, int64_t at)
{
    protea_near_list *l = &s->wanted[at].list;
    int64_t most = l->n + s->k;
    for (int64_t i = 0; i < s->gallery.n && l->n < most; i++)
        if (!(s->gallery_scale[i] > 0) && !protea_near_is_own(s, at, i)) {
            l->value[l->n] = 0;
            l->row[l->n++] = (int32_t)i;
        }
    l->n_exact = l->n;
}

/* Candidates become neighbours; none of them where the guess was too low. */
static void finish_query(const protea_row_search *s, int64_t at)
{
    protea_wanted *w = &s->wanted[at];
    protea_near_list *l = &w->list;
    const int64_t to = s->number[at] - s->first;
    if (l->n > s->k)
        protea_near_settle(s, w);
    if (s->zero_rows)
        add_zero_rows(s, at);
    protea_near_settle(s, w);
    bool right = isinf(w->guess) || (l->n == s->k && protea_near_distance(s, l->value[s->k - 1]) <= w->guess);
    protea_near_sort(l, protea_near_scratch(s));
    for (int64_t j = 0; j < l->n; j++)
        s->best[to * s->k + j] = (protea_neighbour){ s->metric == PROTEA_COSINE ? 0 - l->value[j] : l->value[j], l->row[j] };
    s->n_best[to] = right ? l->n : 0;
}

void protea_row_search_finish(protea_row_search *s, int64_t count)
{
    const int64_t group = rows_in(s, GROUP_BYTES);
#pragma omp parallel for schedule(dynamic)
    for (int64_t from = 0; from < count; from += group) {
        settle_group(s, from, smaller(from + group, count));
        for (int64_t at = from; at < smaller(from + group, count); at++)
            finish_query(s, at);
    }
}
