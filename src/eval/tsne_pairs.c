#include "eval/tsne_pairs.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "base/sort.h"
#include "cluster/nearest_rows.h"

enum { MOST_STEPS = 100, QUERY_BYTES = 32 << 20, KEY_BITS = 32 };
static const double ENTROPY_ERROR = 1e-5; /* van der Maaten's */

/* ---- one row: the width of its neighbourhood */

typedef struct spread {
    double entropy, slope; /* in nats, and by b */
} spread;

/* weight = exp(-b square), so far without a sum of 1. */
static spread spread_at(double *weight, const double *square, int64_t k, double b)
{
    double sum = 0, mean = 0, second = 0;
    for (int64_t j = 0; j < k; j++) {
        weight[j] = exp(-b * square[j]);
        sum += weight[j];
        mean += weight[j] * square[j];
        second += weight[j] * square[j] * square[j];
    }
    mean /= sum;
    second /= sum;
    return (spread){ log(sum) + b * mean, -b * (second - mean * mean) };
}

/* Less the least, in units of their mean: b is then near 1. */
static void level(double *square, int64_t k)
{
    double least = square[0], mean = 0;
    for (int64_t j = 1; j < k; j++)
        least = fmin(least, square[j]);
    for (int64_t j = 0; j < k; j++) {
        square[j] -= least;
        mean += square[j] / (double)k;
    }
    for (int64_t j = 0; j < k && mean > 0; j++)
        square[j] /= mean;
}

/* Newton's step where it stays between the bounds that are known, else halving or doubling. */
static double next_b(double b, double low, double high, double off, double slope)
{
    double next = b - off / slope;
    if (next > low && next < high)
        return next;
    return isinf(high) ? 2 * b : (low + high) / 2;
}

double protea_tsne_weights(double *weight, double *square, int64_t k, double perplexity)
{
    double b = 1, low = 0, high = INFINITY, sum = 0;
    spread now = { 0, 0 };
    level(square, k);
    for (int step = 0; step < MOST_STEPS; step++) {
        now = spread_at(weight, square, k, b);
        double off = now.entropy - log(perplexity);
        if (fabs(off) < ENTROPY_ERROR)
            break;
        *(off > 0 ? &low : &high) = b;
        b = next_b(b, low, high, off, now.slope);
    }
    for (int64_t j = 0; j < k; j++)
        sum += weight[j];
    for (int64_t j = 0; j < k; j++)
        weight[j] /= sum;
    return exp(now.entropy);
}

int64_t protea_tsne_neighbours(double perplexity, int64_t n)
{
    double k = floor(3 * perplexity);
    return k < (double)(n - 1) ? (int64_t)k : n - 1;
}

/* ---- all rows: p(j|i) */

typedef struct search {
    protea_ctx *cx;
    int64_t n, k;
    double perplexity;
    int32_t *to;        /* (n,k) neighbours; owned */
    float *p;           /* (n,k) p(j|i); owned */
    double *row;        /* (threads,2,k): squared distances, weights; owned */
    int64_t *self;      /* (n) 0, 1, 2 ...; owned */
    int64_t *first;     /* (n + 1) owned */
    uint64_t *entry;    /* (first[n]) row in the high half, bits of p in the low; owned */
    int64_t *count;     /* (n) entries of a row so far; owned */
    uint64_t *scratch;  /* (threads,longest) owned */
} search;

static protea_status search_new(search *s)
{
    size_t n = (size_t)s->n, k = (size_t)s->k;
    PROTEA_TRY(protea_new(&s->to, n, k * sizeof *s->to, "t-SNE neighbours"));
    PROTEA_TRY(protea_new(&s->p, n, k * sizeof *s->p, "t-SNE neighbours"));
    PROTEA_TRY(protea_new(&s->row, (size_t)protea_threads(), 2 * k * sizeof *s->row, "t-SNE neighbours"));
    PROTEA_TRY(protea_new(&s->self, n, sizeof *s->self, "t-SNE neighbours"));
    for (int64_t i = 0; i < s->n; i++)
        s->self[i] = i;
    return PROTEA_OK;
}

static void search_release(search *s)
{
    protea_free(s->to);
    protea_free(s->p);
    protea_free(s->row);
    protea_free(s->self);
    protea_free(s->first);
    protea_free(s->entry);
    protea_free(s->count);
    protea_free(s->scratch);
}

static void weigh_row(search *s, int64_t i, const protea_neighbour *best)
{
    double *square = s->row + protea_thread_index() * 2 * s->k, *weight = square + s->k;
    for (int64_t j = 0; j < s->k; j++) {
        s->to[i * s->k + j] = best[j].i;
        square[j] = (double)best[j].value * (double)best[j].value;
    }
    protea_tsne_weights(weight, square, s->k, s->perplexity);
    for (int64_t j = 0; j < s->k; j++)
        s->p[i * s->k + j] = (float)weight[j];
}

static protea_status weigh_blocks(search *s, protea_row_search *rows, protea_tsne_rows_fn each, void *cookie)
{
    protea_neighbour_block b;
    for (protea_row_search_next(rows, &b); b.count > 0; protea_row_search_next(rows, &b)) {
#pragma omp parallel for schedule(dynamic, 64)
        for (int64_t q = 0; q < b.count; q++)
            weigh_row(s, b.first + q, b.best + q * b.k);
        if (each != NULL && each(cookie, b.first + b.count, s->n) != 0)
            return protea_fail(PROTEA_STOPPED, "t-SNE: stopped while looking for neighbours");
    }
    return PROTEA_OK;
}

static protea_status find_neighbours(search *s, const float *z, int64_t dim, const char *name, protea_tsne_rows_fn each,
                                     void *cookie)
{
    const protea_some_rows all = { z, NULL, s->n, name };
    const protea_row_search_opts opts = { .metric = PROTEA_EUCLIDEAN, .k = s->k, .self = s->self, .query_bytes = QUERY_BYTES };
    protea_row_search *rows;
    PROTEA_TRY(protea_row_search_new(&rows, s->cx, &all, &all, dim, &opts));
    protea_status status = weigh_blocks(s, rows, each, cookie);
    protea_row_search_free(rows);
    return status;
}

/* ---- both ways: p_ij */

static uint64_t entry_of(int64_t row, float p)
{
    uint32_t bits;
    memcpy(&bits, &p, sizeof bits);
    return (uint64_t)row << KEY_BITS | bits;
}

static float p_of(uint64_t entry)
{
    uint32_t bits = (uint32_t)entry;
    float p;
    memcpy(&p, &bits, sizeof p);
    return p;
}

/* Room for each row's own neighbours and for those that it is a neighbour of. */
static protea_status make_room(search *s)
{
    int64_t longest = 0;
    PROTEA_TRY(protea_new(&s->first, (size_t)s->n + 1, sizeof *s->first, "t-SNE pairs"));
    PROTEA_TRY(protea_new(&s->count, (size_t)s->n, sizeof *s->count, "t-SNE pairs"));
    for (int64_t e = 0; e < s->n * s->k; e++)
        s->first[s->to[e] + 1]++;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t length = s->first[i + 1] + s->k;
        longest = length > longest ? length : longest;
        s->first[i + 1] = s->first[i] + length;
    }
    PROTEA_TRY(protea_new(&s->scratch, (size_t)protea_threads(), (size_t)longest * sizeof *s->scratch, "t-SNE pairs"));
    return protea_new(&s->entry, (size_t)s->first[s->n], sizeof *s->entry, "t-SNE pairs");
}

static void add_entry(search *s, int64_t to, int64_t row, float p)
{
    s->entry[s->first[to] + s->count[to]++] = entry_of(row, p);
}

static void enter_both_ways(search *s)
{
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->k; j++) {
            int64_t e = i * s->k + j;
            add_entry(s, i, s->to[e], s->p[e]);
            add_entry(s, s->to[e], i, s->p[e]);
        }
}

/* Sorts a row; the two entries of a pair that is one both ways become one. */
static void merge_row(search *s, int64_t i, int64_t longest)
{
    uint64_t *entry = s->entry + s->first[i];
    int64_t n = 0;
    protea_sort_u64(entry, s->scratch + protea_thread_index() * longest, s->count[i], KEY_BITS);
    for (int64_t e = 0; e < s->count[i]; e++)
        if (n > 0 && entry[n - 1] >> KEY_BITS == entry[e] >> KEY_BITS)
            entry[n - 1] = entry_of((int64_t)(entry[e] >> KEY_BITS), p_of(entry[n - 1]) + p_of(entry[e]));
        else
            entry[n++] = entry[e];
    s->count[i] = n;
}

static void merge_rows(search *s)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < s->n; i++)
        longest = s->count[i] > longest ? s->count[i] : longest;
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t i = 0; i < s->n; i++)
        merge_row(s, i, longest);
}

static void copy_row(const search *s, protea_tsne_pairs *pairs, int64_t i)
{
    const uint64_t *entry = s->entry + s->first[i];
    const float scale = (float)(0.5 / (double)s->n);
    int64_t at = pairs->first[i];
    for (int64_t e = 0; e < s->count[i]; e++, at++) {
        pairs->to[at] = (int32_t)(entry[e] >> KEY_BITS);
        pairs->p[at] = p_of(entry[e]) * scale;
    }
    for (; at < pairs->first[i + 1]; at++)
        pairs->to[at] = (int32_t)i;
}

static protea_status copy_rows(const search *s, protea_tsne_pairs *pairs)
{
    enum { GROUP = PROTEA_MAP_GROUP };
    PROTEA_TRY(protea_new(&pairs->first, (size_t)s->n + 1, sizeof *pairs->first, "t-SNE pairs"));
    for (int64_t i = 0; i < s->n; i++)
        pairs->first[i + 1] = pairs->first[i] + (s->count[i] + GROUP - 1) / GROUP * GROUP;
    PROTEA_TRY(protea_new(&pairs->to, (size_t)pairs->first[s->n], sizeof *pairs->to, "t-SNE pairs"));
    PROTEA_TRY(protea_new(&pairs->p, (size_t)pairs->first[s->n], sizeof *pairs->p, "t-SNE pairs"));
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < s->n; i++)
        copy_row(s, pairs, i);
    return PROTEA_OK;
}

/* What is no longer needed goes before more is asked for. */
static protea_status join(search *s, protea_tsne_pairs *pairs)
{
    PROTEA_TRY(make_room(s));
    enter_both_ways(s);
    protea_free(s->to);
    protea_free(s->p);
    s->to = NULL;
    s->p = NULL;
    merge_rows(s);
    return copy_rows(s, pairs);
}

protea_status protea_tsne_pairs_find(protea_ctx *cx, protea_tsne_pairs *pairs, const float *z, int64_t n, int64_t dim,
                                     double perplexity, const char *name, protea_tsne_rows_fn each, void *cookie)
{
    search s = { .cx = cx, .n = n, .k = protea_tsne_neighbours(perplexity, n), .perplexity = perplexity };
    *pairs = (protea_tsne_pairs){ .n = n };
    protea_status status = search_new(&s);
    if (status == PROTEA_OK)
        status = find_neighbours(&s, z, dim, name, each, cookie);
    if (status == PROTEA_OK)
        status = join(&s, pairs);
    search_release(&s);
    return status;
}

void protea_tsne_pairs_release(protea_tsne_pairs *pairs)
{
    protea_free(pairs->first);
    protea_free(pairs->to);
    protea_free(pairs->p);
}
