#include "eval/cluster_checks.h"

#include <stdlib.h>

#include "eval/knn.h"

enum { FEWEST = 8 };

/* ---- outliers */

static int rising(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The similarity below which an image of cluster j is an outlier. room (n). */
static float fence(const protea_clustering *c, int64_t j, float *room)
{
    int64_t n = 0;
    if (c->size[j] < FEWEST)
        return -2;
    for (int64_t i = 0; i < c->n; i++)
        if (c->cluster[i] == j)
            room[n++] = c->similarity[i];
    qsort(room, (size_t)n, sizeof *room, rising);
    float low = room[n / 4], high = room[3 * n / 4];
    return low - 1.5F * (high - low);
}

protea_status protea_cluster_outliers(uint8_t *outlier, int64_t *count, const protea_clustering *c)
{
    float *room; /* (n) */
    *count = 0;
    PROTEA_TRY(protea_new(&room, (size_t)c->n, sizeof *room, "similarities"));
    for (int64_t j = 0; j < c->k; j++) {
        float least = fence(c, j, room);
        for (int64_t i = 0; i < c->n; i++)
            if (c->cluster[i] == j) {
                outlier[i] = c->similarity[i] < least;
                *count += outlier[i];
            }
    }
    protea_free(room);
    return PROTEA_OK;
}

/* ---- near-duplicates */

typedef struct search { int64_t *self, *neighbour; float *similarity; } search; /* (n), (n,NEAR_MOST), (n,NEAR_MOST) */

static int by_rows(const void *a, const void *b)
{
    const protea_near_pair *x = a, *y = b;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a) : (x->b > y->b) - (x->b < y->b);
}

static int most_alike_first(const void *a, const void *b)
{
    const protea_near_pair *x = a, *y = b;
    return x->similarity != y->similarity ? (x->similarity < y->similarity) - (x->similarity > y->similarity) : by_rows(a, b);
}

static protea_status look(protea_ctx *cx, search *s, const float *z, int64_t n, int64_t dim)
{
    PROTEA_TRY(protea_new(&s->self, (size_t)n, sizeof *s->self, "near-duplicates"));
    PROTEA_TRY(protea_new(&s->neighbour, (size_t)n * PROTEA_NEAR_MOST, sizeof *s->neighbour, "near-duplicates"));
    PROTEA_TRY(protea_new(&s->similarity, (size_t)n * PROTEA_NEAR_MOST, sizeof *s->similarity, "near-duplicates"));
    for (int64_t i = 0; i < n; i++)
        s->self[i] = i;
    return protea_nearest_rows(cx, s->neighbour, s->similarity, z, n, z, s->self, n, dim, PROTEA_NEAR_MOST);
}

/* Each pair once; a pair may have been found from both ends. */
static protea_status collect(protea_near_pair **pair, int64_t *n_pairs, const search *s, int64_t n, double similarity)
{
    int64_t found = 0, kept = 0;
    for (int64_t i = 0; i < n * PROTEA_NEAR_MOST; i++)
        found += s->neighbour[i] >= 0 && (double)s->similarity[i] >= similarity;
    PROTEA_TRY(protea_new(pair, (size_t)found, sizeof **pair, "near-duplicates"));
    found = 0;
    for (int64_t i = 0; i < n * PROTEA_NEAR_MOST; i++) {
        int64_t row = i / PROTEA_NEAR_MOST, other = s->neighbour[i];
        if (other >= 0 && (double)s->similarity[i] >= similarity)
            (*pair)[found++] = (protea_near_pair){ row < other ? row : other, row < other ? other : row, s->similarity[i] };
    }
    qsort(*pair, (size_t)found, sizeof **pair, by_rows);
    for (int64_t i = 0; i < found; i++)
        if (kept == 0 || by_rows(&(*pair)[kept - 1], &(*pair)[i]) != 0)
            (*pair)[kept++] = (*pair)[i];
    qsort(*pair, (size_t)kept, sizeof **pair, most_alike_first);
    *n_pairs = kept;
    return PROTEA_OK;
}

protea_status protea_near_duplicates(protea_ctx *cx, protea_near_pair **pair, int64_t *n_pairs, const float *z, int64_t n,
                                     int64_t dim, double similarity)
{
    search s = { 0 };
    *pair = NULL;
    *n_pairs = 0;
    protea_status status = look(cx, &s, z, n, dim);
    if (status == PROTEA_OK)
        status = collect(pair, n_pairs, &s, n, similarity);
    protea_free(s.self);
    protea_free(s.neighbour);
    protea_free(s.similarity);
    return status;
}
