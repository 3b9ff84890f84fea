/* Lloyd's algorithm (Lloyd 1982) with faiss's semantics: initialisation, redos, training on a part of the rows, and what
 * becomes of empty clusters. */
#include "cluster/kmeans.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "cluster/kmeans_points.h"

protea_kmeans_opts protea_kmeans_defaults(void)
{
    return (protea_kmeans_opts){ .niter = 25, .nredo = 1, .max_points_per_centroid = 256, .min_points_per_centroid = 39 };
}

/* One fit. */
typedef struct lloyd {
    protea_ctx *cx;
    const protea_kmeans_opts *o;
    protea_points all, points;  /* every row; those that are trained on */
    float *mean;                /* (d) of all rows */
    protea_again again;         /* nearest centroids of this iteration */
    float *centroids;           /* (k,d) of this redo: room, or of the only one the result itself */
    float *room;                /* (k,d) owned; NULL where there is one redo */
    protea_clusters clusters;
    protea_kmeans_out *out;
    double best;                /* least objective of a redo; infinite before the first */
} lloyd;

static protea_status check_opts(const protea_kmeans_opts *o, int64_t n, int64_t d)
{
    if (o->k < 1 || o->k > INT32_MAX)
        return protea_fail(PROTEA_ERR_USAGE, "k-means: %lld clusters asked for, at least 1 wanted", (long long)o->k);
    if (o->niter < 1 || o->nredo < 1)
        return protea_fail(PROTEA_ERR_USAGE, "k-means: %lld iterations and %lld redos asked for, at least 1 wanted",
                           (long long)o->niter, (long long)o->nredo);
    if (o->max_points_per_centroid < 0)
        return protea_fail(PROTEA_ERR_USAGE, "k-means: max_points_per_centroid is %lld, at least 0 wanted",
                           (long long)o->max_points_per_centroid);
    if (d < 1 || n < o->k)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %lld rows of %lld columns for %lld clusters; at least as many rows as "
                           "clusters wanted", o->name != NULL ? o->name : "k-means", (long long)n, (long long)d, (long long)o->k);
    return PROTEA_OK;
}

static protea_status choose_points(lloyd *l)
{
    int64_t per = l->o->max_points_per_centroid, k = l->o->k;
    l->points = l->all;
    if (per > 0 && l->all.n / per >= k && l->all.n > per * k)
        PROTEA_TRY(protea_points_draw(&l->points, per * k, l->o->seed));
    if (l->points.n < l->o->min_points_per_centroid * k)
        protea_log(l->cx, PROTEA_LOG_WARN, "k-means: %lld rows for %lld clusters; at least %lld rows make good centroids",
                   (long long)l->points.n, (long long)k, (long long)(l->o->min_points_per_centroid * k));
    return PROTEA_OK;
}

static int64_t redos(const protea_kmeans_opts *o)
{
    return o->centroids != NULL ? 1 : o->nredo;
}

static protea_status prepare(lloyd *l)
{
    size_t k = (size_t)l->o->k, d = (size_t)l->all.d;
    PROTEA_TRY(protea_new(&l->mean, d, sizeof *l->mean, "a mean"));
    if (l->o->centroids != NULL) {
        const protea_points start = { .x = l->o->centroids, .n = l->o->k, .d = l->all.d, .name = "initial centroids" };
        PROTEA_TRY(protea_points_check(&start, l->mean)); /* whose mean gives way to that of all rows */
    }
    PROTEA_TRY(protea_points_check(&l->all, l->mean));
    PROTEA_TRY(choose_points(l));
    if (redos(l->o) > 1)
        PROTEA_TRY(protea_new(&l->room, k, d * sizeof *l->room, "centroids"));
    l->centroids = l->room != NULL ? l->room : l->out->centroids;
    PROTEA_TRY(protea_clusters_new(&l->clusters, &l->points, l->o->k));
    return protea_again_new(&l->again, l->cx, &l->points, l->o->k, l->o->bf16 ? PROTEA_BF16 : PROTEA_F32);
}

static void iterate(lloyd *l, protea_kmeans_iteration *now)
{
    protea_rng rng = protea_rng_make(l->o->seed, PROTEA_RNG_KMEANS, (uint32_t)now->redo, (uint64_t)now->iteration, 2);
    double started = protea_seconds();
    now->moved = protea_again_nearest(l->cx, &l->again, &l->points, l->centroids, l->mean);
    now->seconds_assign = protea_seconds() - started;
    now->objective = protea_clusters_update(l->cx, &l->clusters, &l->points, l->again.assign, l->centroids, l->o->spherical);
    now->imbalance = protea_clusters_imbalance(&l->clusters, l->points.n);
    if (l->o->empty == PROTEA_KMEANS_SPLIT)
        now->splits = protea_clusters_split(&l->clusters, l->points.n, l->points.d, l->centroids, &rng);
    now->seconds = protea_seconds() - started;
}

static protea_status run_once(lloyd *l, int64_t redo)
{
    protea_kmeans_iteration now = { 0 };
    PROTEA_TRY(protea_points_start(l->cx, &l->points, l->centroids, l->o, redo));
    l->again.known = false;
    for (int64_t i = 0; i < l->o->niter; i++) {
        now = (protea_kmeans_iteration){ .redo = redo, .iteration = i };
        iterate(l, &now);
        if (l->out->record != NULL)
            l->out->record[l->out->n_record] = now;
        l->out->n_record++;
        if (l->o->each != NULL && l->o->each(l->o->cookie, &now) != 0)
            return protea_fail(PROTEA_STOPPED, "k-means: stopped in iteration %lld", (long long)i);
        if (now.moved == 0 && now.splits == 0)
            break;
    }
    if (!(now.objective < l->best))
        return PROTEA_OK;
    l->best = now.objective;
    if (l->room != NULL)
        memcpy(l->out->centroids, l->room, (size_t)(l->o->k * l->all.d) * sizeof *l->room);
    return PROTEA_OK;
}

static protea_status fit(lloyd *l)
{
    protea_kmeans_out *out = l->out;
    PROTEA_TRY(check_opts(l->o, l->all.n, l->all.d));
    PROTEA_TRY(prepare(l));
    for (int64_t redo = 0; redo < redos(l->o); redo++)
        PROTEA_TRY(run_once(l, redo));
    out->objective = l->best;
    protea_clusters_release(&l->clusters); /* before the last search takes memory of its own */
    protea_again_release(&l->again);
    if (out->assign == NULL && out->distances == NULL)
        return PROTEA_OK;
    return protea_points_assign(l->cx, out->assign, out->distances, &out->objective, &l->all, l->mean, out->centroids, l->o->k,
                                PROTEA_F32);
}

protea_status protea_kmeans_fit(protea_ctx *cx, protea_kmeans_out *out, const float *x, int64_t n, int64_t d,
                                const protea_kmeans_opts *opts)
{
    lloyd l = { .cx = cx, .o = opts, .out = out, .best = INFINITY,
                .all = { .x = x, .weights = opts->weights, .n = n, .d = d, .name = opts->name } };
    out->n_record = 0;
    protea_status status = fit(&l);
    protea_free(l.mean);
    protea_free(l.points.rows);
    protea_free(l.room);
    protea_clusters_release(&l.clusters);
    protea_again_release(&l.again);
    return status;
}
