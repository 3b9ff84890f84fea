/* Which kind of data set lies at a path: found out by content. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "data/source_kind.h"

/* Splits PATH::SUB, unless a file has the whole text as its name. sub points into path. */
static void split_sub(char *path, const char **sub)
{
    struct stat st;
    *sub = "";
    if (stat(path, &st) == 0)
        return;
    char *mark = NULL;
    for (char *at = strstr(path, "::"); at != NULL; at = strstr(at + 1, "::"))
        mark = at;
    if (mark == NULL)
        return;
    *mark = 0;
    *sub = mark + 2;
    for (size_t len = strlen(*sub); len > 0 && mark[2 + len - 1] == '/'; len--)
        mark[2 + len - 1] = 0;
}

static const protea_file_kind file_kinds[] = {
    { "a tar (plain, gz, xz, zst)", protea_looks_like_tar, NULL, protea_open_tar },
    { "an .npy", protea_looks_like_npy, NULL, protea_open_npy },
    { "IDX", protea_looks_like_idx, NULL, protea_open_idx },
    { "CIFAR-10", protea_looks_like_cifar10, NULL, protea_open_cifar10 },
    { "CIFAR-100", protea_looks_like_cifar100, NULL, protea_open_cifar100 },
    { "a list (.txt, .csv)", NULL, ".txt|.csv", protea_open_list },
};
enum { N_FILE_KINDS = sizeof file_kinds / sizeof *file_kinds };

static bool ends_in(const char *path, const char *endings)
{
    const char *dot = strrchr(path, '.');
    for (const char *end = endings; dot != NULL; end += strcspn(end, "|") + 1) {
        size_t len = strcspn(end, "|");
        if (strlen(dot) == len && strncasecmp(dot, end, len) == 0)
            return true;
        if (end[len] == 0)
            break;
    }
    return false;
}

/* The kind of the file, or a failure that says what there could be. */
static protea_status find_kind(const protea_file_kind **kind, const char *path, const protea_blob *blob)
{
    uint8_t head[512];
    char wanted[256] = "";
    size_t len = blob->size < sizeof head ? (size_t)blob->size : sizeof head, used = 0;
    PROTEA_TRY(protea_blob_read(blob, 0, head, len, path));
    for (*kind = file_kinds; *kind < file_kinds + N_FILE_KINDS; (*kind)++) {
        if ((*kind)->looks_like != NULL ? (*kind)->looks_like(head, len, blob->size) : ends_in(path, (*kind)->endings))
            return PROTEA_OK;
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, ", %s", (*kind)->what);
    }
    return protea_fail(PROTEA_ERR_INPUT, "%s: is %s of %llu bytes, wanted a folder%s", path, len == 0 ? "an empty file" : "a file",
                       (unsigned long long)blob->size, wanted);
}

static protea_status open_packed(protea_opened *o, const char *path, protea_packed_file *file)
{
    const protea_file_kind *kind;
    PROTEA_TRY(find_kind(&kind, path, &file->blob));
    size_t memory = protea_packed_file_memory(file);
    char *damage = file->damage;
    file->damage = NULL;
    protea_status status = kind->open(o, path, file);
    o->memory += memory;
    if (damage != NULL) { /* what else is missing is missing because of that */
        protea_free(o->warning);
        o->warning = damage;
    }
    return status;
}

static protea_status open_file(protea_opened *o, const char *path, const protea_source_opts *opts)
{
    protea_packed_file file;
    protea_status status = protea_packed_file_open(&file, path, &opts->limits);
    if (status == PROTEA_OK)
        status = open_packed(o, path, &file);
    protea_packed_file_close(&file);
    return status;
}

static protea_status open_path(protea_opened *o, const char *path, const protea_source_opts *opts)
{
    struct stat st;
    bool is_cifar;
    if (stat(path, &st) != 0)
        return protea_fail(errno == EIO ? PROTEA_ERR_IO : PROTEA_ERR_INPUT, "%s: no such data set: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return open_file(o, path, opts);
    PROTEA_TRY(protea_open_cifar_folder(o, path, &is_cifar));
    return is_cifar ? PROTEA_OK : protea_open_folder(o, path);
}

/* One path or, where nothing has that name, those that its braces stand for, which settle *sub themselves. */
static protea_status open_names(protea_opened *o, const char *path, const char **sub, const protea_source_opts *opts)
{
    protea_braces braces;
    struct stat st;
    if (strchr(path, '{') == NULL || stat(path, &st) == 0)
        return open_path(o, path, opts);
    PROTEA_TRY(protea_braces_parse(&braces, path));
    if (braces.n_groups == 0)
        return open_path(o, path, opts);
    PROTEA_TRY(protea_open_shards(o, &braces, *sub, &opts->limits));
    *sub = "";
    return PROTEA_OK;
}

protea_status protea_open_paths(protea_opened *o, char *path, const char **sub, const protea_source_opts *opts)
{
    split_sub(path, sub);
    return open_names(o, path, sub, opts);
}
