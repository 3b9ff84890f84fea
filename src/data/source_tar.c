/* Archives: a plain tar is read where it lies; a compressed one is unpacked once into memory, within limits.max_memory, and
 * then indexed the same way, so both obey one set of rules. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/alloc.h"
#include "data/source_kind.h"
#include "data/tar_index.h"

typedef struct tar_set {
    protea_blob blob;
    uint8_t *unpacked; /* owned, or NULL */
} tar_set;

static protea_status tar_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                              const protea_limits *limits, protea_image *out)
{
    const tar_set *set = self;
    (void)name;
    return protea_read_picture(out, &set->blob, entry->at, entry->size, label, limits);
}

static void tar_close(void *self)
{
    tar_set *set = self;
    if (set->blob.fd >= 0)
        close(set->blob.fd);
    protea_free(set->unpacked);
    protea_free(set);
}

static const protea_source_ops tar_ops = { .kind = "tar", .read = tar_read, .close = tar_close, .between = '!' };

bool protea_looks_like_tar(const uint8_t *bytes, size_t len)
{
    return len >= PROTEA_TAR_BLOCK && protea_tar_is_header(bytes);
}

bool protea_looks_compressed(const uint8_t *bytes, size_t len)
{
    return (len > 2 && memcmp(bytes, "\x1f\x8b", 2) == 0) || (len > 6 && memcmp(bytes, "\xfd" "7zXZ", 6) == 0) ||
           (len > 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0);
}

/* ---- unpacking */

typedef struct unpacking {
    struct archive *archive;
    const char *path;
    uint8_t *bytes;          /* owned */
    size_t len, capacity;
    size_t most;             /* bytes that may be held */
    char damage[512];        /* "" while all is well */
} unpacking;

static protea_status open_stream(unpacking *u, int fd)
{
    struct archive_entry *entry;
    struct archive *a = u->archive = archive_read_new();
    if (a == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to unpack it", u->path);
    /* A filter that would run another program says so by not returning OK. */
    if (archive_read_support_filter_gzip(a) != ARCHIVE_OK || archive_read_support_filter_xz(a) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(a) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: libarchive was built without gzip, xz or zstd", u->path);
    if (archive_read_open_fd(a, fd, 1 << 18) != ARCHIVE_OK || archive_read_next_header(a, &entry) != ARCHIVE_OK)
        return protea_fail(PROTEA_ERR_INPUT, "%s: cannot be unpacked: %s", u->path, archive_error_string(a));
    return PROTEA_OK;
}

static protea_status append(unpacking *u, const void *block, size_t n)
{
    if (n > u->most - u->len)
        return protea_fail(PROTEA_ERR_INPUT, "%s: needs more than %zu MiB of memory unpacked; unpack it to a plain tar first",
                           u->path, u->most >> 20);
    if (n > u->capacity - u->len) {
        size_t more = u->capacity < u->most / 2 ? 2 * u->capacity + ((size_t)8 << 20) : u->most;
        PROTEA_TRY(protea_grow(&u->bytes, more, 1, u->path));
        u->capacity = more;
    }
    memcpy(u->bytes + u->len, block, n);
    u->len += n;
    return PROTEA_OK;
}

/* Block by block, so that what comes before damage is kept. */
static protea_status unpack(unpacking *u, int fd)
{
    PROTEA_TRY(open_stream(u, fd));
    for (;;) {
        const void *block;
        size_t n;
        la_int64_t at;
        int code = archive_read_data_block(u->archive, &block, &n, &at);
        if (code == ARCHIVE_EOF)
            return PROTEA_OK;
        if (code != ARCHIVE_OK) {
            snprintf(u->damage, sizeof u->damage, "%s: damaged after %zu unpacked bytes (%s)", u->path, u->len,
                     archive_error_string(u->archive));
            return PROTEA_OK;
        }
        PROTEA_TRY(append(u, block, n));
    }
}

/* Leaves the set with the unpacked bytes in place of the file. */
static protea_status unpack_set(tar_set *set, const char *path, const protea_limits *limits, char damage[static 512])
{
    unpacking u = { .path = path, .most = (size_t)limits->max_memory };
    protea_status status = unpack(&u, set->blob.fd);
    archive_read_free(u.archive);
    close(set->blob.fd);
    set->unpacked = u.bytes;
    set->blob = (protea_blob){ .memory = u.bytes, .fd = -1, .size = u.len };
    memcpy(damage, u.damage, 512);
    PROTEA_TRY(status);
    if (u.len < PROTEA_TAR_BLOCK || !protea_looks_like_tar(u.bytes, u.len))
        return protea_fail(PROTEA_ERR_INPUT, "%s: what it unpacks to (%zu bytes) is not a tar", path, u.len);
    PROTEA_TRY(protea_grow(&set->unpacked, u.len, 1, path)); /* gives back what was too much */
    set->blob.memory = set->unpacked;
    return PROTEA_OK;
}

static protea_status index_set(protea_opened *o, tar_set *set, const char *path, const protea_source_opts *opts)
{
    uint8_t head[16] = { 0 };
    char damage[512] = "";
    size_t len = set->blob.size < sizeof head ? (size_t)set->blob.size : sizeof head;
    PROTEA_TRY(protea_blob_read(&set->blob, 0, head, len, path));
    if (protea_looks_compressed(head, len)) {
        PROTEA_TRY(unpack_set(set, path, &opts->limits, damage));
        o->memory = (size_t)set->blob.size;
    }
    PROTEA_TRY(protea_tar_index(&o->catalog, &set->blob, path, &o->warning));
    if (damage[0] == 0)
        return PROTEA_OK;
    protea_free(o->warning); /* the tar's end is missing because the stream's is */
    return protea_copy_string(&o->warning, damage);
}

protea_status protea_open_tar(protea_opened *o, const char *path, const protea_source_opts *opts)
{
    tar_set *set;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "an archive"));
    set->blob.fd = -1;
    o->ops = &tar_ops;
    o->self = set;
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &set->blob.fd, &set->blob.size));
    return index_set(o, set, path, opts);
}
