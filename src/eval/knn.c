/* Blocks of queries meet blocks of the gallery in one matrix product each; every query keeps its k best in a heap whose
 * root is the worst of them. Memory: two normalised blocks, their similarities and the heaps, whatever n and m are. */
#include "eval/knn.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 2048, GALLERY = 2048 };

typedef struct hit { float similarity; int64_t row; } hit;

/* Rows of a matrix, all or some of them. */
typedef struct rows {
    const float *x;     /* (.,d) */
    const int64_t *row; /* (n) which rows; NULL: all */
    int64_t n;
    const char *name;   /* for messages */
} rows;

typedef struct search {
    protea_ctx *cx;
    rows gallery, query;
    const int64_t *self; /* by query; may be NULL */
    int64_t d, k;
    float *gallery_block, *query_block; /* (GALLERY,d), (QUERIES,d): normalised */
    float *similarity;                  /* (QUERIES,GALLERY) */
    hit *best;                          /* (QUERIES,k): heaps, in the end sorted lists */
    int64_t *n_best;                    /* (QUERIES) */
} search;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t row_of(const rows *r, int64_t i)
{
    return r->row ? r->row[i] : i;
}

/* ---- the heap: root is the worst hit */

static bool worse(const hit *a, const hit *b)
{
    return a->similarity < b->similarity || (a->similarity == b->similarity && a->row > b->row);
}

static void sift_down(hit *heap, int64_t n, int64_t at)
{
    hit moved = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && worse(&heap[child + 1], &heap[child]))
            child++;
        if (!worse(&heap[child], &moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void sift_up(hit *heap, int64_t at)
{
    hit moved = heap[at];
    for (int64_t parent; at > 0 && worse(&moved, &heap[parent = (at - 1) / 2]); at = parent)
        heap[at] = heap[parent];
    heap[at] = moved;
}

/* Best first: the worst goes to the end, then the next worst before it. */
static void sort_heap(hit *heap, int64_t n)
{
    while (n > 1) {
        hit worst = heap[0];
        heap[0] = heap[--n];
        heap[n] = worst;
        sift_down(heap, n, 0);
    }
}

/* Rows come in growing order, so one that ties with the root is the worse of the two. */
static void offer(hit *heap, int64_t *n, int64_t k, const float *similarity, int64_t count, int64_t first_row, int64_t self)
{
    for (int64_t j = 0; j < count; j++) {
        if (*n == k && similarity[j] <= heap[0].similarity)
            continue;
        hit new = { .similarity = similarity[j], .row = first_row + j };
        if (new.row == self)
            continue;
        if (*n < k) {
            heap[*n] = new;
            sift_up(heap, (*n)++);
        } else {
            heap[0] = new;
            sift_down(heap, k, 0);
        }
    }
}

/* ---- blocks */

/* y (count,d) = rows first.. of r, each divided by its length; a zero row stays zero. */
static protea_status normalise(float *y, const rows *r, int64_t first, int64_t count, int64_t d)
{
    int64_t bad = -1;
#pragma omp parallel for schedule(static) reduction(max : bad)
    for (int64_t i = 0; i < count; i++) {
        const float *x = r->x + row_of(r, first + i) * d;
        double square = 0;
        for (int64_t j = 0; j < d; j++)
            square += (double)x[j] * x[j];
        if (!(square < (double)INFINITY))
            bad = i;
        float scale = square > 0 ? (float)(1 / sqrt(square)) : 0;
        for (int64_t j = 0; j < d; j++)
            y[i * d + j] = x[j] * scale;
    }
    if (bad >= 0)
        return protea_fail(PROTEA_ERR_INPUT, "kNN: row %lld of the %s features holds a value that is not finite",
                           (long long)row_of(r, first + bad), r->name);
    return PROTEA_OK;
}

static void search_free(search *s)
{
    protea_free(s->gallery_block);
    protea_free(s->query_block);
    protea_free(s->similarity);
    protea_free(s->best);
    protea_free(s->n_best);
}

static protea_status search_new(search *s)
{
    size_t queries = (size_t)smaller(QUERIES, s->query.n), gallery = (size_t)smaller(GALLERY, s->gallery.n);
    PROTEA_TRY(protea_new(&s->gallery_block, gallery * (size_t)s->d, sizeof(float), "kNN gallery block"));
    PROTEA_TRY(protea_new(&s->query_block, queries * (size_t)s->d, sizeof(float), "kNN query block"));
    PROTEA_TRY(protea_new(&s->similarity, queries * gallery, sizeof(float), "kNN similarities"));
    PROTEA_TRY(protea_new(&s->best, queries * (size_t)s->k, sizeof(hit), "kNN neighbours"));
    return protea_new(&s->n_best, queries, sizeof(int64_t), "kNN neighbours");
}

/* Fills best with the sorted neighbours of queries first .. first + count. */
static protea_status search_block(search *s, int64_t first, int64_t count)
{
    PROTEA_TRY(normalise(s->query_block, &s->query, first, count, s->d));
    memset(s->n_best, 0, (size_t)count * sizeof *s->n_best);
    for (int64_t at = 0; at < s->gallery.n; at += GALLERY) {
        int64_t width = smaller(GALLERY, s->gallery.n - at);
        PROTEA_TRY(normalise(s->gallery_block, &s->gallery, at, width, s->d));
        PROTEA_TRY(s->cx->be->k.gemm(s->cx->be, s->similarity, s->query_block, s->gallery_block, false, true, count, width,
                                     s->d, 1, 0, s->d, s->d, width));
#pragma omp parallel for schedule(static)
        for (int64_t i = 0; i < count; i++)
            offer(s->best + i * s->k, &s->n_best[i], s->k, s->similarity + i * width, width, at,
                  s->self ? s->self[first + i] : -1);
    }
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++)
        sort_heap(s->best + i * s->k, s->n_best[i]);
    return PROTEA_OK;
}

/* ---- votes */

typedef struct ballot {
    const int32_t *train_label, *test_label; /* by row of the matrices */
    int n_classes;
    double temperature;
    double *votes;                           /* (n_classes) */
} ballot;

/* Position of the true class among the classes by votes, from 0; n_classes when nobody voted for it. */
static int rank_of_truth(const ballot *b, const rows *gallery, const hit *best, int64_t n, int32_t truth)
{
    memset(b->votes, 0, (size_t)b->n_classes * sizeof *b->votes);
    for (int64_t i = 0; i < n; i++) /* the largest similarity subtracted: all scores scale alike, none overflows */
        b->votes[b->train_label[row_of(gallery, best[i].row)]] +=
            exp(((double)best[i].similarity - (double)best[0].similarity) / b->temperature);
    double own = b->votes[truth];
    if (!(own > 0))
        return b->n_classes;
    int rank = 0;
    for (int c = 0; c < b->n_classes; c++)
        rank += b->votes[c] > own || (b->votes[c] == own && c < truth);
    return rank;
}

static protea_status vote(search *s, const ballot *b, protea_knn_score *score)
{
    int64_t first_hits = 0, five_hits = 0;
    for (int64_t first = 0; first < s->query.n; first += QUERIES) {
        int64_t count = smaller(QUERIES, s->query.n - first);
        PROTEA_TRY(search_block(s, first, count));
        for (int64_t i = 0; i < count; i++) {
            int32_t truth = b->test_label[row_of(&s->query, first + i)];
            int rank = rank_of_truth(b, &s->gallery, s->best + i * s->k, s->n_best[i], truth);
            first_hits += rank == 0;
            five_hits += rank < 5 && rank < b->n_classes;
        }
    }
    score->top1 = (double)first_hits / (double)s->query.n;
    score->top5 = (double)five_hits / (double)s->query.n;
    return PROTEA_OK;
}

/* Numbers of the rows that have a label. *out: owned. */
static protea_status labelled_rows(int64_t **out, int64_t *count, const int32_t *label, int64_t n, int n_classes, const char *name)
{
    *count = 0;
    PROTEA_TRY(protea_new(out, (size_t)n, sizeof **out, "kNN rows"));
    for (int64_t i = 0; i < n; i++) {
        if (label[i] >= n_classes)
            return protea_fail(PROTEA_ERR_INTERNAL, "kNN: label %d of %d classes", (int)label[i], n_classes);
        if (label[i] >= 0)
            (*out)[(*count)++] = i;
    }
    if (*count == 0)
        return protea_fail(PROTEA_ERR_INPUT, "kNN: none of the %lld %s images has a label", (long long)n, name);
    return PROTEA_OK;
}

protea_status protea_knn(protea_ctx *cx, protea_knn_score *score, const float *train, const int32_t *train_label, int64_t n,
                         const float *test, const int32_t *test_label, int64_t m, int64_t d, int n_classes, int64_t k,
                         double temperature)
{
    if (k < 1 || !(temperature > 0))
        return protea_fail(PROTEA_ERR_USAGE, "kNN: k %lld and temperature %g; wanted k >= 1 and a temperature above 0",
                           (long long)k, temperature);
    int64_t *train_row = NULL, *test_row = NULL;
    search s = { .cx = cx, .d = d, .gallery = { train, NULL, 0, "training" }, .query = { test, NULL, 0, "test" } };
    ballot b = { train_label, test_label, n_classes, temperature, NULL };
    protea_status status = labelled_rows(&train_row, &s.gallery.n, train_label, n, n_classes, "training");
    if (status == PROTEA_OK)
        status = labelled_rows(&test_row, &s.query.n, test_label, m, n_classes, "test");
    s.gallery.row = train_row;
    s.query.row = test_row;
    s.k = smaller(k, s.gallery.n);
    if (status == PROTEA_OK)
        status = protea_new(&b.votes, (size_t)n_classes, sizeof *b.votes, "kNN votes");
    if (status == PROTEA_OK)
        status = search_new(&s);
    if (status == PROTEA_OK)
        status = vote(&s, &b, score);
    score->n_train = s.gallery.n;
    score->n_test = s.query.n;
    score->k = s.k;
    search_free(&s);
    protea_free(b.votes);
    protea_free(train_row);
    protea_free(test_row);
    return status;
}

static protea_status list_nearest(search *s, int64_t *neighbour, float *similarity)
{
    for (int64_t first = 0; first < s->query.n; first += QUERIES) {
        int64_t count = smaller(QUERIES, s->query.n - first);
        PROTEA_TRY(search_block(s, first, count));
        for (int64_t at = 0; at < count * s->k; at++) {
            bool found = at % s->k < s->n_best[at / s->k];
            neighbour[first * s->k + at] = found ? s->best[at].row : -1;
            if (similarity != NULL)
                similarity[first * s->k + at] = found ? s->best[at].similarity : 0;
        }
    }
    return PROTEA_OK;
}

protea_status protea_nearest_rows(protea_ctx *cx, int64_t *neighbour, float *similarity, const float *train, int64_t n,
                                  const float *test, const int64_t *self, int64_t m, int64_t d, int64_t k)
{
    search s = { .cx = cx, .d = d, .k = k, .self = self, .gallery = { train, NULL, n, "gallery" },
                 .query = { test, NULL, m, "query" } };
    protea_status status = search_new(&s);
    if (status == PROTEA_OK)
        status = list_nearest(&s, neighbour, similarity);
    search_free(&s);
    return status;
}
