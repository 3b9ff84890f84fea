#include "api/sort_into.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { NAME_MAX_BYTES = 60 };

/* A file's or folder's name of what may be any text: slashes and controls become _, and it is cut between characters. */
static void plain_name(char out[static NAME_MAX_BYTES + 1], const char *text)
{
    size_t n = strlen(text);
    if (n > NAME_MAX_BYTES)
        for (n = NAME_MAX_BYTES; n > 0 && (text[n] & 0xc0) == 0x80;)
            n--;
    for (size_t i = 0; i < n; i++)
        out[i] = text[i] == '/' || (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '_' : text[i];
    out[n] = 0;
}

static protea_status make_folders(const char *dir, const protea_clustering *c, const protea_class_names *names, char (*folder)[96])
{
    bool empty;
    PROTEA_TRY(protea_make_dirs(dir));
    PROTEA_TRY(protea_dir_is_empty(dir, &empty));
    if (!empty)
        return protea_fail(PROTEA_ERR_USAGE, "--sort-into %s: is not empty; a new folder wanted", dir);
    for (int64_t j = 0; j < c->k; j++) {
        char name[NAME_MAX_BYTES + 1], *path;
        plain_name(name, names->name[j]);
        snprintf(folder[j], sizeof *folder, "%04lld-%s", (long long)j, name);
        if (c->size[j] == 0)
            continue;
        PROTEA_TRY(protea_path_join(&path, dir, folder[j]));
        protea_status status = protea_make_dirs(path);
        protea_free(path);
        PROTEA_TRY(status);
    }
    return PROTEA_OK;
}

/* The absolute path of an image that is a file of its own; false where it is none. */
static bool find_file(char out[static PATH_MAX], const char *spec, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    const char *sub = strstr(spec, "::");
    int root = sub != NULL ? (int)(sub - spec) : (int)strlen(spec);
    if (snprintf(path, sizeof path, "%.*s/%s", root, spec, name) >= (int)sizeof path)
        return false;
    return realpath(path, out) != NULL && stat(out, &st) == 0 && S_ISREG(st.st_mode);
}

static protea_status write_png(const char *path, const protea_source *source, int64_t i, protea_image *image)
{
    uint8_t *bytes;
    size_t len;
    PROTEA_TRY(protea_source_read(source, i, image));
    PROTEA_TRY(protea_image_encode_png(&bytes, &len, image));
    protea_status status = protea_file_write(path, bytes, len);
    protea_free(bytes);
    return status;
}

static protea_status copy_file(const char *path, const char *from)
{
    char *bytes;
    size_t len;
    PROTEA_TRY(protea_file_read(&bytes, &len, from, (size_t)protea_limits_default().max_file_bytes));
    protea_status status = protea_file_write(path, bytes, len);
    protea_free(bytes);
    return status;
}

static protea_status place(const char *folder, const char *spec, bool copy, const protea_source *source, int64_t row, int64_t i,
                           protea_image *image)
{
    const char *name = protea_source_name(source, i), *slash = strrchr(name, '/');
    char file[PATH_MAX], plain[NAME_MAX_BYTES + 1], path[PATH_MAX];
    bool found = find_file(file, spec, name);
    plain_name(plain, slash != NULL ? slash + 1 : name);
    if (snprintf(path, sizeof path, "%s/%06lld-%s%s", folder, (long long)row, plain, found ? "" : ".png") >= (int)sizeof path)
        return protea_fail(PROTEA_ERR_IO, "%s: the path is too long", folder);
    if (!found)
        return write_png(path, source, i, image);
    if (copy)
        return copy_file(path, file);
    return symlink(file, path) == 0 ? PROTEA_OK : protea_fail(protea_errno_status(PROTEA_ERR_IO), "%s: %s", path, strerror(errno));
}

static protea_status place_all(const char *dir, const char *spec, bool copy, const protea_source *source,
                               const protea_good_rows *rows, const protea_clustering *c, char (*folder)[96])
{
    protea_image image = { 0 };
    protea_status status = PROTEA_OK;
    for (int64_t i = 0; status == PROTEA_OK && i < rows->n; i++) {
        char *path;
        status = protea_path_join(&path, dir, folder[c->cluster[i]]);
        if (status != PROTEA_OK)
            break;
        status = place(path, spec, copy, source, i, rows->image[i], &image);
        protea_free(path);
    }
    protea_image_release(&image);
    return status;
}

protea_status protea_sort_into(const char *dir, const char *spec, bool copy, const protea_source *source,
                               const protea_good_rows *rows, const protea_clustering *c, const protea_class_names *names)
{
    char (*folder)[96]; /* (k) */
    PROTEA_TRY(protea_new(&folder, (size_t)c->k, sizeof *folder, "names of folders"));
    protea_status status = make_folders(dir, c, names, folder);
    if (status == PROTEA_OK)
        status = place_all(dir, spec, copy, source, rows, c, folder);
    protea_free(folder);
    return status;
}
