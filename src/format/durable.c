/* Whole files or none: write beside, fsync, rename, fsync of the directory. */
#include "format/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

protea_status protea_path(char out[static PROTEA_PATH_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(out, PROTEA_PATH_MAX, format, args);
    va_end(args);
    if (len < 0 || len >= PROTEA_PATH_MAX)
        return protea_fail(PROTEA_ERR_USAGE, "%.200s...: a path of %d bytes, at most %d wanted", out, len, PROTEA_PATH_MAX - 1);
    return PROTEA_OK;
}

static protea_status io_error(const char *path, const char *what)
{
    return protea_fail(PROTEA_ERR_IO, "%s: %s: %s", path, what, strerror(errno));
}

protea_status protea_durable_begin(protea_durable *d, const char *path)
{
    d->fd = -1;
    PROTEA_TRY(protea_path(d->path, "%s", path));
    PROTEA_TRY(protea_path(d->tmp, "%s.tmp", path));
    d->fd = open(d->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    return d->fd < 0 ? io_error(d->tmp, "cannot be made") : PROTEA_OK;
}

protea_status protea_durable_write(protea_durable *d, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = write(d->fd, at, len < (1u << 30) ? len : (1u << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(d->path, "cannot be written");
        at += n;
        len -= (size_t)n;
    }
    return PROTEA_OK;
}

protea_status protea_durable_sync(protea_durable *d)
{
    /* A failed fsync may have dropped the bytes for good: the file is given up, never tried again. */
    if (fsync(d->fd) != 0)
        return io_error(d->path, "did not reach the disk");
    posix_fadvise(d->fd, 0, 0, POSIX_FADV_DONTNEED); /* so that reading it back asks the disk, not the cache */
    int fd = d->fd;
    d->fd = -1;
    return close(fd) == 0 ? PROTEA_OK : io_error(d->path, "could not be closed");
}

static protea_status sync_folder(const char *path)
{
    char folder[PROTEA_PATH_MAX];
    PROTEA_TRY(protea_path(folder, "%s", path));
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash[1] = 0;
    else if (slash != NULL)
        *slash = 0;
    else
        strcpy(folder, ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io_error(folder, "cannot be opened");
    int failed = fsync(fd) != 0 && errno != EINVAL; /* some file systems have nothing to sync here */
    protea_status status = failed ? io_error(folder, "did not reach the disk") : PROTEA_OK;
    close(fd);
    return status;
}

/* The old file becomes `previous` while it keeps its own name too; where links do not exist it is renamed. */
static protea_status keep_previous(const char *path, const char *previous)
{
    char step[PROTEA_PATH_MAX];
    PROTEA_TRY(protea_path(step, "%s.tmp", previous));
    unlink(step);
    if (link(path, step) != 0) {
        if (errno == ENOENT || rename(path, previous) == 0)
            return PROTEA_OK;
        return io_error(previous, "cannot be made");
    }
    if (rename(step, previous) != 0) {
        protea_status status = io_error(previous, "cannot be made");
        unlink(step);
        return status;
    }
    unlink(step); /* rename does nothing when both names are the same file already */
    return PROTEA_OK;
}

protea_status protea_durable_commit(protea_durable *d, const char *previous)
{
    if (previous != NULL)
        PROTEA_TRY(keep_previous(d->path, previous));
    if (rename(d->tmp, d->path) != 0)
        return io_error(d->path, "cannot be put in place");
    return sync_folder(d->path);
}

void protea_durable_abandon(protea_durable *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    unlink(d->tmp);
}

protea_status protea_durable_text(const char *path, const char *text, size_t len)
{
    protea_durable d;
    PROTEA_TRY(protea_durable_begin(&d, path));
    protea_status status = protea_durable_write(&d, text, len);
    if (status == PROTEA_OK)
        status = protea_durable_sync(&d);
    if (status == PROTEA_OK)
        status = protea_durable_commit(&d, NULL);
    if (status != PROTEA_OK)
        protea_durable_abandon(&d);
    return status;
}
