/* `protea bench tsne`: maps of 5,000 rows, beside scikit-learn's, and of 20,000, from the rows to the places. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/bench.h"
#include "eval/tsne.h"
#include "format/npy.h"

enum { BESIDE = 5000, ALONE = 20000, WIDTH = 128, HIDDEN = 16, GROUPS = 40, PATH = 64 };

typedef struct tsne_bench {
    const protea_bench *b;
    float *from;        /* (GROUPS,HIDDEN) middles of groups, then (HIDDEN,WIDTH); owned */
    protea_tensor z;    /* (ALONE,WIDTH) rows of length 1; owned */
    protea_tensor xy;   /* (ALONE,2) owned */
    int64_t n;          /* of rows in a map */
    protea_tsne_out out;
    char folder[PATH];  /* for the peer; empty before it is made */
} tsne_bench;

/* Groups in few dimensions that overlap, folded by a ReLU: something like the features of a network. */
static void make_row(float *row, const float *from, int64_t i)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 1, (uint64_t)i, 0);
    const float *middle = from + protea_rng_below(&rng, GROUPS) * HIDDEN, *mix = from + GROUPS * HIDDEN;
    double squares = 0;
    for (int j = 0; j < WIDTH; j++)
        row[j] = 0.3f * protea_rng_normal(&rng);
    for (int h = 0; h < HIDDEN; h++) {
        float at = 2 * middle[h] + protea_rng_normal(&rng);
        for (int j = 0; j < WIDTH; j++)
            row[j] += at * mix[h * WIDTH + j];
    }
    for (int j = 0; j < WIDTH; j++) {
        row[j] = row[j] > 0 ? row[j] : 0;
        squares += (double)row[j] * (double)row[j];
    }
    for (int j = 0; j < WIDTH && squares > 0; j++)
        row[j] /= (float)sqrt(squares);
}

static protea_status make_rows(tsne_bench *t)
{
    const int64_t z[2] = { ALONE, WIDTH }, xy[2] = { ALONE, 2 };
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    PROTEA_TRY(protea_tensor_new(&t->z, 2, z, "rows"));
    PROTEA_TRY(protea_tensor_new(&t->xy, 2, xy, "a map"));
    PROTEA_TRY(protea_new(&t->from, HIDDEN * (GROUPS + WIDTH), sizeof *t->from, "rows"));
    for (int i = 0; i < HIDDEN * (GROUPS + WIDTH); i++)
        t->from[i] = protea_rng_normal(&rng);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < ALONE; i++)
        make_row(protea_f32(&t->z) + i * WIDTH, t->from, i);
    return PROTEA_OK;
}

/* ---- files for the peer: the rows, and the map to judge beside its own */

static protea_status write_rows(const tsne_bench *t, const char *name, const protea_tensor *rows)
{
    char path[PATH + 16];
    const protea_tensor some = protea_row_range(rows, 0, BESIDE);
    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    return protea_npy_write(path, &some);
}

static protea_status make_folder(tsne_bench *t)
{
    snprintf(t->folder, sizeof t->folder, "%s", "/tmp/protea-bench-XXXXXX");
    if (mkdtemp(t->folder) != NULL)
        return write_rows(t, "rows.npy", &t->z);
    t->folder[0] = 0;
    return protea_fail(PROTEA_ERR_IO, "bench tsne: no folder for its files in /tmp: %m");
}

static void remove_file(const tsne_bench *t, const char *name)
{
    char path[PATH + 16];
    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    unlink(path);
}

static void remove_folder(const tsne_bench *t)
{
    if (t->folder[0] == 0)
        return;
    remove_file(t, "rows.npy");
    remove_file(t, "map.npy");
    rmdir(t->folder);
}

/* ---- timing */

static int stop_on_request(void *self, const protea_tsne_progress *progress)
{
    const tsne_bench *t = self;
    (void)progress;
    return t->b->hooks->stop != NULL && *t->b->hooks->stop;
}

static protea_status run(void *self)
{
    tsne_bench *t = self;
    protea_tsne_opts opts = protea_tsne_defaults();
    opts.each = stop_on_request;
    opts.cookie = t;
    t->out.xy = protea_f32(&t->xy);
    return protea_tsne_fit(&t->b->session->cx, &t->out, protea_f32(&t->z), t->n, WIDTH, &opts);
}

static protea_status time_beside(double *seconds, const protea_bench *b, int row, void *self)
{
    tsne_bench *t = self;
    (void)row;
    t->n = BESIDE;
    PROTEA_TRY(protea_bench_time(seconds, b, run, t));
    return write_rows(t, "map.npy", &t->xy);
}

static void say(const tsne_bench *t, double seconds)
{
    protea_log(&t->b->session->cx, PROTEA_LOG_INFO, "tsne: %lld rows in %.4g s, divergence %.4f", (long long)t->n, seconds,
               t->out.kl);
}

static protea_status measure(json_t *result, const protea_bench *b, tsne_bench *t)
{
    protea_bench_row beside = { 0 };
    double alone;
    PROTEA_TRY(make_rows(t));
    PROTEA_TRY(make_folder(t));
    PROTEA_TRY(protea_bench_turns(&beside, 1, b, "tsne", t->folder, time_beside, t));
    say(t, beside.seconds);
    json_object_set_new(result, "rows", json_integer(t->n));
    json_object_set_new(result, "seconds_per_step", json_real(beside.seconds));
    json_object_set_new(result, "kl", json_real(t->out.kl));
    protea_bench_report_peer(result, b, &beside);
    t->n = ALONE;
    PROTEA_TRY(protea_bench_time(&alone, b, run, t));
    say(t, alone);
    json_object_set_new(result, "seconds_20000", json_real(alone));
    json_object_set_new(result, "kl_20000", json_real(t->out.kl));
    return PROTEA_OK;
}

static protea_status report(json_t *result, const protea_bench *b)
{
    tsne_bench t = { .b = b };
    protea_status status = measure(result, b, &t);
    remove_folder(&t);
    protea_tensor_release(&t.z);
    protea_tensor_release(&t.xy);
    protea_free(t.from);
    return status;
}

const protea_bench_ops protea_bench_tsne = {
    .name = "tsne",
    .summary = "t-SNE of 5,000 rows of 128 numbers, and of 20,000, 750 iterations",
    .has_peer = true,
    .report = report,
};
