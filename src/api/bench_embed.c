/* `protea bench embed`: features of JPEG files by a ResNet-50 at 224 pixels, from the files to the .npy file. The model is open
 * already, for reading it is the same for all. */
#include <stdio.h>

#include "api/bench.h"
#include "api/bench_files.h"
#include "eval/features.h"
#include "format/npy.h"
#include "nn/layers.h"

enum { FILES = 128, SIDE = 256, SIZE = 224, QUALITY = 90 };

typedef struct embed_bench {
    protea_ctx *cx;
    protea_model model;         /* owned */
    protea_bench_files files;
} embed_bench;

/* Waves of a few frequencies with noise: a file of as many bytes as a photo's. */
static void paint(protea_image *image, int which)
{
    int period[3];
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, (uint64_t)which, 0);
    for (int c = 0; c < 3; c++)
        period[c] = 8 + (int)protea_rng_below(&rng, 120);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        int x = i / 3 % SIDE, y = i / 3 / SIDE, wave = (x * (1 + i % 3) + y) % period[i % 3] * 160 / period[i % 3];
        image->px[i] = (uint8_t)(wave + 40 + (int)protea_rng_below(&rng, 24));
    }
}

static protea_status open_model(embed_bench *s)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
    const protea_resnet_opts opts = { .arch = "resnet50" };
    s->model = (protea_model){ .image_size = SIZE, .mean = { 0.485f, 0.456f, 0.406f }, .std = { 0.229f, 0.224f, 0.225f } };
    snprintf(s->model.path, sizeof s->model.path, "resnet50");
    PROTEA_TRY(protea_resnet_new(&s->model.backbone, &opts, &rng));
    s->model.dim = s->model.backbone->out_dim;
    return PROTEA_OK;
}

static protea_status embed(const embed_bench *s, protea_source *source)
{
    char path[PROTEA_BENCH_PATH];
    const int64_t dim[2] = { protea_source_count(source), s->model.dim };
    protea_tensor z;
    protea_bench_file_path(path, &s->files, "features", 0, "npy");
    PROTEA_TRY(protea_tensor_new(&z, 2, dim, "features"));
    protea_status status = protea_model_features(s->cx, &s->model, PROTEA_BACKBONE_FEATURES, source, protea_f32(&z), NULL, NULL);
    if (status == PROTEA_OK)
        status = protea_npy_write(path, &z);
    protea_tensor_release(&z);
    return status;
}

/* As the command does it, with everything but the model opened and closed again. */
static protea_status run(void *self)
{
    const embed_bench *s = self;
    const protea_source_opts opts = protea_source_opts_default();
    protea_source *source;
    PROTEA_TRY(protea_source_open(&source, s->files.folder, &opts));
    protea_status status = embed(s, source);
    protea_source_close(source);
    return status;
}

static protea_status time_run(double *seconds, const protea_bench *b, int row, void *self)
{
    (void)row;
    return protea_bench_time(seconds, b, run, self);
}

static protea_status measure(json_t *result, const protea_bench *b, embed_bench *s)
{
    protea_bench_row row = { 0 };
    PROTEA_TRY(protea_bench_files_open(&s->files));
    PROTEA_TRY(protea_bench_files_write(&s->files, "picture", FILES, SIDE, QUALITY, paint));
    PROTEA_TRY(open_model(s));
    PROTEA_TRY(protea_bench_turns(&row, 1, b, "embed", s->files.folder, time_run, s));
    protea_log(s->cx, PROTEA_LOG_INFO, "embed: %d files in %.4g s, %.1f images/s", FILES, row.seconds, FILES / row.seconds);
    json_object_set_new(result, "seconds_per_step", json_real(row.seconds));
    json_object_set_new(result, "images_per_second", json_real(FILES / row.seconds));
    protea_bench_report_peer(result, b, &row);
    return PROTEA_OK;
}

static protea_status report(json_t *result, const protea_bench *b)
{
    embed_bench s = { .cx = &b->session->cx };
    protea_status status = measure(result, b, &s);
    protea_bench_files_remove(&s.files);
    protea_model_close(&s.model);
    return status;
}

const protea_bench_ops protea_bench_embed = {
    .name = "embed",
    .summary = "features of 128 JPEG files of 256 pixels by ResNet-50 at 224, from files to .npy",
    .has_peer = true,
    .report = report,
};
