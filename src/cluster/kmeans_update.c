/* The second half of an iteration of k-means: each centroid becomes the mean of its rows, and empty clusters get some.
 *
 * Rows are sorted by cluster, and clusters cut into segments, whose sums are each one thread's work and added up in order: the
 * result does not depend on how many threads there are, and nothing but the rows themselves is read. */
#include "cluster/kmeans_points.h"

#include <math.h>
#include <string.h>

enum { SEGMENT = 4096 };

protea_status protea_clusters_new(protea_clusters *c, const protea_points *p, int64_t k)
{
    size_t clusters = (size_t)k, segments = (size_t)(p->n / SEGMENT + k);
    *c = (protea_clusters){ .k = k };
    PROTEA_TRY(protea_new(&c->start, clusters + 1, sizeof *c->start, "clusters"));
    PROTEA_TRY(protea_new(&c->member, (size_t)p->n, sizeof *c->member, "members of clusters"));
    PROTEA_TRY(protea_new(&c->segment, segments, sizeof *c->segment, "parts of clusters"));
    PROTEA_TRY(protea_new(&c->sum, segments, (size_t)p->d * sizeof *c->sum, "sums of clusters"));
    PROTEA_TRY(protea_new(&c->segment_cost, segments, sizeof *c->segment_cost, "sums of clusters"));
    PROTEA_TRY(protea_new(&c->cost, clusters, sizeof *c->cost, "clusters"));
    return protea_new(&c->count, clusters, sizeof *c->count, "clusters");
}

void protea_clusters_release(protea_clusters *c)
{
    protea_free(c->start);
    protea_free(c->member);
    protea_free(c->segment);
    protea_free(c->sum);
    protea_free(c->segment_cost);
    protea_free(c->cost);
    protea_free(c->count);
    *c = (protea_clusters){ 0 };
}

static void cut_segments(protea_clusters *c)
{
    c->n_segments = 0;
    for (int64_t j = 0; j < c->k; j++)
        for (int64_t first = c->start[j]; first < c->start[j + 1]; first += SEGMENT) {
            int64_t left = c->start[j + 1] - first;
            c->segment[c->n_segments++] = (protea_segment){ j, first, left < SEGMENT ? left : SEGMENT };
        }
}

void protea_clusters_sort(protea_clusters *c, const protea_points *p, const int32_t *assign)
{
    memset(c->count, 0, (size_t)c->k * sizeof *c->count);
    for (int64_t i = 0; i < p->n; i++)
        c->count[assign[i]]++;
    for (int64_t j = 0; j < c->k; j++) {
        c->start[j + 1] = c->start[j] + c->count[j];
        c->count[j] = c->start[j];
    }
    for (int64_t i = 0; i < p->n; i++)
        c->member[c->count[assign[i]]++] = protea_point_row(p, i);
    for (int64_t j = 0; j < c->k; j++)
        c->count[j] = c->start[j + 1] - c->start[j];
    cut_segments(c);
}

static double weight_of(const protea_clusters *c, const protea_points *p, int64_t cluster)
{
    if (p->weights == NULL)
        return (double)c->count[cluster];
    double weight = 0;
    for (int64_t i = c->start[cluster]; i < c->start[cluster + 1]; i++)
        weight += (double)p->weights[c->member[i]];
    return weight;
}

/* Turns the sum of a cluster's rows (d) into its mean, or into a direction; returns false where there is none. */
static bool settle(double *sum, int64_t d, double weight, bool spherical)
{
    double length = weight;
    if (spherical) {
        length = 0;
        for (int64_t i = 0; i < d; i++)
            length += sum[i] * sum[i];
        length = sqrt(length);
    }
    for (int64_t i = 0; i < d; i++)
        sum[i] /= length;
    return weight > 0 && length > 0;
}

/* The segments of one cluster, from number `first` on, give its centroid and its cost. */
static void join_segments(protea_clusters *c, const protea_points *p, int64_t first, float *centroids, bool spherical)
{
    int64_t cluster = c->segment[first].cluster, d = p->d;
    double *sum = c->sum + first * d;
    c->cost[cluster] = c->segment_cost[first];
    for (int64_t s = first + 1; s < c->n_segments && c->segment[s].cluster == cluster; s++) {
        c->cost[cluster] += c->segment_cost[s];
        for (int64_t i = 0; i < d; i++)
            sum[i] += c->sum[s * d + i];
    }
    if (settle(sum, d, weight_of(c, p, cluster), spherical))
        for (int64_t i = 0; i < d; i++)
            centroids[cluster * d + i] = (float)sum[i];
}

double protea_clusters_update(const protea_ctx *cx, protea_clusters *c, const protea_points *p, float *centroids, bool spherical)
{
    int64_t d = p->d;
    double objective = 0;
    memset(c->cost, 0, (size_t)c->k * sizeof *c->cost);
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t s = 0; s < c->n_segments; s++) {
        const protea_segment *seg = &c->segment[s];
        memset(c->sum + s * d, 0, (size_t)d * sizeof *c->sum);
        c->segment_cost[s] = cx->be->k.cluster_sum(cx->be, c->sum + s * d, p->x, c->member + seg->first, p->weights,
                                                   centroids + seg->cluster * d, seg->n, d);
    }
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t s = 0; s < c->n_segments; s++)
        if (s == 0 || c->segment[s - 1].cluster != c->segment[s].cluster)
            join_segments(c, p, s, centroids, spherical);
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
