/* The first half of an iteration of k-means, and what a fit ends with: which centroid is nearest, and how far it is. */
#include "cluster/kmeans.h"
#include "cluster/kmeans_points.h"

protea_status protea_pack_new(protea_pack *out, const protea_ctx *cx, int64_t k, int64_t d, protea_dtype dtype)
{
    *out = (protea_pack){ .dims = { k, d, dtype } };
    size_t bytes = cx->be->k.nearest_bytes(cx->be, &out->dims);
    PROTEA_TRY(protea_arena_new(&out->memory, bytes + 64, "packed centroids"));
    return protea_arena_alloc(out->memory, &out->bytes, bytes);
}

void protea_pack_release(protea_pack *pack)
{
    protea_arena_free(pack->memory);
    *pack = (protea_pack){ 0 };
}

void protea_pack_nearest(protea_ctx *cx, protea_pack *pack, int32_t *index, const protea_points *p, const float *centroids,
                         const float *mean)
{
    cx->be->k.nearest_pack(cx->be, pack->bytes, centroids, mean, &pack->dims);
    cx->be->k.nearest(cx->be, index, NULL, p->x, p->rows, p->n, pack->bytes, &pack->dims);
}

double protea_points_distances(const protea_ctx *cx, float *distances, const protea_points *p, const int32_t *assign,
                               const float *centroids)
{
    double sum = 0;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < p->n; i++) {
        const float *row = p->x + protea_point_row(p, i) * p->d;
        distances[i] = (float)cx->be->k.squared_distance(cx->be, row, centroids + assign[i] * p->d, p->d);
    }
    for (int64_t i = 0; i < p->n; i++)
        sum += (p->weights != NULL ? (double)p->weights[protea_point_row(p, i)] : 1) * (double)distances[i];
    return sum;
}

/* What a caller of protea_points_assign left out. */
typedef struct spare {
    float *distances;
    int32_t *assign;
} spare;

static protea_status assign_rows(protea_ctx *cx, spare *own, int32_t *assign, float *distances, double *objective,
                                 const protea_points *p, const float *mean, const float *centroids, protea_pack *pack)
{
    if (assign == NULL)
        PROTEA_TRY(protea_new(&own->assign, (size_t)p->n, sizeof *own->assign, "nearest centroids"));
    if (distances == NULL)
        PROTEA_TRY(protea_new(&own->distances, (size_t)p->n, sizeof *own->distances, "distances"));
    assign = assign != NULL ? assign : own->assign;
    distances = distances != NULL ? distances : own->distances;
    protea_pack_nearest(cx, pack, assign, p, centroids, mean);
    double sum = protea_points_distances(cx, distances, p, assign, centroids);
    if (objective != NULL)
        *objective = sum;
    return PROTEA_OK;
}

protea_status protea_points_assign(protea_ctx *cx, int32_t *assign, float *distances, double *objective,
                                   const protea_points *p, const float *mean, const float *centroids, int64_t k,
                                   protea_dtype dtype)
{
    spare own = { 0 };
    protea_pack pack;
    protea_status status = protea_pack_new(&pack, cx, k, p->d, dtype);
    if (status == PROTEA_OK)
        status = assign_rows(cx, &own, assign, distances, objective, p, mean, centroids, &pack);
    protea_pack_release(&pack);
    protea_free(own.assign);
    protea_free(own.distances);
    return status;
}

protea_status protea_kmeans_assign(protea_ctx *cx, int32_t *assign, float *distances, double *objective, const float *x,
                                   int64_t n, int64_t d, const float *centroids, int64_t k, protea_dtype dtype)
{
    const protea_points p = { .x = x, .n = n, .d = d };
    float *mean;
    PROTEA_TRY(protea_new(&mean, (size_t)d, sizeof *mean, "a mean"));
    protea_status status = protea_points_check(&p, mean);
    if (status == PROTEA_OK)
        status = protea_points_assign(cx, assign, distances, objective, &p, mean, centroids, k, dtype);
    protea_free(mean);
    return status;
}
