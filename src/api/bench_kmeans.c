/* `protea bench kmeans`: an iteration of k-means on as many unit vectors as a small data set has images. */
#include <math.h>

#include "api/bench.h"
#include "base/clock.h"
#include "cluster/kmeans.h"
#include "cluster/kmeans_points.h"

enum { ROWS = 200000, WIDTH = 128, CLUSTERS = 2500, CENTRES = 2 * CLUSTERS };
static const double FLOPS = 2.0 * ROWS * WIDTH * CLUSTERS;

typedef struct kmeans_bench {
    const protea_bench *b;
    float *centres, *x, *centroids;     /* (CENTRES,WIDTH), (ROWS,WIDTH), (CLUSTERS,WIDTH); owned */
    protea_kmeans_iteration *record;    /* (1 + steps) owned */
    double *seconds;                    /* (1 + steps) owned */
} kmeans_bench;

/* A row near one of the centres, of length 1. */
static void make_row(float *row, const float *centres, int64_t i)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 1, (uint64_t)i, 0);
    const float *centre = centres + protea_rng_below(&rng, CENTRES) * WIDTH;
    double squares = 0;
    for (int j = 0; j < WIDTH; j++) {
        row[j] = centre[j] + 0.9f * protea_rng_normal(&rng);
        squares += (double)row[j] * (double)row[j];
    }
    for (int j = 0; j < WIDTH; j++)
        row[j] /= (float)sqrt(squares);
}

static protea_status make_rows(kmeans_bench *k)
{
    const size_t row = WIDTH * sizeof(float), runs = (size_t)k->b->steps + 1;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    PROTEA_TRY(protea_new(&k->centres, CENTRES, row, "centres"));
    PROTEA_TRY(protea_new(&k->x, ROWS, row, "rows"));
    PROTEA_TRY(protea_new(&k->centroids, CLUSTERS, row, "centroids"));
    PROTEA_TRY(protea_new(&k->record, runs, sizeof *k->record, "a record"));
    PROTEA_TRY(protea_new(&k->seconds, runs, sizeof *k->seconds, "times"));
    for (int64_t i = 0; i < CENTRES * WIDTH; i++)
        k->centres[i] = protea_rng_normal(&rng);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < ROWS; i++)
        make_row(k->x + i * WIDTH, k->centres, i);
    return PROTEA_OK;
}

static int stop_on_request(void *self, const protea_kmeans_iteration *now)
{
    const kmeans_bench *k = self;
    (void)now;
    return k->b->hooks->stop != NULL && *k->b->hooks->stop;
}

static protea_status fit(protea_bench_result *out, kmeans_bench *k)
{
    protea_kmeans_opts opts = protea_kmeans_defaults();
    protea_kmeans_out result = { .centroids = k->centroids, .record = k->record };
    opts.k = CLUSTERS;
    opts.niter = k->b->steps + 1;
    opts.bf16 = k->b->session->cx.compute == PROTEA_BF16;
    opts.each = stop_on_request;
    opts.cookie = k;
    PROTEA_TRY(protea_kmeans_fit(&k->b->session->cx, &result, k->x, ROWS, WIDTH, &opts));
    for (int64_t i = 0; i < k->b->steps; i++)
        k->seconds[i] = k->record[i + 1].seconds;
    *out = (protea_bench_result){ .seconds = protea_bench_settle(k->b, k->seconds), .count = ROWS, .unit = "rows",
                                  .flops = FLOPS };
    return PROTEA_OK;
}

/* The part of an iteration that multiplies: nearest centroids of all rows, without what else assignment and update do. */
static protea_status search(double *seconds, kmeans_bench *k)
{
    protea_ctx *cx = &k->b->session->cx;
    const protea_points rows = { .x = k->x, .n = ROWS, .d = WIDTH };
    const float mean[WIDTH] = { 0 }; /* about */
    protea_pack pack;
    int32_t *index;
    PROTEA_TRY(protea_new(&index, ROWS, sizeof *index, "nearest centroids"));
    protea_status status = protea_pack_new(&pack, cx, CLUSTERS, WIDTH, cx->compute);
    for (int64_t i = 0; i < k->b->steps && status == PROTEA_OK; i++) {
        double started = protea_seconds();
        protea_pack_nearest(cx, &pack, index, &rows, k->centroids, mean);
        k->seconds[i] = protea_seconds() - started;
    }
    protea_pack_release(&pack);
    protea_free(index);
    *seconds = protea_bench_settle(k->b, k->seconds);
    return status;
}

static protea_status measure(protea_bench_result *out, kmeans_bench *k)
{
    double alone;
    PROTEA_TRY(fit(out, k));
    PROTEA_TRY(search(&alone, k));
    double gflops = FLOPS / alone / 1e9;
    protea_log(&k->b->session->cx, PROTEA_LOG_INFO, "nearest centroids alone: %.1f ms, %.0f GFLOP/s of a peak of %.0f: %.2f of it",
               alone * 1e3, gflops, k->b->peak, gflops / k->b->peak);
    return PROTEA_OK;
}

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    kmeans_bench k = { .b = b };
    protea_status status = make_rows(&k);
    if (status == PROTEA_OK)
        status = measure(out, &k);
    protea_free(k.centres);
    protea_free(k.x);
    protea_free(k.centroids);
    protea_free(k.record);
    protea_free(k.seconds);
    return status;
}

const protea_bench_ops protea_bench_kmeans = {
    .name = "kmeans",
    .summary = "an iteration of k-means, 200,000 rows of 128 numbers, 2,500 clusters",
    .has_peer = true,
    .step = step,
};
