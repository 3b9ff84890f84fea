/* The second half of an iteration of k-means: each centroid becomes the mean of its rows, and empty clusters get some.
 *
 * Rows are sorted by cluster, and clusters cut into segments, whose sums are each one thread's work and added up in order: the
 * result does not depend on how many threads there are, and nothing but the rows themselves is read. That is done for a chunk
 * of rows after another, so that rows in a file larger than memory come from it in order. */
#include "cluster/kmeans_points.h"

#include <math.h>
#include <string.h>

enum { SEGMENT = 4096, PAGE_FLOATS = 1024 };
static const int64_t CHUNK_BYTES = 256 << 20;

static int64_t chunk_rows(const protea_points *p)
{
    int64_t rows = CHUNK_BYTES / (int64_t)sizeof(float) / p->d;
    rows = rows < SEGMENT ? SEGMENT : rows;
    return rows < p->n ? rows : p->n;
}

protea_status protea_clusters_new(protea_clusters *c, const protea_points *p, int64_t k)
{
    size_t clusters = (size_t)k, rows = (size_t)chunk_rows(p), row_bytes = (size_t)p->d * sizeof(double);
    size_t segments = rows / SEGMENT + clusters, parts = 2 * (rows / SEGMENT) + 1; /* parts: of clusters that have several */
    *c = (protea_clusters){ .k = k, .chunk = (int64_t)rows };
    PROTEA_TRY(protea_new(&c->start, clusters + 1, sizeof *c->start, "clusters"));
    PROTEA_TRY(protea_new(&c->next, clusters, sizeof *c->next, "clusters"));
    PROTEA_TRY(protea_new(&c->member, rows, sizeof *c->member, "members of clusters"));
    PROTEA_TRY(protea_new(&c->segment, segments, sizeof *c->segment, "parts of clusters"));
    PROTEA_TRY(protea_new(&c->part, parts, row_bytes, "sums of parts of clusters"));
    PROTEA_TRY(protea_new(&c->sum, clusters, row_bytes, "sums of clusters"));
    PROTEA_TRY(protea_new(&c->weight, clusters, sizeof *c->weight, "clusters"));
    PROTEA_TRY(protea_new(&c->cost, clusters, sizeof *c->cost, "clusters"));
    return protea_new(&c->count, clusters, sizeof *c->count, "clusters");
}

void protea_clusters_release(protea_clusters *c)
{
    protea_free(c->start);
    protea_free(c->next);
    protea_free(c->member);
    protea_free(c->segment);
    protea_free(c->part);
    protea_free(c->sum);
    protea_free(c->weight);
    protea_free(c->cost);
    protea_free(c->count);
    *c = (protea_clusters){ 0 };
}

/* Sorts the rows [first, first + n) by cluster, in their order within each. */
static void sort_chunk(protea_clusters *c, const protea_points *p, const int32_t *assign, int64_t first, int64_t n)
{
    memset(c->next, 0, (size_t)c->k * sizeof *c->next);
    for (int64_t i = first; i < first + n; i++)
        c->next[assign[i]]++;
    for (int64_t j = 0; j < c->k; j++) {
        c->start[j + 1] = c->start[j] + c->next[j];
        c->count[j] += c->next[j];
        c->next[j] = c->start[j];
    }
    for (int64_t i = first; i < first + n; i++)
        c->member[c->next[assign[i]]++] = protea_point_row(p, i);
}

/* A cluster of one segment is summed up where its sum is kept; of several, each has a part of its own. */
static void cut_segments(protea_clusters *c, int64_t d)
{
    double *part = c->part;
    c->n_segments = 0;
    for (int64_t j = 0; j < c->k; j++) {
        bool whole = c->start[j + 1] - c->start[j] <= SEGMENT;
        for (int64_t first = c->start[j]; first < c->start[j + 1]; first += SEGMENT) {
            int64_t left = c->start[j + 1] - first;
            c->segment[c->n_segments++] = (protea_segment){ .cluster = j, .first = first, .n = left < SEGMENT ? left : SEGMENT,
                                                            .sum = whole ? c->sum + j * d : part };
            part += whole ? 0 : d;
        }
    }
}

/* Rows of a file come in order when they are looked at in order; the sums would ask for them by cluster. */
static void read_ahead(const protea_points *p, int64_t first, int64_t n)
{
    const float *from = p->x + protea_point_row(p, first) * p->d, *to = p->x + (protea_point_row(p, first + n - 1) + 1) * p->d;
    float sum = 0;
    for (const volatile float *at = from; at < to; at += PAGE_FLOATS)
        sum += *at;
    (void)sum;
}

static void sum_segments(const protea_ctx *cx, protea_clusters *c, const protea_points *p, const float *centroids)
{
    int64_t d = p->d;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t s = 0; s < c->n_segments; s++) {
        protea_segment *seg = &c->segment[s];
        if (seg->sum != c->sum + seg->cluster * d)
            memset(seg->sum, 0, (size_t)d * sizeof *seg->sum);
        seg->cost = cx->be->k.cluster_sum(cx->be, seg->sum, p->x, c->member + seg->first, p->weights, centroids + seg->cluster * d,
                                          seg->n, d);
    }
}

static void join_segments(protea_clusters *c, int64_t d)
{
    for (int64_t s = 0; s < c->n_segments; s++) {
        const protea_segment *seg = &c->segment[s];
        double *sum = c->sum + seg->cluster * d;
        c->cost[seg->cluster] += seg->cost;
        for (int64_t i = 0; seg->sum != sum && i < d; i++)
            sum[i] += seg->sum[i];
    }
}

static void weigh(protea_clusters *c, const protea_points *p, const int32_t *assign)
{
    for (int64_t j = 0; j < c->k; j++)
        c->weight[j] = p->weights == NULL ? (double)c->count[j] : 0;
    for (int64_t i = 0; p->weights != NULL && i < p->n; i++)
        c->weight[assign[i]] += (double)p->weights[protea_point_row(p, i)];
}

/* The centroid (d) becomes the mean, or the direction, of a sum of rows; where there is none it stays. */
static void settle(float *centroid, const double *sum, int64_t d, double weight, bool spherical)
{
    double length = weight;
    if (spherical) {
        length = 0;
        for (int64_t i = 0; i < d; i++)
            length += sum[i] * sum[i];
        length = sqrt(length);
    }
    for (int64_t i = 0; weight > 0 && length > 0 && i < d; i++)
        centroid[i] = (float)(sum[i] / length);
}

double protea_clusters_update(const protea_ctx *cx, protea_clusters *c, const protea_points *p, const int32_t *assign,
                              float *centroids, bool spherical)
{
    int64_t d = p->d;
    double objective = 0;
    memset(c->sum, 0, (size_t)(c->k * d) * sizeof *c->sum);
    memset(c->cost, 0, (size_t)c->k * sizeof *c->cost);
    memset(c->count, 0, (size_t)c->k * sizeof *c->count);
    for (int64_t first = 0; first < p->n; first += c->chunk) {
        int64_t n = p->n - first < c->chunk ? p->n - first : c->chunk;
        sort_chunk(c, p, assign, first, n);
        cut_segments(c, d);
        if (n < p->n)
            read_ahead(p, first, n);
        sum_segments(cx, c, p, centroids);
        join_segments(c, d);
    }
    weigh(c, p, assign);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < c->k; j++)
        settle(centroids + j * d, c->sum + j * d, d, c->weight[j], spherical);
    for (int64_t j = 0; j < c->k; j++)
        objective += c->cost[j];
    return objective;
}

/* ---- empty clusters: faiss's rule (Clustering.cpp, split_clusters) */

/* A cluster that may give half of its rows: with probability ~ rows - 1, and never one whose rows are all the same. After
 * 10 K refusals the largest one; -1 where there is none. */
static int64_t draw_donor(const protea_clusters *c, int64_t n, protea_rng *rng)
{
    int64_t largest = -1;
    for (int64_t j = 0; j < c->k; j++)
        if (c->cost[j] > 0 && c->count[j] > 1 && (largest < 0 || c->count[j] > c->count[largest]))
            largest = j;
    for (int64_t try = 0; largest >= 0 && n > c->k && try < 10 * c->k; try++) {
        int64_t j = try % c->k;
        double share = (double)(c->count[j] - 1) / (double)(n - c->k);
        if (c->cost[j] > 0 && protea_rng_uniform_double(rng) < share)
            return j;
    }
    return largest;
}

/* Two copies of the donor's centroid, 1/1024 apart on either side of it. */
static void move_apart(float *restrict taker, float *restrict donor, int64_t d)
{
    const float step = 1.0f / 1024;
    for (int64_t i = 0; i < d; i++) {
        float off = i % 2 == 0 ? step : -step;
        taker[i] = donor[i] * (1 + off);
        donor[i] = donor[i] * (1 - off);
    }
}

int64_t protea_clusters_split(protea_clusters *c, int64_t n, int64_t d, float *centroids, protea_rng *rng)
{
    int64_t splits = 0;
    for (int64_t j = 0; j < c->k; j++) {
        if (c->count[j] > 0)
            continue;
        int64_t donor = draw_donor(c, n, rng);
        if (donor < 0)
            break;
        move_apart(centroids + j * d, centroids + donor * d, d);
        c->count[j] = c->count[donor] / 2;
        c->count[donor] -= c->count[j];
        c->cost[j] = c->cost[donor] /= 2;
        splits++;
    }
    return splits;
}

double protea_clusters_imbalance(const protea_clusters *c, int64_t n)
{
    double squares = 0;
    for (int64_t j = 0; j < c->k; j++)
        squares += (double)c->count[j] * (double)c->count[j];
    return squares * (double)c->k / ((double)n * (double)n);
}
