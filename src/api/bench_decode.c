/* `protea bench decode`: JPEG files in memory to pixels, per core. */
#include "api/bench.h"
#include "api/bench_files.h"

enum { QUALITY = 90, ROWS = 2 };
/* As many files as make a step long enough for the clock. */
static const struct { int side, files; const char *stem; } rows[ROWS] = { { 32, 1000, "small" }, { 256, 48, "large" } };

typedef struct decode_bench {
    protea_bench_files files;
    protea_bench_blobs blobs[ROWS];
    protea_limits limits;
    protea_image image;         /* of the last file; owned */
    int row;
} decode_bench;

static protea_status decode_all(void *self)
{
    decode_bench *s = self;
    const protea_bench_blobs *b = &s->blobs[s->row];
    for (int i = 0; i < b->n; i++)
        PROTEA_TRY(protea_image_decode(&s->image, b->bytes[i], b->len[i], rows[s->row].stem, &s->limits));
    return PROTEA_OK;
}

static protea_status time_row(double *seconds, const protea_bench *b, int row, void *self)
{
    decode_bench *s = self;
    s->row = row;
    protea_bench core = *b;
    core.clock = protea_core_seconds;
    return protea_bench_time(seconds, &core, decode_all, s);
}

static protea_status write_files(decode_bench *s)
{
    PROTEA_TRY(protea_bench_files_open(&s->files));
    for (int r = 0; r < ROWS; r++) {
        PROTEA_TRY(protea_bench_files_write(&s->files, rows[r].stem, rows[r].files, rows[r].side, QUALITY,
                                            protea_bench_paint_shapes));
        PROTEA_TRY(protea_bench_blobs_read(&s->blobs[r], &s->files, rows[r].stem, rows[r].files));
    }
    return PROTEA_OK;
}

static protea_status measure(json_t *result, const protea_bench *b, decode_bench *s)
{
    protea_bench_row took[ROWS] = { { 0 } };
    json_t *list = json_array();
    double sum = 0;
    json_object_set_new(result, "rows", list);
    PROTEA_TRY(write_files(s));
    PROTEA_TRY(protea_bench_turns(took, ROWS, b, "decode", s->files.folder, time_row, s));
    for (int r = 0; r < ROWS; r++) {
        PROTEA_TRY(protea_bench_report_rate(list, b, rows[r].side == 32 ? "JPEG of 32 pixels" : "JPEG of 256 pixels", "images",
                                            rows[r].files, &took[r]));
        sum += took[r].seconds;
    }
    json_object_set_new(result, "seconds_per_step", json_real(sum));
    return PROTEA_OK;
}

static protea_status report(json_t *result, const protea_bench *b)
{
    decode_bench s = { .limits = protea_limits_default() };
    protea_status status = measure(result, b, &s);
    for (int r = 0; r < ROWS; r++)
        protea_bench_blobs_release(&s.blobs[r]);
    protea_image_release(&s.image);
    protea_bench_files_remove(&s.files);
    return status;
}

const protea_bench_ops protea_bench_decode = {
    .name = "decode",
    .summary = "JPEG files of 32 and 256 pixels to RGB, on one core",
    .has_peer = true,
    .report = report,
};
