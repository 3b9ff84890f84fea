/* The frame around the kinds of image sinks, and the plainest one: folders. */
#include "api/image_sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/image_sink_kind.h"
#include "base/alloc.h"
#include "data/catalog.h"

/* ---- folders of PNG files */

static protea_status folders_open(protea_image_sink *sink)
{
    bool empty;
    PROTEA_TRY(protea_dir_is_empty(sink->path, &empty));
    if (!empty)
        return protea_fail(PROTEA_ERR_USAGE, "%s: not empty, an empty or new directory wanted", sink->path);
    return protea_make_dirs(sink->path);
}

/* Opens a file for writing, with its folder where that is missing. */
static protea_status open_new(FILE **stream, char *path)
{
    *stream = fopen(path, "wbe");
    if (*stream != NULL)
        return PROTEA_OK;
    char *end = strrchr(path, '/');
    *end = 0;
    protea_status status = protea_make_dirs(path);
    *end = '/';
    PROTEA_TRY(status);
    *stream = fopen(path, "wbe");
    return *stream != NULL ? PROTEA_OK : protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: could not be written: %m", path);
}

static protea_status put_file(char *path, const uint8_t *bytes, size_t len)
{
    FILE *stream;
    PROTEA_TRY(open_new(&stream, path));
    bool whole = fwrite(bytes, 1, len, stream) == len;
    whole = fclose(stream) == 0 && whole;
    return whole ? PROTEA_OK : protea_fail(PROTEA_ERR_IO, "%s: could not be written whole: %m", path);
}

static protea_status folders_put(protea_image_sink *sink, int64_t i, const char *name, const protea_image *image,
                                 const uint8_t *bytes, size_t len)
{
    char *path;
    (void)i, (void)image;
    PROTEA_TRY(protea_path_join(&path, sink->path, name));
    protea_status status = put_file(path, bytes, len);
    protea_free(path);
    return status;
}

static protea_status folders_close(protea_image_sink *sink, bool whole)
{
    return whole ? protea_sync_dir(sink->path) : PROTEA_OK;
}

const protea_image_sink_ops protea_image_sink_folders = { .encodes = true, .open = folders_open, .put = folders_put,
                                                          .close = folders_close };

/* ---- the frame */

static bool ends_in(const char *path, const char *ending)
{
    size_t len = strlen(path), n = strlen(ending);
    return len > n && strcmp(path + len - n, ending) == 0;
}

bool protea_image_sink_is_array(const char *path)
{
    return ends_in(path, ".npy");
}

bool protea_image_sink_is_file(const char *path)
{
    return protea_image_sink_is_array(path) || ends_in(path, ".tar");
}

/* Classes become names of folders, and must not lead out of the one that is written to. */
static protea_status check_classes(const protea_source *source, const char *path)
{
    for (int c = 0; c < protea_source_n_classes(source); c++)
        if (!protea_catalog_is_class_name(protea_source_class(source, c)))
            return protea_fail(PROTEA_ERR_INPUT, "%s: class '%.300s' cannot be a folder's name; --no-labels writes without classes",
                               path, protea_source_class(source, c));
    return PROTEA_OK;
}

protea_status protea_image_sink_open(protea_image_sink **out, const char *path, const protea_source *source)
{
    protea_image_sink *sink;
    *out = NULL;
    PROTEA_TRY(check_classes(source, path));
    PROTEA_TRY(protea_new(&sink, 1, sizeof *sink, "writing pictures"));
    sink->source = source;
    sink->ops = protea_image_sink_is_array(path)  ? &protea_image_sink_npy
                : protea_image_sink_is_file(path) ? &protea_image_sink_tar
                                                  : &protea_image_sink_folders;
    protea_status status = protea_copy_string(&sink->path, path);
    if (status == PROTEA_OK)
        status = sink->ops->open(sink);
    if (status != PROTEA_OK)
        protea_image_sink_close(sink, false);
    else
        *out = sink;
    return status;
}

void protea_image_sink_begin(protea_image_sink *sink, const char *folder)
{
    snprintf(sink->folder, sizeof sink->folder, "%s%s", folder, *folder ? "/" : "");
}

protea_status protea_image_sink_encode(const protea_image_sink *sink, const protea_image *image, uint8_t **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    return sink->ops->encodes ? protea_image_encode_png(bytes, len, image) : PROTEA_OK;
}

protea_status protea_image_sink_put(protea_image_sink *sink, int64_t i, const protea_image *image, const uint8_t *bytes, size_t len)
{
    char name[512];
    int32_t label = protea_source_label(sink->source, i);
    snprintf(name, sizeof name, "%s%s%s%06" PRId64 ".png", sink->folder, protea_source_class(sink->source, label),
             label >= 0 ? "/" : "", i);
    return sink->ops->put(sink, i, name, image, bytes, len);
}

protea_status protea_image_sink_close(protea_image_sink *sink, bool whole)
{
    if (sink == NULL)
        return PROTEA_OK;
    protea_status status = sink->ops->close(sink, whole);
    protea_free(sink->path);
    protea_free(sink);
    return status;
}
