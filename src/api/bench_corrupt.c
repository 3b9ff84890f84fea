/* `protea bench corrupt`: images a second of each corruption, over its five severities, at CIFAR's and ImageNet's size. */
#include <string.h>

#include "api/bench.h"
#include "base/alloc.h"
#include "image/corrupt.h"

static const struct { int side, images; const char *key; } sizes[] = { { 32, 100, "images_per_second_32" },
                                                                      { 224, 10, "images_per_second_224" } };
enum { SIZES = sizeof sizes / sizeof *sizes, IMAGES_MAX = 100 };

typedef struct corrupt_bench {
    int id, n;
    protea_image clean, image[IMAGES_MAX];
} corrupt_bench;

/* All images once, each severity equally often. */
static protea_status corrupt_step(void *self)
{
    corrupt_bench *c = self;
    protea_status worst = PROTEA_OK;
    size_t bytes = (size_t)c->clean.w * (size_t)c->clean.h * 3;
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < c->n; i++) {
        int severity = 1 + i % PROTEA_SEVERITIES;
        protea_rng rng = protea_corrupt_rng(1, c->id, severity, i);
        memcpy(c->image[i].px, c->clean.px, bytes);
        protea_status status = protea_corrupt(&c->image[i], c->id, severity, &rng);
#pragma omp critical
        worst = status != PROTEA_OK ? status : worst;
    }
    return worst == PROTEA_OK ? PROTEA_OK : protea_fail(worst, "bench corrupt: %s failed", protea_corruption_name(c->id));
}

/* Slopes with grain, all values. */
static protea_status draw_images(corrupt_bench *c, int side, int n)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    c->n = n;
    PROTEA_TRY(protea_image_reserve(&c->clean, side, side));
    for (int i = 0; i < side * side * 3; i++)
        c->clean.px[i] = (uint8_t)(96 * (i / 3 % side) / side + 96 * (i / 3 / side) / side + (int)protea_rng_below(&rng, 64));
    for (int i = 0; i < n; i++)
        PROTEA_TRY(protea_image_reserve(&c->image[i], side, side));
    return PROTEA_OK;
}

static protea_status measure(json_t *rows, corrupt_bench *c, const protea_bench *b, double *total)
{
    const protea_ctx *cx = &b->session->cx;
    for (int s = 0; s < SIZES; s++) {
        PROTEA_TRY(draw_images(c, sizes[s].side, sizes[s].images));
        for (c->id = 0; c->id < PROTEA_CORRUPTIONS; c->id++) {
            double seconds;
            PROTEA_TRY(protea_bench_time(&seconds, b, corrupt_step, c));
            double rate = c->n / seconds;
            *total += seconds;
            protea_log(cx, PROTEA_LOG_INFO, "%-18s %3d pixels  %8.0f images/s", protea_corruption_name(c->id),
                       sizes[s].side, rate);
            if (s == 0)
                json_array_append_new(rows, json_pack("{s:s}", "name", protea_corruption_name(c->id)));
            json_object_set_new(json_array_get(rows, (size_t)c->id), sizes[s].key, json_real(rate));
        }
    }
    return PROTEA_OK;
}

static protea_status report(json_t *result, const protea_bench *b)
{
    corrupt_bench *c;
    double total = 0;
    PROTEA_TRY(protea_new(&c, 1, sizeof *c, "a benchmark"));
    json_t *rows = json_array();
    protea_status status = measure(rows, c, b, &total);
    json_object_set_new(result, "seconds_per_step", json_real(total));
    json_object_set_new(result, "images_per_second",
                        json_real(PROTEA_CORRUPTIONS * (sizes[0].images + sizes[1].images) / (total > 0 ? total : 1)));
    json_object_set_new(result, "corruptions", rows);
    protea_image_release(&c->clean);
    for (int i = 0; i < IMAGES_MAX; i++)
        protea_image_release(&c->image[i]);
    protea_free(c);
    return status;
}

const protea_bench_ops protea_bench_corrupt = {
    .name = "corrupt", .summary = "each corruption at 32 and 224 pixels, over its severities", .report = report };
