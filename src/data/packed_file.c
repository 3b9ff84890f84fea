#include "data/packed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/alloc.h"
#include "base/checked.h"

enum { ROOM = 1 << 20 };

typedef struct unpacking {
    struct archive *archive;
    const char *path;
    uint8_t *bytes;          /* owned */
    size_t len, capacity;
    size_t most;             /* bytes that may be held */
    size_t plausible;        /* bytes that a file of this size unpacks to, at most */
    int ratio;
    char *damage;            /* owned */
} unpacking;

/* libarchive's reason; a filter whose memory ran out is no damaged file. */
static protea_status status_of(struct archive *a)
{
    return archive_errno(a) == ENOMEM ? PROTEA_ERR_MEMORY : PROTEA_ERR_INPUT;
}

static protea_status open_stream(unpacking *u, int fd)
{
    struct archive_entry *entry;
    PROTEA_TRY(protea_make_sure(ROOM, u->path)); /* libarchive ends the process where it has none for its small strings */
    struct archive *a = u->archive = archive_read_new();
    if (a == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to unpack it", u->path);
    /* A filter that would run another program says so by not returning OK. */
    if (archive_read_support_filter_gzip(a) != ARCHIVE_OK || archive_read_support_filter_xz(a) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(a) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK)
        return protea_fail(archive_errno(a) == ENOMEM ? PROTEA_ERR_MEMORY : PROTEA_ERR_INTERNAL,
                           "%s: cannot be unpacked: libarchive without gzip, xz or zstd, or without memory", u->path);
    if (archive_read_open_fd(a, fd, 1 << 18) != ARCHIVE_OK || archive_read_next_header(a, &entry) != ARCHIVE_OK)
        return protea_fail(status_of(a), "%s: cannot be unpacked: %s", u->path, archive_error_string(a));
    return PROTEA_OK;
}

static protea_status append(unpacking *u, const void *block, size_t n)
{
    if (n > u->most - u->len)
        return protea_fail(PROTEA_ERR_INPUT, "%s: needs more than %zu MiB of memory unpacked; unpack it to a plain tar first",
                           u->path, u->most >> 20);
    if (n > u->plausible - u->len)
        return protea_fail(PROTEA_ERR_INPUT, "%s: unpacks to more than %d times its size, as pictures do not; if it is meant to, "
                           "unpack it to a plain file first", u->path, u->ratio);
    if (n > u->capacity - u->len) {
        size_t more = u->capacity < u->most / 2 ? 2 * u->capacity + ((size_t)8 << 20) : u->most;
        PROTEA_TRY(protea_grow(&u->bytes, more, 1, u->path));
        u->capacity = more;
    }
    memcpy(u->bytes + u->len, block, n);
    u->len += n;
    return PROTEA_OK;
}

static protea_status note_damage(unpacking *u)
{
    char text[1024];
    if (status_of(u->archive) == PROTEA_ERR_MEMORY)
        return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory to unpack it after %zu bytes", u->path, u->len);
    snprintf(text, sizeof text, "%s: damaged after %zu unpacked bytes (%s)", u->path, u->len, archive_error_string(u->archive));
    return protea_copy_string(&u->damage, text);
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
        if (code != ARCHIVE_OK)
            return note_damage(u);
        PROTEA_TRY(append(u, block, n));
    }
}

static bool looks_compressed(const uint8_t *bytes, size_t len)
{
    return (len > 2 && memcmp(bytes, "\x1f\x8b", 2) == 0) || (len > 6 && memcmp(bytes, "\xfd" "7zXZ", 6) == 0) ||
           (len > 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0);
}

/* Puts the unpacked bytes in the place of the file. */
static protea_status unpack_file(protea_packed_file *f, const char *path, const protea_limits *limits)
{
    unpacking u = { .path = path, .most = (size_t)limits->max_memory, .ratio = limits->max_ratio };
    if (protea_mul_overflows((size_t)f->blob.size, (size_t)u.ratio, &u.plausible))
        u.plausible = SIZE_MAX;
    u.plausible = u.plausible > u.most / 64 ? u.plausible : u.most / 64;
    protea_status status = unpack(&u, f->blob.fd);
    archive_read_free(u.archive);
    close(f->blob.fd);
    f->unpacked = u.bytes;
    f->damage = u.damage;
    f->blob = (protea_blob){ .memory = u.bytes, .fd = -1, .size = u.len };
    PROTEA_TRY(status);
    if (u.len == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: unpacks to nothing", path);
    PROTEA_TRY(protea_grow(&f->unpacked, u.len, 1, path)); /* gives back what was too much */
    f->blob.memory = f->unpacked;
    return PROTEA_OK;
}

protea_status protea_packed_file_open(protea_packed_file *f, const char *path, const protea_limits *limits)
{
    uint8_t head[16];
    *f = (protea_packed_file){ .blob.fd = -1 };
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &f->blob.fd, &f->blob.size));
    size_t len = f->blob.size < sizeof head ? (size_t)f->blob.size : sizeof head;
    PROTEA_TRY(protea_blob_read(&f->blob, 0, head, len, path));
    return looks_compressed(head, len) ? unpack_file(f, path, limits) : PROTEA_OK;
}

void protea_packed_file_close(protea_packed_file *f)
{
    if (f->blob.fd >= 0)
        close(f->blob.fd);
    protea_free(f->unpacked);
    protea_free(f->damage);
    *f = (protea_packed_file){ .blob.fd = -1 };
}

protea_packed_file protea_packed_file_take(protea_packed_file *f)
{
    protea_packed_file taken = *f;
    *f = (protea_packed_file){ .blob.fd = -1 };
    return taken;
}

size_t protea_packed_file_memory(const protea_packed_file *f)
{
    return f->unpacked != NULL ? (size_t)f->blob.size : 0;
}
