/* Pictures as rows of one .npy, with their labels and the names of the classes beside it: CIFAR-10-C's layout, read back by
 * data/source_npy.c. */
#include <stdio.h>
#include <string.h>

#include "api/image_sink_kind.h"
#include "base/alloc.h"
#include "format/npy.h"

typedef struct npy_sink {
    protea_new_file file;
    protea_tensor rows;   /* uint8 (n,h,w,3), without data */
    int64_t *label;       /* (capacity) */
    int64_t capacity;
} npy_sink;

static protea_status npy_open(protea_image_sink *sink)
{
    npy_sink *s;
    PROTEA_TRY(protea_new(&s, 1, sizeof *s, "an .npy"));
    sink->self = s;
    s->rows = (protea_tensor){ .dtype = PROTEA_U8, .n_dims = 4, .dim = { 0, 0, 0, 3 } };
    PROTEA_TRY(protea_new_file_open(&s->file, sink->path));
    return protea_npy_begin(s->file.stream, &s->rows, sink->path);
}

static protea_status check_size(const protea_image_sink *sink, npy_sink *s, int64_t i, const protea_image *image)
{
    if (s->rows.dim[0] == 0) {
        s->rows.dim[1] = image->h;
        s->rows.dim[2] = image->w;
    }
    if (s->rows.dim[1] != image->h || s->rows.dim[2] != image->w)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %d x %d pixels found, %lld x %lld as the first picture wanted: an .npy holds one "
                           "size, write to a folder or .tar", protea_source_name(sink->source, i), image->w, image->h,
                           (long long)s->rows.dim[2], (long long)s->rows.dim[1]);
    return PROTEA_OK;
}

static protea_status npy_put(protea_image_sink *sink, int64_t i, const char *name, const protea_image *image,
                             const uint8_t *bytes, size_t len)
{
    npy_sink *s = sink->self;
    (void)name, (void)bytes, (void)len;
    PROTEA_TRY(check_size(sink, s, i, image));
    if (s->rows.dim[0] == s->capacity) {
        PROTEA_TRY(protea_grow(&s->label, 2 * (size_t)s->capacity + 1024, sizeof *s->label, "labels"));
        s->capacity = 2 * s->capacity + 1024;
    }
    s->label[s->rows.dim[0]++] = protea_source_label(sink->source, i);
    size_t size = (size_t)image->w * (size_t)image->h * 3;
    if (fwrite(image->px, 1, size, s->file.stream) != size)
        return protea_fail(PROTEA_ERR_IO, "%s: could not be written: %m", sink->path);
    return PROTEA_OK;
}

static protea_status write_labels(const protea_image_sink *sink, const npy_sink *s, const char *stem)
{
    char path[4096];
    protea_new_file file;
    const protea_tensor labels = { .data = s->label, .dtype = PROTEA_I64, .n_dims = 1, .dim = { s->rows.dim[0] } };
    snprintf(path, sizeof path, "%s-labels.npy", stem);
    PROTEA_TRY(protea_npy_write(path, &labels));
    snprintf(path, sizeof path, "%s-classes.txt", stem);
    PROTEA_TRY(protea_new_file_open(&file, path));
    for (int c = 0; c < protea_source_n_classes(sink->source); c++)
        fprintf(file.stream, "%s\n", protea_source_class(sink->source, c));
    return protea_new_file_commit(&file);
}

static protea_status finish(const protea_image_sink *sink, npy_sink *s)
{
    char stem[4000];
    snprintf(stem, sizeof stem, "%s", sink->path);
    *strrchr(stem, '.') = 0;
    if (protea_source_n_classes(sink->source) > 0)
        PROTEA_TRY(write_labels(sink, s, stem));
    rewind(s->file.stream);
    PROTEA_TRY(protea_npy_begin(s->file.stream, &s->rows, sink->path));
    return protea_new_file_commit(&s->file);
}

static protea_status npy_close(protea_image_sink *sink, bool whole)
{
    npy_sink *s = sink->self;
    if (s == NULL)
        return PROTEA_OK;
    protea_status status = whole ? finish(sink, s) : PROTEA_OK;
    protea_new_file_abort(&s->file);
    protea_free(s->label);
    protea_free(s);
    return status;
}

const protea_image_sink_ops protea_image_sink_npy = { .open = npy_open, .put = npy_put, .close = npy_close };
