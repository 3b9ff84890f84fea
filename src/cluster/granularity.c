#include "cluster/granularity.h"

#include <stdio.h>
#include <string.h>

#include "cluster/agreement.h"
#include "cluster/concentration.h"
#include "cluster/kmeans.h"
#include "tensor/ops.h"

protea_status protea_granularity_new(protea_granularity *g, int64_t k, int64_t dim, int64_t n_images)
{
    const int64_t prototypes[2] = { k, dim };
    PROTEA_TRY(protea_tensor_new(&g->prototypes, 2, prototypes, "prototypes"));
    PROTEA_TRY(protea_tensor_new(&g->concentration, 1, &k, "concentration of clusters"));
    return protea_tensor_new_i32(&g->labels, 1, &n_images, "clusters of images");
}

void protea_granularity_release(protea_granularity *g)
{
    protea_tensor_release(&g->prototypes);
    protea_tensor_release(&g->concentration);
    protea_tensor_release(&g->labels);
}

/* Room that a fit needs and nothing after it does. */
typedef struct fit_room {
    float *distances; /* (n) */
    double *phi;      /* (K) */
    float *norm;      /* (K) */
    int32_t *before;  /* (n) clusters of the last fit */
} fit_room;

static protea_status fit_room_new(fit_room *room, int64_t n, int64_t k)
{
    PROTEA_TRY(protea_new(&room->distances, (size_t)n, sizeof *room->distances, "distances to centroids"));
    PROTEA_TRY(protea_new(&room->phi, (size_t)k, sizeof *room->phi, "concentration of clusters"));
    PROTEA_TRY(protea_new(&room->before, (size_t)n, sizeof *room->before, "clusters of images"));
    return protea_new(&room->norm, (size_t)k, sizeof *room->norm, "length of centroids");
}

static void fit_room_release(fit_room *room)
{
    protea_free(room->distances);
    protea_free(room->phi);
    protea_free(room->norm);
    protea_free(room->before);
}

static protea_status cluster(protea_ctx *cx, protea_granularity *g, const float *z, const protea_granularity_opts *opts,
                             float *distances)
{
    protea_kmeans_opts o = protea_kmeans_defaults();
    protea_kmeans_out out = { .centroids = protea_f32(&g->prototypes), .assign = protea_i32(&g->labels), .distances = distances };
    o.k = g->prototypes.dim[0];
    o.niter = opts->niter;
    o.nredo = opts->nredo;
    o.seed = opts->seed;
    o.max_points_per_centroid = opts->max_points;
    o.min_points_per_centroid = 0; /* said once, before training */
    return protea_kmeans_fit(cx, &out, z, g->labels.dim[0], g->prototypes.dim[1], &o);
}

static void keep_concentration(protea_granularity *g, const double *phi, protea_granularity_stats *stats)
{
    stats->phi_min = stats->phi_max = phi[0];
    for (int64_t k = 0; k < g->concentration.dim[0]; k++) {
        protea_f32(&g->concentration)[k] = (float)phi[k];
        stats->phi_min = phi[k] < stats->phi_min ? phi[k] : stats->phi_min;
        stats->phi_max = phi[k] > stats->phi_max ? phi[k] : stats->phi_max;
    }
}

static protea_status fit(protea_ctx *cx, protea_granularity *g, const float *z, const protea_granularity_opts *opts,
                         protea_granularity_stats *stats, const fit_room *room)
{
    int64_t n = g->labels.dim[0], k = g->prototypes.dim[0], dim = g->prototypes.dim[1];
    const int32_t *labels = protea_i32(&g->labels);
    memcpy(room->before, labels, (size_t)n * sizeof *labels);
    PROTEA_TRY(cluster(cx, g, z, opts, room->distances));
    PROTEA_TRY(protea_concentration(room->phi, labels, room->distances, n, k, opts->temperature));
    keep_concentration(g, room->phi, stats);
    cx->be->k.l2norm(cx->be, protea_f32(&g->prototypes), room->norm, protea_f32(&g->prototypes), k, dim);
    g->candidates = 0;
    PROTEA_TRY(protea_agreement(&stats->agreement, labels, room->before, n));
    return protea_cluster_sizes_of(&stats->sizes, labels, n, k);
}

protea_status protea_granularity_fit(protea_ctx *cx, protea_granularity *g, const float *z, const protea_granularity_opts *opts,
                                     protea_granularity_stats *stats)
{
    fit_room room = { 0 };
    protea_status status = fit_room_new(&room, g->labels.dim[0], g->prototypes.dim[0]);
    if (status == PROTEA_OK)
        status = fit(cx, g, z, opts, stats, &room);
    fit_room_release(&room);
    return status;
}

int64_t protea_granularity_candidates(protea_granularity *g)
{
    if (g->candidates == 0)
        for (int64_t i = 0; i < g->labels.dim[0]; i++)
            if (protea_i32(&g->labels)[i] >= g->candidates)
                g->candidates = protea_i32(&g->labels)[i] + 1;
    return g->candidates;
}

protea_status protea_granularity_visit(protea_granularity *g, int m, const protea_visitor *v)
{
    protea_tensor *tensors[] = { &g->prototypes, &g->concentration, &g->labels };
    static const char *const names[] = { "prototypes", "concentration", "im2cluster" };
    for (int i = 0; i < 3; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", m);
        PROTEA_TRY(protea_visit_buffer(v, names[i], number, tensors[i]));
    }
    return PROTEA_OK;
}
