/* Reference: the nearest centroid. A pack is the centre, then the centred centroids, then their squared lengths, in double. */
#include <math.h>

#include "backend/bf16.h"
#include "backend/cpu/fill.h"

static double rounded(double value, protea_dtype dtype)
{
    float f = (float)value;
    return (double)(dtype == PROTEA_BF16 ? protea_bf16_to_f32(protea_f32_to_bf16(f)) : f);
}

static size_t nearest_bytes(const protea_backend *be, const protea_nearest_dims *dims)
{
    (void)be;
    return (size_t)(dims->d + dims->k * dims->d + dims->k) * sizeof(double);
}

static void nearest_pack(protea_backend *be, void *pack, const float *centroids, const float *centre,
                         const protea_nearest_dims *dims)
{
    (void)be;
    int64_t d = dims->d;
    double *m = pack, *c = m + d, *length = c + dims->k * d;
    for (int64_t i = 0; i < d; i++)
        m[i] = centre[i];
    for (int64_t j = 0; j < dims->k; j++) {
        length[j] = 0;
        for (int64_t i = 0; i < d; i++) {
            double value = rounded((double)centroids[j * d + i] - m[i], dims->dtype);
            c[j * d + i] = value;
            length[j] += value * value;
        }
    }
}

/* Of row x and centroid j. */
static float score_of(const float *x, const double *pack, int64_t j, const protea_nearest_dims *dims)
{
    int64_t d = dims->d;
    const double *m = pack, *c = m + d, *length = c + dims->k * d;
    double dot = 0;
    for (int64_t i = 0; i < d; i++)
        dot += rounded((double)x[i] - m[i], dims->dtype) * c[j * d + i];
    return (float)(length[j] - 2 * dot);
}

static int32_t nearest_of(float *score, const float *x, const double *pack, const protea_nearest_dims *dims)
{
    int32_t index = 0;
    *score = INFINITY;
    for (int64_t j = 0; j < dims->k; j++) {
        float own = score_of(x, pack, j, dims);
        if (own < *score) {
            *score = own;
            index = (int32_t)j;
        }
    }
    return index;
}

static void nearest(protea_backend *be, int32_t *index, float *score, const float *x, const int64_t *rows, int64_t n, void *pack,
                    const protea_nearest_dims *dims)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        float least;
        index[i] = nearest_of(&least, x + (rows != NULL ? rows[i] : i) * dims->d, pack, dims);
        if (score != NULL)
            score[i] = least;
    }
}

static void nearest_below(protea_backend *be, const protea_near_sink *sink, const float *x, int64_t n, void *pack,
                          const protea_nearest_dims *dims)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < dims->k; j++) {
            protea_near near = { (int32_t)i, (int32_t)j, score_of(x + i * dims->d, pack, j, dims) };
            if (near.score < sink->limit[i])
                sink->take(sink->self, &near, 1);
        }
}

static double cluster_sum(const protea_backend *be, double *sum, const float *x, const int64_t *rows, const float *weights,
                          const float *c, int64_t n, int64_t d)
{
    (void)be;
    double cost = 0;
    for (int64_t r = 0; r < n; r++) {
        const float *row = x + rows[r] * d;
        double w = weights != NULL ? (double)weights[rows[r]] : 1, squares = 0;
        for (int64_t i = 0; i < d; i++) {
            double off = (double)row[i] - (double)c[i];
            squares += off * off;
            sum[i] += w * (double)row[i];
        }
        cost += w * squares;
    }
    return cost;
}

static double squared_distance(const protea_backend *be, const float *a, const float *b, int64_t d)
{
    (void)be;
    double sum = 0;
    for (int64_t i = 0; i < d; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

void protea_ref_fill_nearest(protea_kernels *k)
{
    k->nearest_bytes = nearest_bytes;
    k->nearest_pack = nearest_pack;
    k->nearest = nearest;
    k->nearest_below = nearest_below;
    k->cluster_sum = cluster_sum;
    k->squared_distance = squared_distance;
}
