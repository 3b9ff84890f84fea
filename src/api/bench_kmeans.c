/* `protea bench kmeans`: an iteration of k-means on as many unit vectors as a small data set has images. */
#include <math.h>

#include "api/bench.h"
#include "backend/cpu/cpu.h"
#include "cluster/kmeans.h"

enum { ROWS = 200000, WIDTH = 128, CLUSTERS = 2500, CENTRES = 2 * CLUSTERS };

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

static protea_status measure(protea_bench_result *out, kmeans_bench *k)
{
    protea_ctx *cx = &k->b->session->cx;
    protea_kmeans_opts opts = protea_kmeans_defaults();
    protea_kmeans_out result = { .centroids = k->centroids, .record = k->record };
    double assign, peak, gflop = 2.0 * ROWS * WIDTH * CLUSTERS / 1e9;
    opts.k = CLUSTERS;
    opts.niter = k->b->steps + 1;
    opts.bf16 = cx->compute == PROTEA_BF16;
    opts.each = stop_on_request;
    opts.cookie = k;
    PROTEA_TRY(protea_kmeans_fit(cx, &result, k->x, ROWS, WIDTH, &opts));
    PROTEA_TRY(protea_cpu_peak(&peak, cx->be, cx->compute));
    for (int64_t i = 0; i < k->b->steps; i++)
        k->seconds[i] = k->record[i + 1].seconds_assign;
    assign = protea_bench_median(k->seconds, k->b->steps);
    for (int64_t i = 0; i < k->b->steps; i++)
        k->seconds[i] = k->record[i + 1].seconds;
    *out = (protea_bench_result){ .seconds = protea_bench_settle(k->b, k->seconds), .count = ROWS, .unit = "rows" };
    protea_log(cx, PROTEA_LOG_INFO, "nearest centroids: %.1f of %.1f ms, %.0f GFLOP/s, %.2f of the peak", assign * 1e3,
               out->seconds * 1e3, gflop / assign, gflop / assign / peak);
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
