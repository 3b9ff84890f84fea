/* Bounded reading and atomic, durable writing of files. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"

static protea_status fail_io(const char *path, const char *what)
{
    return protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: %s: %s", path, what, strerror(errno));
}

/* The whole of an open file, with a 0 after it. */
static protea_status read_whole(char **out, const protea_blob *file, const char *path, size_t limit)
{
    if (file->size > limit)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %llu bytes found, at most %zu wanted", path, (unsigned long long)file->size,
                           limit);
    PROTEA_TRY(protea_new(out, (size_t)file->size + 1, 1, path));
    protea_status status = protea_blob_read(file, 0, *out, (size_t)file->size, path);
    if (status != PROTEA_OK) {
        protea_free(*out);
        *out = NULL;
    }
    return status;
}

protea_status protea_file_read(char **out, size_t *len, const char *path, size_t limit)
{
    protea_blob file = { .fd = -1 };
    *out = NULL;
    *len = 0;
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &file.fd, &file.size));
    protea_status status = read_whole(out, &file, path, limit);
    close(file.fd);
    if (status == PROTEA_OK)
        *len = (size_t)file.size;
    return status;
}

static void forget(protea_new_file *f)
{
    protea_free(f->path);
    protea_free(f->temporary);
    *f = (protea_new_file){ 0 };
}

protea_status protea_new_file_open(protea_new_file *f, const char *path)
{
    *f = (protea_new_file){ 0 };
    protea_status status = protea_copy_string(&f->path, path);
    size_t size = strlen(path) + sizeof ".tmp";
    if (status == PROTEA_OK)
        status = protea_new(&f->temporary, size, 1, path);
    if (status != PROTEA_OK)
        goto fail;
    snprintf(f->temporary, size, "%s.tmp", path);
    f->stream = fopen(f->temporary, "wbe");
    if (f->stream == NULL) {
        status = fail_io(path, "cannot be written");
        goto fail;
    }
    return PROTEA_OK;
fail:
    forget(f);
    return status;
}

void protea_new_file_abort(protea_new_file *f)
{
    if (f->stream != NULL)
        fclose(f->stream);
    if (f->temporary != NULL)
        unlink(f->temporary);
    forget(f);
}

static protea_status sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return protea_sync_dir(".");
    char *parent;
    PROTEA_TRY(protea_copy_string(&parent, path));
    parent[slash == path ? 1 : slash - path] = 0;
    protea_status status = protea_sync_dir(parent);
    protea_free(parent);
    return status;
}

protea_status protea_new_file_sync(protea_new_file *f)
{
    protea_status status = PROTEA_OK;
    FILE *stream = f->stream;
    f->stream = NULL;
    /* A stream that failed earlier remembers it, but no longer why. A failed fsync may have dropped the bytes for good:
     * the file is given up, never tried again. */
    if (ferror(stream))
        status = protea_fail(PROTEA_ERR_IO, "%s: could not be written whole (disk full?)", f->path);
    else if (fflush(stream) != 0 || fsync(fileno(stream)) != 0)
        status = fail_io(f->path, "could not be written whole");
    posix_fadvise(fileno(stream), 0, 0, POSIX_FADV_DONTNEED); /* who reads it back should ask the disk, not the cache */
    if (fclose(stream) != 0 && status == PROTEA_OK)
        status = fail_io(f->path, "could not be written whole");
    return status;
}

/* The old file gets a second name; where there are no hard links it is renamed. */
static protea_status keep_previous(const char *path, const char *previous)
{
    char *step;
    size_t size = strlen(previous) + sizeof ".tmp";
    PROTEA_TRY(protea_new(&step, size, 1, previous));
    snprintf(step, size, "%s.tmp", previous);
    unlink(step);
    bool done = link(path, step) == 0 ? rename(step, previous) == 0 : errno == ENOENT || rename(path, previous) == 0;
    protea_status status = done ? PROTEA_OK : fail_io(previous, "cannot be put in place");
    unlink(step); /* rename does nothing when both names are the same file already */
    protea_free(step);
    return status;
}

protea_status protea_new_file_commit_keeping(protea_new_file *f, const char *previous)
{
    protea_status status = f->stream != NULL ? protea_new_file_sync(f) : PROTEA_OK;
    if (status == PROTEA_OK && previous != NULL)
        status = keep_previous(f->path, previous);
    if (status == PROTEA_OK && rename(f->temporary, f->path) != 0)
        status = fail_io(f->path, "cannot be put in place");
    if (status == PROTEA_OK)
        status = sync_parent(f->path);
    else
        unlink(f->temporary);
    forget(f);
    return status;
}

protea_status protea_new_file_commit(protea_new_file *f)
{
    return protea_new_file_commit_keeping(f, NULL);
}

protea_status protea_new_file_end(protea_new_file *f, protea_status status)
{
    if (status == PROTEA_OK)
        return protea_new_file_commit(f);
    protea_new_file_abort(f);
    return status;
}

protea_status protea_file_write(const char *path, const void *bytes, size_t len)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    bool whole = len == 0 || fwrite(bytes, 1, len, f.stream) == len;
    return protea_new_file_end(&f, whole ? PROTEA_OK : fail_io(path, "could not be written whole"));
}

static protea_status make_dir(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0)
        return PROTEA_OK;
    if (errno != EEXIST)
        return fail_io(path, "the directory cannot be made");
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return protea_fail(PROTEA_ERR_IO, "%s: not a directory", path);
    return PROTEA_OK;
}

protea_status protea_make_dirs(const char *path)
{
    char *part;
    protea_status status = PROTEA_OK;
    PROTEA_TRY(protea_copy_string(&part, path));
    for (char *slash = strchr(part + (part[0] != 0), '/'); slash != NULL && status == PROTEA_OK; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        status = make_dir(part);
        *slash = '/';
    }
    protea_free(part);
    return status == PROTEA_OK ? make_dir(path) : status;
}

protea_status protea_dir_is_empty(const char *path, bool *empty)
{
    *empty = true;
    DIR *dir = opendir(path);
    if (dir == NULL && errno == ENOENT)
        return PROTEA_OK;
    if (dir == NULL)
        return fail_io(path, "cannot be used as a directory");
    for (struct dirent *entry; *empty && (entry = readdir(dir)) != NULL;)
        *empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(dir);
    return PROTEA_OK;
}

protea_status protea_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(path, "cannot be opened");
    /* Some file systems cannot sync a directory and say so with EINVAL; nothing more can be done there. */
    protea_status status = fsync(fd) != 0 && errno != EINVAL ? fail_io(path, "cannot be synced") : PROTEA_OK;
    close(fd);
    return status;
}

protea_status protea_path_join(char **out, const char *directory, const char *name)
{
    size_t len = strlen(directory);
    const char *slash = len > 0 && directory[len - 1] != '/' ? "/" : "";
    size_t size = len + strlen(name) + 2;
    PROTEA_TRY(protea_new(out, size, 1, "a path"));
    snprintf(*out, size, "%s%s%s", directory, slash, name);
    return PROTEA_OK;
}
