/* Pictures as PNG files in a tar: the folders of image_sink.c as one file. Times and owners are left out, so that equal
 * pictures give equal bytes. */
#include <errno.h>

#include <archive.h>
#include <archive_entry.h>

#include "api/image_sink_kind.h"
#include "base/alloc.h"

typedef struct tar_sink {
    protea_new_file file;
    struct archive *archive;
    struct archive_entry *entry;
} tar_sink;

static protea_status cannot(const protea_image_sink *sink, const tar_sink *t)
{
    const char *reason = t->archive != NULL ? archive_error_string(t->archive) : NULL;
    bool memory = reason == NULL || archive_errno(t->archive) == ENOMEM;
    return protea_fail(memory ? PROTEA_ERR_MEMORY : PROTEA_ERR_IO, "%s: could not be written: %s", sink->path,
                       reason != NULL ? reason : "no memory");
}

static protea_status tar_open(protea_image_sink *sink)
{
    tar_sink *t;
    PROTEA_TRY(protea_new(&t, 1, sizeof *t, "a tar"));
    sink->self = t;
    PROTEA_TRY(protea_make_sure(1 << 20, "a tar")); /* libarchive ends the process where it has none for its small strings */
    PROTEA_TRY(protea_new_file_open(&t->file, sink->path));
    t->archive = archive_write_new();
    t->entry = archive_entry_new();
    if (t->archive == NULL || t->entry == NULL || archive_write_set_format_gnutar(t->archive) != ARCHIVE_OK ||
        archive_write_open_FILE(t->archive, t->file.stream) != ARCHIVE_OK)
        return cannot(sink, t);
    return PROTEA_OK;
}

static protea_status tar_put(protea_image_sink *sink, int64_t i, const char *name, const protea_image *image,
                             const uint8_t *bytes, size_t len)
{
    tar_sink *t = sink->self;
    (void)i, (void)image;
    archive_entry_clear(t->entry);
    archive_entry_set_pathname(t->entry, name);
    archive_entry_set_filetype(t->entry, AE_IFREG);
    archive_entry_set_perm(t->entry, 0644);
    archive_entry_set_size(t->entry, (la_int64_t)len);
    if (archive_write_header(t->archive, t->entry) < ARCHIVE_WARN ||
        archive_write_data(t->archive, bytes, len) != (la_ssize_t)len)
        return cannot(sink, t);
    return PROTEA_OK;
}

static protea_status tar_close(protea_image_sink *sink, bool whole)
{
    tar_sink *t = sink->self;
    protea_status status = PROTEA_OK;
    if (t == NULL)
        return PROTEA_OK;
    if (whole && archive_write_close(t->archive) != ARCHIVE_OK)
        status = cannot(sink, t);
    archive_write_free(t->archive); /* both accept NULL */
    archive_entry_free(t->entry);
    if (whole && status == PROTEA_OK)
        status = protea_new_file_commit(&t->file);
    else
        protea_new_file_abort(&t->file);
    protea_free(t);
    return status;
}

const protea_image_sink_ops protea_image_sink_tar = { .encodes = true, .open = tar_open, .put = tar_put, .close = tar_close };
