#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool protea_bytes_take(protea_cursor *b, size_t n, const uint8_t **out)
{
    if (n > b->left)
        return false;
    *out = b->at;
    b->at += n;
    b->left -= n;
    return true;
}

bool protea_bytes_u32be(protea_cursor *b, uint32_t *out)
{
    const uint8_t *p;
    if (!protea_bytes_take(b, 4, &p))
        return false;
    *out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return true;
}

bool protea_bytes_u32le(protea_cursor *b, uint32_t *out)
{
    const uint8_t *p;
    if (!protea_bytes_take(b, 4, &p))
        return false;
    *out = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    return true;
}

bool protea_bytes_u64le(protea_cursor *b, uint64_t *out)
{
    uint32_t low, high;
    if (b->left < 8 || !protea_bytes_u32le(b, &low) || !protea_bytes_u32le(b, &high))
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

bool protea_blob_holds(const protea_blob *b, uint64_t at, uint64_t n)
{
    return n <= b->size && at <= b->size - n;
}

protea_status protea_blob_read(const protea_blob *b, uint64_t at, void *out, size_t n, const char *name)
{
    if (!protea_blob_holds(b, at, n))
        return protea_fail(PROTEA_ERR_INPUT, "%s: ends at byte %llu, %zu bytes wanted at %llu", name, (unsigned long long)b->size,
                           n, (unsigned long long)at);
    if (b->memory != NULL) {
        memcpy(out, b->memory + at, n);
        return PROTEA_OK;
    }
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(b->fd, (uint8_t *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: reading failed: %s", name, strerror(errno));
        if (got == 0)
            return protea_fail(PROTEA_ERR_INPUT, "%s: shrank while it was read, %zu bytes are missing", name, n - done);
        done += (size_t)got;
    }
    return PROTEA_OK;
}

static const char *kind_of_file(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR: return "a folder";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    default: return "no regular file";
    }
}

protea_status protea_open_regular(int dir, const char *path, const char *name, int *fd, uint64_t *size)
{
    struct stat st;
    /* Asked before opening as well: opening a device can have effects of its own. */
    if (fstatat(dir, path, &st, 0) == 0 && !S_ISREG(st.st_mode))
        return protea_fail(PROTEA_ERR_INPUT, "%s: is %s, wanted a regular file", name, kind_of_file(st.st_mode));
    int opened = openat(dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (opened < 0 || fstat(opened, &st) != 0) {
        protea_status status = errno == EIO || errno == EMFILE || errno == ENFILE ? PROTEA_ERR_IO
                             : protea_errno_status(PROTEA_ERR_INPUT);
        protea_fail(status, "%s: cannot be opened: %s", name, strerror(errno));
        if (opened >= 0)
            close(opened);
        return status;
    }
    if (!S_ISREG(st.st_mode)) {
        close(opened);
        return protea_fail(PROTEA_ERR_INPUT, "%s: is %s, wanted a regular file", name, kind_of_file(st.st_mode));
    }
    *fd = opened;
    *size = (uint64_t)st.st_size;
    return PROTEA_OK;
}
