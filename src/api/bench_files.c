#include "api/bench_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/synth.h"

protea_status protea_bench_files_open(protea_bench_files *f)
{
    snprintf(f->folder, sizeof f->folder, "%s", "/tmp/protea-bench-XXXXXX");
    if (mkdtemp(f->folder) != NULL)
        return PROTEA_OK;
    f->folder[0] = 0;
    return protea_fail(PROTEA_ERR_IO, "bench: no folder for its files in /tmp: %m");
}

void protea_bench_file_path(char out[static PROTEA_BENCH_PATH], const protea_bench_files *f, const char *stem, int i,
                            const char *ext)
{
    snprintf(out, PROTEA_BENCH_PATH, "%s/%s-%03d.%s", f->folder, stem, i, ext);
}

static protea_status write_one(const char *path, const protea_image *image, int quality)
{
    uint8_t *bytes;
    size_t len;
    PROTEA_TRY(protea_image_encode_jpeg(&bytes, &len, image, quality));
    protea_status status = protea_file_write(path, bytes, len);
    protea_free(bytes);
    return status;
}

static protea_status paint_and_write(const char *path, int i, int side, int quality, protea_bench_paint paint)
{
    protea_image image = { 0 };
    PROTEA_TRY(protea_image_reserve(&image, side, side));
    paint(&image, i);
    protea_status status = write_one(path, &image, quality);
    protea_image_release(&image);
    return status;
}

protea_status protea_bench_files_write(const protea_bench_files *f, const char *stem, int n, int side, int quality,
                                       protea_bench_paint paint)
{
    protea_status worst = PROTEA_OK;
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < n; i++) {
        char path[PROTEA_BENCH_PATH];
        protea_bench_file_path(path, f, stem, i, "jpg");
        protea_status status = paint_and_write(path, i, side, quality, paint);
#pragma omp critical
        worst = status != PROTEA_OK ? status : worst;
    }
    return worst == PROTEA_OK ? PROTEA_OK : protea_fail(worst, "bench: pictures cannot be written to %s", f->folder);
}

void protea_bench_paint_shapes(protea_image *image, int i)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_SYNTH, 0, (uint64_t)i, 0);
    protea_synth_shapes.draw(image, i % protea_synth_shapes.n_classes, &rng);
}

void protea_bench_files_remove(const protea_bench_files *f)
{
    DIR *folder = f->folder[0] != 0 ? opendir(f->folder) : NULL;
    if (folder == NULL)
        return;
    for (const struct dirent *e; (e = readdir(folder)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(folder), e->d_name, 0);
    closedir(folder);
    rmdir(f->folder);
}

protea_status protea_bench_blobs_read(protea_bench_blobs *b, const protea_bench_files *f, const char *stem, int n)
{
    char path[PROTEA_BENCH_PATH];
    PROTEA_TRY(protea_new(&b->bytes, (size_t)n, sizeof *b->bytes, "files to time"));
    PROTEA_TRY(protea_new(&b->len, (size_t)n, sizeof *b->len, "files to time"));
    for (; b->n < n; b->n++) {
        char *text;
        protea_bench_file_path(path, f, stem, b->n, "jpg");
        PROTEA_TRY(protea_file_read(&text, &b->len[b->n], path, 1 << 24));
        b->bytes[b->n] = (uint8_t *)text;
    }
    return PROTEA_OK;
}

void protea_bench_blobs_release(protea_bench_blobs *b)
{
    for (int i = 0; i < b->n; i++)
        protea_free(b->bytes[i]);
    protea_free(b->bytes);
    protea_free(b->len);
    *b = (protea_bench_blobs){ 0 };
}
