/* `protea bench knn`: neighbours of 10,000 queries among 50,000 rows, and their vote: CIFAR-10's test images among its training
 * images, by the features of a ResNet-18. */
#include "api/bench.h"
#include "eval/knn.h"

enum { ROWS = 50000, QUERIES = 10000, WIDTH = 512, CLASSES = 10 };
static const int64_t K = 200;
static const double TEMPERATURE = 0.1;

typedef struct knn_bench {
    protea_ctx *cx;
    float *rows, *queries;              /* (ROWS,WIDTH), (QUERIES,WIDTH); owned */
    int32_t *row_label, *query_label;   /* (ROWS), (QUERIES); owned */
} knn_bench;

/* Normal numbers: directions that have nothing in common, among which no neighbour stands out. */
static protea_status make_rows(float **out, int32_t **label, int64_t n, uint32_t stream)
{
    PROTEA_TRY(protea_new(out, (size_t)n * WIDTH, sizeof **out, "rows"));
    PROTEA_TRY(protea_new(label, (size_t)n, sizeof **label, "labels"));
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, (uint64_t)i, stream);
        for (int j = 0; j < WIDTH; j++)
            (*out)[i * WIDTH + j] = protea_rng_normal(&rng);
        (*label)[i] = (int32_t)protea_rng_below(&rng, CLASSES);
    }
    return PROTEA_OK;
}

static protea_status run(void *self)
{
    knn_bench *s = self;
    protea_knn_score score;
    const protea_labelled train = { s->rows, s->row_label, ROWS }, test = { s->queries, s->query_label, QUERIES };
    const protea_knn_opts opts = { .k = &K, .n_k = 1, .temperature = &TEMPERATURE, .n_temperatures = 1 };
    return protea_knn(s->cx, &score, &train, &test, WIDTH, CLASSES, &opts);
}

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    knn_bench s = { .cx = &b->session->cx };
    protea_status status = make_rows(&s.rows, &s.row_label, ROWS, 0);
    if (status == PROTEA_OK)
        status = make_rows(&s.queries, &s.query_label, QUERIES, 1);
    *out = (protea_bench_result){ .count = QUERIES, .unit = "queries", .flops = 2.0 * ROWS * QUERIES * WIDTH };
    if (status == PROTEA_OK)
        status = protea_bench_time(&out->seconds, b, run, &s);
    protea_free(s.rows);
    protea_free(s.queries);
    protea_free(s.row_label);
    protea_free(s.query_label);
    return status;
}

const protea_bench_ops protea_bench_knn = {
    .name = "knn",
    .summary = "kNN of 10,000 queries in 50,000 rows of 512 numbers, k 200, with the vote",
    .has_peer = true,
    .step = step,
};
