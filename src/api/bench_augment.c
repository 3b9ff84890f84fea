/* `protea bench augment`: JPEG files in memory to normalised views, as training makes them (SwAV's augmentation), per core; and on
 * all of them, for ours alone. */
#include "api/bench.h"
#include "api/bench_files.h"
#include "base/alloc.h"
#include "base/parallel.h"
#include "data/augment.h"

enum { QUALITY = 90, SETS = 2, ROWS = 5, MOST_VIEWS = 8 };
static const struct { int side, files; const char *stem; } sets[SETS] = { { 32, 1000, "small" }, { 256, 48, "large" } };
static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.228f, 0.224f, 0.225f };

/* The crops of one picture: n_large views of size with min_scale of the area and more, n_small of 96 with less. */
static const struct { const char *name; int set, size, n_large, n_small; double min_scale; } rows[ROWS] = {
    { "32 px, 1 view", 0, 32, 1, 0, 0.2 },      { "32 px, 2 views", 0, 32, 2, 0, 0.2 },
    { "224 px, 1 view", 1, 224, 1, 0, 0.14 },   { "224 px, 2 views", 1, 224, 2, 0, 0.14 },
    { "2 x 224 + 6 x 96 px", 1, 224, 2, 6, 0.14 },
};

typedef struct worker {
    protea_image image;
    protea_augment_buffer views;
    float *x;                   /* the views of one picture */
} worker;

typedef struct augment_bench {
    protea_bench_files files;
    protea_bench_blobs blobs[SETS];
    protea_limits limits;
    worker *workers;            /* (n_workers) owned */
    int n_workers, n_used;      /* n_used: on how many cores a step runs */
    int row;
} augment_bench;

static protea_augment_opts options_of(int row)
{
    int n = rows[row].n_small > 0 ? 2 : 1;
    return (protea_augment_opts){
        .size_crops = { n, { rows[row].size, 96 } },       .nmb_crops = { n, { rows[row].n_large, rows[row].n_small } },
        .min_scale_crops = { n, { rows[row].min_scale, 0.05 } }, .max_scale_crops = { n, { 1, 0.14 } },
        .min_ratio = 0.75, .max_ratio = 4.0 / 3, .flip_p = 0.5, .jitter_p = 0.8, .brightness = 0.8, .contrast = 0.8,
        .saturation = 0.8, .hue = 0.2, .gray_p = 0.2, .blur_p = 0.5, .blur_min = 0.1, .blur_max = 2,
    };
}

static protea_status make_views(const augment_bench *s, const protea_augment_opts *opts, int i, worker *w)
{
    const protea_bench_blobs *b = &s->blobs[rows[s->row].set];
    PROTEA_TRY(protea_image_decode(&w->image, b->bytes[i], b->len[i], "a picture", &s->limits));
    float *x = w->x;
    for (int v = 0; v < rows[s->row].n_large + rows[s->row].n_small; v++) {
        int size = (int)opts->size_crops.v[protea_augment_group(opts, v)];
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_VIEW, 0, (uint64_t)i, (uint32_t)v);
        PROTEA_TRY(protea_augment_view(x, &w->image, opts, v, rng, mean, std, &w->views));
        x += 3 * size * size;
    }
    return PROTEA_OK;
}

static protea_status step(void *self)
{
    const augment_bench *s = self;
    const protea_augment_opts opts = options_of(s->row);
    protea_status worst = PROTEA_OK;
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->n_used)
    for (int i = 0; i < s->blobs[rows[s->row].set].n; i++) {
        protea_status status = make_views(s, &opts, i, &s->workers[protea_thread_index()]);
        if (status != PROTEA_OK) {
#pragma omp critical
            worst = status;
        }
    }
    return worst == PROTEA_OK ? PROTEA_OK : protea_fail(worst, "bench augment: a picture gave no views");
}

static protea_status time_row(double *seconds, const protea_bench *b, int row, void *self)
{
    augment_bench *s = self;
    s->row = row;
    s->n_used = 1;
    protea_bench core = *b;
    core.clock = protea_core_seconds;
    return protea_bench_time(seconds, &core, step, s);
}

/* The same on all cores. */
static protea_status report_all_cores(json_t *entry, const protea_bench *b, int views, augment_bench *s)
{
    double seconds;
    s->n_used = s->n_workers;
    PROTEA_TRY(protea_bench_time(&seconds, b, step, s));
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "%-22s %9.0f views/s on %d threads", "", views / seconds, s->n_workers);
    json_object_set_new(entry, "views_per_second_all_threads", json_real(views / seconds));
    return PROTEA_OK;
}

static protea_status report_row(json_t *list, const protea_bench *b, int row, const protea_bench_row *took, augment_bench *s)
{
    int views = sets[rows[row].set].files * (rows[row].n_large + rows[row].n_small);
    PROTEA_TRY(protea_bench_report_rate(list, b, rows[row].name, "views", views, took));
    s->row = row;
    return report_all_cores(json_array_get(list, (size_t)row), b, views, s);
}

static protea_status prepare(augment_bench *s, const protea_ctx *cx)
{
    s->n_workers = cx->threads;
    PROTEA_TRY(protea_new(&s->workers, (size_t)s->n_workers, sizeof *s->workers, "a benchmark"));
    for (int t = 0; t < s->n_workers; t++)
        PROTEA_TRY(protea_new(&s->workers[t].x, MOST_VIEWS * 3 * 224 * 224, sizeof(float), "views"));
    PROTEA_TRY(protea_bench_files_open(&s->files));
    for (int i = 0; i < SETS; i++) {
        PROTEA_TRY(protea_bench_files_write(&s->files, sets[i].stem, sets[i].files, sets[i].side, QUALITY,
                                            protea_bench_paint_shapes));
        PROTEA_TRY(protea_bench_blobs_read(&s->blobs[i], &s->files, sets[i].stem, sets[i].files));
    }
    return PROTEA_OK;
}

static protea_status measure(json_t *result, const protea_bench *b, augment_bench *s)
{
    protea_bench_row took[ROWS] = { { 0 } };
    json_t *list = json_array();
    double sum = 0;
    json_object_set_new(result, "rows", list);
    PROTEA_TRY(prepare(s, &b->session->cx));
    PROTEA_TRY(protea_bench_turns(took, ROWS, b, "augment", s->files.folder, time_row, s));
    for (int row = 0; row < ROWS; row++) {
        PROTEA_TRY(report_row(list, b, row, &took[row], s));
        sum += took[row].seconds;
    }
    json_object_set_new(result, "seconds_per_step", json_real(sum));
    return PROTEA_OK;
}

static void release(augment_bench *s)
{
    for (int t = 0; s->workers != NULL && t < s->n_workers; t++) {
        protea_image_release(&s->workers[t].image);
        protea_augment_buffer_release(&s->workers[t].views);
        protea_free(s->workers[t].x);
    }
    protea_free(s->workers);
    for (int i = 0; i < SETS; i++)
        protea_bench_blobs_release(&s->blobs[i]);
    protea_bench_files_remove(&s->files);
}

static protea_status report(json_t *result, const protea_bench *b)
{
    augment_bench s = { .limits = protea_limits_default() };
    protea_status status = measure(result, b, &s);
    release(&s);
    return status;
}

const protea_bench_ops protea_bench_augment = {
    .name = "augment",
    .summary = "JPEG files to augmented views of 32 and 224 pixels, on one core",
    .has_peer = true,
    .report = report,
};
