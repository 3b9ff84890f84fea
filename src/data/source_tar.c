/* Archives: a tar is indexed once and its members are read where they lie, in the file or unpacked in memory, so both obey
 * one set of rules. */
#include "base/alloc.h"
#include "data/source_kind.h"
#include "data/tar_index.h"

static protea_status tar_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                              const protea_limits *limits, protea_image *out)
{
    const protea_packed_file *file = self;
    (void)name;
    return protea_read_picture(out, &file->blob, entry->at, entry->size, label, limits);
}

static void tar_close(void *self)
{
    protea_packed_file_close(self);
    protea_free(self);
}

static const protea_source_ops tar_ops = { .kind = "tar", .read = tar_read, .close = tar_close, .between = '!' };

bool protea_looks_like_tar(const uint8_t *bytes, size_t len, uint64_t size)
{
    (void)size;
    return len >= PROTEA_TAR_BLOCK && protea_tar_is_header(bytes);
}

protea_status protea_open_tar(protea_opened *o, const char *path, protea_packed_file *file)
{
    protea_packed_file *set;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "an archive"));
    *set = protea_packed_file_take(file);
    o->ops = &tar_ops;
    o->self = set;
    return protea_tar_index(&o->catalog, &set->blob, path, &o->warning);
}
