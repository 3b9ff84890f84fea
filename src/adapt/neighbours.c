#include "adapt/neighbours.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "tensor/ops.h"

enum { PIECE = 1024 }; /* supports that are normalised and multiplied at once */

protea_status protea_neighbours_start(protea_ctx *cx, protea_neighbours *nb, int64_t n, int64_t k)
{
    *nb = (protea_neighbours){ .n = n, .k = k };
    PROTEA_TRY(protea_arena_alloc(cx->kept, &nb->similarity, (size_t)(n * k) * sizeof *nb->similarity));
    return protea_arena_alloc(cx->kept, &nb->index, (size_t)(n * k) * sizeof *nb->index);
}

/* Inserts (similarity, index) into a list of `found` entries, best first, that has room for k. */
static void insert(float *similarity, int64_t *index, int64_t found, int64_t k, float s, int64_t i)
{
    int64_t at = found < k ? found : k - 1;
    if (found == k && !(s > similarity[k - 1]))
        return;
    for (; at > 0 && s > similarity[at - 1]; at--) {
        similarity[at] = similarity[at - 1];
        index[at] = index[at - 1];
    }
    similarity[at] = s;
    index[at] = i;
}

static void insert_piece(protea_neighbours *nb, const protea_tensor *sim, int64_t first)
{
    int64_t m = sim->dim[1];
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < nb->n; row++)
        for (int64_t i = 0; i < m; i++) {
            int64_t found = nb->found + i < nb->k ? nb->found + i : nb->k, at = row * nb->k;
            insert(nb->similarity + at, nb->index + at, found, nb->k, protea_f32(sim)[row * m + i], first + i);
        }
    nb->found = nb->found + m < nb->k ? nb->found + m : nb->k;
}

/* unit: normalise to length 1 first. */
static protea_status search_piece(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *z, const protea_tensor *supports,
                                  int64_t first, protea_row_norm_kind kind, bool unit)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor u, norm, sim;
    PROTEA_TRY(protea_tensor_like(cx, &u, PROTEA_SCRATCH, supports));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, supports->dim[0], 1));
    PROTEA_TRY(protea_tensor_rows(cx, &sim, PROTEA_SCRATCH, z->dim[0], supports->dim[0]));
    PROTEA_TRY(protea_row_norm(cx, unit ? PROTEA_NORM_L2 : kind, &u, &norm, supports));
    if (unit && kind != PROTEA_NORM_L2)
        PROTEA_TRY(protea_row_norm(cx, kind, &u, &norm, &u));
    PROTEA_TRY(protea_gemm(cx, &sim, z, &u, false, true, 1, 0));
    if (!cx->planning)
        insert_piece(nb, &sim, first);
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* Supports (M,D), numbered from `first` on, after those searched before. z is normalised already. */
static protea_status search(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *z, const protea_tensor *supports,
                            int64_t first, protea_row_norm_kind kind, bool unit)
{
    int64_t m = supports->dim[0];
    for (int64_t at = 0; at < m; at += PIECE) {
        protea_tensor piece = protea_row_range(supports, at, m - at < PIECE ? m - at : PIECE);
        PROTEA_TRY(search_piece(cx, nb, z, &piece, first + at, kind, unit));
        if (cx->planning)
            return PROTEA_OK; /* the first piece is the largest */
    }
    return PROTEA_OK;
}

protea_status protea_neighbours_search_bank(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *z,
                                            const protea_bank *bank, protea_row_norm_kind kind)
{
    if (cx->planning) {
        protea_tensor all = protea_row_range(&bank->rows, 0, bank->per_class);
        return search(cx, nb, z, &all, 0, kind, true);
    }
    for (int64_t c = 0; c < bank->n_classes; c++) {
        protea_tensor rows = protea_bank_class(bank, c);
        PROTEA_TRY(search(cx, nb, z, &rows, c * bank->per_class, kind, true));
    }
    return PROTEA_OK;
}

protea_status protea_neighbours_gather(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *scores, protea_tensor *out)
{
    int64_t c = scores->dim[1];
    PROTEA_TRY(protea_tensor_rows(cx, out, PROTEA_KEPT, nb->n * nb->k, c));
    for (int64_t i = 0; i < nb->n * nb->k && !cx->planning; i++) {
        if (i % nb->k >= nb->found)
            continue;
        memcpy(protea_f32(out) + i * c, protea_f32(scores) + nb->index[i] * c, (size_t)c * sizeof(float));
        nb->index[i] = i;
    }
    return PROTEA_OK;
}

/* ---- the reference's helpers */

static protea_status search_normalised(protea_ctx *cx, protea_neighbours *nb, const protea_tensor *feature,
                                       const protea_tensor *supports, int64_t k, protea_row_norm_kind kind)
{
    protea_tensor z, norm;
    int64_t most = k < supports->dim[0] ? k : supports->dim[0];
    PROTEA_TRY(protea_neighbours_start(cx, nb, feature->dim[0], most));
    PROTEA_TRY(protea_tensor_like(cx, &z, PROTEA_SCRATCH, feature));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, feature->dim[0], 1));
    PROTEA_TRY(protea_row_norm(cx, kind, &z, &norm, feature));
    return search(cx, nb, &z, supports, 0, kind, false);
}

/* mean (C): of the scores of the neighbours of feature n. Returns its largest. */
static int64_t mean_score(float *mean, const protea_neighbours *nb, int64_t n, const protea_tensor *scores)
{
    int64_t c = scores->dim[1], best = 0;
    for (int64_t i = 0; i < c; i++) {
        double sum = 0;
        for (int64_t j = 0; j < nb->found; j++)
            sum += protea_f32(scores)[nb->index[n * nb->k + j] * c + i];
        mean[i] = (float)(sum / (double)nb->found);
        best = mean[i] > mean[best] ? i : best;
    }
    return best;
}

static protea_status vote(protea_ctx *cx, int64_t *labels, protea_tensor *probs, const protea_tensor *features,
                          const protea_tensor *supports, const protea_tensor *scores, int64_t k, protea_row_norm_kind kind)
{
    size_t mark = protea_arena_mark(cx->scratch), kept = protea_arena_mark(cx->kept);
    protea_neighbours nb;
    PROTEA_TRY(search_normalised(cx, &nb, features, supports, k, kind));
    for (int64_t n = 0; n < nb.n && !cx->planning; n++)
        labels[n] = mean_score(protea_f32(probs) + n * scores->dim[1], &nb, n, scores);
    protea_arena_release(cx->scratch, mark);
    protea_arena_release(cx->kept, kept);
    return PROTEA_OK;
}

protea_status protea_topk_labels(protea_ctx *cx, int64_t *labels, const protea_tensor *feature, const protea_tensor *supports,
                                 const protea_tensor *scores, int64_t k)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor probs;
    PROTEA_TRY(protea_tensor_rows(cx, &probs, PROTEA_SCRATCH, feature->dim[0], scores->dim[1]));
    PROTEA_TRY(vote(cx, labels, &probs, feature, supports, scores, k, PROTEA_NORM_L1));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_soft_k_nearest_neighbors(protea_ctx *cx, int64_t *labels, protea_tensor *probs,
                                              const protea_tensor *features, const protea_tensor *bank,
                                              const protea_tensor *bank_probs, int64_t k)
{
    return vote(cx, labels, probs, features, bank, bank_probs, k, PROTEA_NORM_L2);
}

/* |x - y| of each pair, summed as it is, since a difference of squares would cancel for near rows. */
static void euclidean(protea_tensor *d, const protea_tensor *x, const protea_tensor *y)
{
    int64_t n = x->dim[0], m = y->dim[0], dim = x->dim[1];
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < n; row++)
        for (int64_t j = 0; j < m; j++) {
            double sum = 0;
            for (int64_t i = 0; i < dim; i++) {
                double off = (double)protea_f32(x)[row * dim + i] - protea_f32(y)[j * dim + i];
                sum += off * off;
            }
            protea_f32(d)[row * m + j] = (float)sqrt(sum);
        }
}

protea_status protea_get_distances(protea_ctx *cx, protea_tensor *d, const protea_tensor *x, const protea_tensor *y,
                                   protea_distance kind)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor a, b, norm;
    if (kind == PROTEA_EUCLIDEAN) {
        if (!cx->planning)
            euclidean(d, x, y);
        return PROTEA_OK;
    }
    PROTEA_TRY(protea_tensor_like(cx, &a, PROTEA_SCRATCH, x));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, x->dim[0], 1));
    PROTEA_TRY(protea_l2norm(cx, &a, &norm, x));
    PROTEA_TRY(protea_tensor_like(cx, &b, PROTEA_SCRATCH, y));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, y->dim[0], 1));
    PROTEA_TRY(protea_l2norm(cx, &b, &norm, y));
    PROTEA_TRY(protea_fill(cx, d, 1));
    PROTEA_TRY(protea_gemm(cx, d, &a, &b, false, true, -1, 1));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* Marks the knn entries of row that are least, the row's own left out. */
static void mark_nearest(float *w, const float *d, int64_t n, int64_t row, int64_t knn)
{
    for (int64_t j = 0; j < n; j++)
        w[j] = 0;
    for (int64_t k = 0; k < knn && k < n - 1; k++) {
        int64_t best = -1;
        for (int64_t j = 0; j < n; j++)
            if (j != row && !(w[j] > 0) && (best < 0 || d[j] < d[best]))
                best = j;
        w[best] = 1;
    }
}

protea_status protea_knn_graph(protea_ctx *cx, protea_tensor *w, const protea_tensor *d, int64_t knn)
{
    int64_t n = d->dim[0];
    for (int64_t row = 0; row < n && !cx->planning; row++)
        mark_nearest(protea_f32(w) + row * n, protea_f32(d) + row * n, n, row, knn);
    return PROTEA_OK;
}

protea_status protea_knn_affinity(protea_ctx *cx, protea_tensor *w, const protea_tensor *x, int64_t knn)
{
    size_t mark = protea_arena_mark(cx->scratch);
    int64_t n = x->dim[0];
    protea_tensor unit, norm, d;
    PROTEA_TRY(protea_tensor_like(cx, &unit, PROTEA_SCRATCH, x));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, n, 1));
    PROTEA_TRY(protea_tensor_rows(cx, &d, PROTEA_SCRATCH, n, n));
    PROTEA_TRY(protea_row_norm(cx, PROTEA_NORM_L1, &unit, &norm, x));
    PROTEA_TRY(protea_get_distances(cx, &d, &unit, &unit, PROTEA_EUCLIDEAN));
    PROTEA_TRY(protea_knn_graph(cx, w, &d, knn));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
