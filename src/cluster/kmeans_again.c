/* Searching for nearest centroids iteration after iteration, without looking where nothing can have changed. */
#include <string.h>

#include "cluster/kmeans_points.h"

protea_status protea_again_new(protea_again *a, const protea_ctx *cx, const protea_points *p, int64_t k, protea_dtype dtype)
{
    size_t n = (size_t)p->n, clusters = (size_t)k, row_bytes = (size_t)p->d * sizeof(float);
    *a = (protea_again){ 0 };
    PROTEA_TRY(protea_new(&a->assign, n, sizeof *a->assign, "nearest centroids"));
    PROTEA_TRY(protea_new(&a->score, n, sizeof *a->score, "scores"));
    PROTEA_TRY(protea_new(&a->centroids, clusters, row_bytes, "centroids"));
    PROTEA_TRY(protea_new(&a->some, clusters, row_bytes, "centroids"));
    PROTEA_TRY(protea_new(&a->number, clusters, sizeof *a->number, "centroids"));
    PROTEA_TRY(protea_new(&a->changed, clusters, sizeof *a->changed, "centroids"));
    PROTEA_TRY(protea_new(&a->rows, n, sizeof *a->rows, "rows"));
    PROTEA_TRY(protea_new(&a->found, n, sizeof *a->found, "nearest centroids"));
    PROTEA_TRY(protea_new(&a->found_score, n, sizeof *a->found_score, "scores"));
    return protea_pack_new(&a->pack, cx, k, p->d, dtype);
}

void protea_again_release(protea_again *a)
{
    protea_free(a->assign);
    protea_free(a->score);
    protea_free(a->centroids);
    protea_free(a->some);
    protea_free(a->number);
    protea_free(a->changed);
    protea_free(a->rows);
    protea_free(a->found);
    protea_free(a->found_score);
    protea_pack_release(&a->pack);
    *a = (protea_again){ 0 };
}

/* Finds and copies the centroids that have changed; returns how many. */
static int64_t note_changes(protea_again *a, const float *centroids)
{
    int64_t n = 0, d = a->pack.dims.d;
    size_t row_bytes = (size_t)d * sizeof *centroids;
    for (int64_t j = 0; j < a->pack.dims.k; j++) {
        a->changed[j] = memcmp(a->centroids + j * d, centroids + j * d, row_bytes) != 0;
        if (a->changed[j]) {
            memcpy(a->some + n * d, centroids + j * d, row_bytes);
            a->number[n++] = (int32_t)j;
        }
    }
    memcpy(a->centroids, centroids, (size_t)a->pack.dims.k * row_bytes);
    return n;
}

/* rows: first those whose centroid has changed, then the others, both in order; returns how many the first are. */
static int64_t part_rows(protea_again *a, const protea_points *p)
{
    int64_t next[2] = { 0 };
    for (int64_t i = 0; i < p->n; i++)
        next[0] += a->changed[a->assign[i]];
    int64_t n_changed = next[0];
    next[1] = 0;
    for (int64_t i = 0; i < p->n; i++)
        a->rows[a->changed[a->assign[i]] ? next[1]++ : next[0]++] = protea_point_row(p, i);
    return n_changed;
}

/* Row i has the centroid `index`, with this score; returns whether that is another one. */
static bool take(protea_again *a, int64_t i, int32_t index, float score)
{
    bool moved = a->assign[i] != index;
    a->assign[i] = index;
    a->score[i] = score;
    return moved;
}

/* Takes in what was found: for the first rows among all centroids, for the others among those that have changed. */
static int64_t take_found(protea_again *a, const protea_points *p, int64_t n_changed_rows)
{
    int64_t moved = 0, all = 0, some = n_changed_rows;
    for (int64_t i = 0; i < p->n; i++) {
        if (a->changed[a->assign[i]]) {
            moved += take(a, i, a->found[all], a->found_score[all]);
            all++;
        } else {
            int32_t index = a->number[a->found[some]];
            float score = a->found_score[some++];
            if (score < a->score[i] || (score == a->score[i] && index < a->assign[i]))
                moved += take(a, i, index, score);
        }
    }
    return moved;
}

static void search(protea_ctx *cx, protea_again *a, int64_t first, int64_t n, const protea_points *p, const float *centroids,
                   int64_t k, const float *mean, const int64_t *rows)
{
    const protea_nearest_dims dims = { k, a->pack.dims.d, a->pack.dims.dtype };
    cx->be->k.nearest_pack(cx->be, a->pack.bytes, centroids, mean, &dims);
    cx->be->k.nearest(cx->be, a->found + first, a->found_score + first, p->x, rows, n, a->pack.bytes, &dims);
}

static int64_t search_all(protea_ctx *cx, protea_again *a, const protea_points *p, const float *centroids, const float *mean)
{
    int64_t moved = 0;
    search(cx, a, 0, p->n, p, centroids, a->pack.dims.k, mean, p->rows);
    for (int64_t i = 0; i < p->n; i++)
        moved += take(a, i, a->found[i], a->found_score[i]);
    return moved;
}

int64_t protea_again_nearest(protea_ctx *cx, protea_again *a, const protea_points *p, const float *centroids, const float *mean)
{
    int64_t n_changed = note_changes(a, centroids), k = a->pack.dims.k;
    bool known = a->known;
    a->known = true;
    if (!known) {
        search_all(cx, a, p, centroids, mean);
        return p->n;
    }
    if (n_changed == 0)
        return 0;
    if (2 * n_changed > k) /* little to save, and rows that are not in order */
        return search_all(cx, a, p, centroids, mean);
    int64_t first = part_rows(a, p);
    search(cx, a, 0, first, p, centroids, k, mean, a->rows);
    search(cx, a, first, p->n - first, p, a->some, n_changed, mean, a->rows + first);
    return take_found(a, p, first);
}
