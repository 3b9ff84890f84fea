/* CIFAR-10's binary version: records of one label byte and 3072 pixel bytes (red, green, blue planes of 32 x 32), in one
 * file or in a folder with data_batch_*.bin (test_batch.bin is a data set of its own).
 * Source: Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "data/source_kind.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, MAX_FILES = 16 };

static const char *const classes[10] = { "airplane", "automobile", "bird", "cat", "deer",
                                         "dog",      "frog",       "horse", "ship", "truck" };

typedef struct cifar_set {
    protea_blob file[MAX_FILES];
    int n;
} cifar_set;

/* at: file number in the high bits, record number in the low ones. */
static protea_status cifar_read(const void *self, const protea_entry *entry, const char *name, const char *label,
                                const protea_limits *limits, protea_image *out)
{
    const cifar_set *set = self;
    uint8_t record[RECORD];
    (void)name, (void)limits;
    PROTEA_TRY(protea_blob_read(&set->file[entry->at >> 32], (entry->at & UINT32_MAX) * RECORD, record, sizeof record, label));
    PROTEA_TRY(protea_image_reserve(out, SIDE, SIDE));
    for (int i = 0; i < PLANE; i++)
        for (int c = 0; c < 3; c++)
            out->px[3 * i + c] = record[1 + c * PLANE + i];
    return PROTEA_OK;
}

static void cifar_close(void *self)
{
    cifar_set *set = self;
    for (int i = 0; i < set->n; i++)
        close(set->file[i].fd);
    protea_free(set);
}

static const protea_source_ops cifar_ops = { .kind = "cifar10", .read = cifar_read, .close = cifar_close, .between = '!' };

/* Reads the label bytes alone. */
static protea_status add_records(protea_opened *o, const cifar_set *set, int file, const char *path)
{
    const protea_blob *blob = &set->file[file];
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    if (blob->size == 0 || blob->size % RECORD != 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: has %llu bytes, wanted whole CIFAR-10 records of %d bytes", path,
                           (unsigned long long)blob->size, RECORD);
    for (uint64_t i = 0; i < blob->size / RECORD; i++) {
        uint8_t label;
        char name[512];
        PROTEA_TRY(protea_blob_read(blob, i * RECORD, &label, 1, path));
        if (label > 9)
            return protea_fail(PROTEA_ERR_INPUT, "%s: record %llu has label %d, wanted 0 to 9", path, (unsigned long long)i, label);
        snprintf(name, sizeof name, "%s/%s/%05llu.png", base, classes[label], (unsigned long long)i);
        PROTEA_TRY(protea_catalog_add(&o->catalog, name, (uint64_t)file << 32 | i, RECORD));
    }
    return PROTEA_OK;
}

static protea_status add_file(protea_opened *o, cifar_set *set, const char *path)
{
    protea_blob *blob = &set->file[set->n];
    if (set->n == MAX_FILES)
        return protea_fail(PROTEA_ERR_INPUT, "%s: more than %d CIFAR-10 files", path, MAX_FILES);
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &blob->fd, &blob->size));
    set->n++;
    return add_records(o, set, set->n - 1, path);
}

static int is_batch(const struct dirent *e)
{
    return fnmatch("data_batch_*.bin", e->d_name, 0) == 0;
}

static int bytewise(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

bool protea_folder_has_cifar(const char *path)
{
    struct dirent **list;
    int n = scandir(path, &list, is_batch, bytewise);
    for (int i = 0; i < n; i++)
        free(list[i]);
    if (n >= 0)
        free(list);
    return n > 0;
}

static protea_status add_folder(protea_opened *o, cifar_set *set, const char *path)
{
    struct dirent **list;
    protea_status status = PROTEA_OK;
    int n = scandir(path, &list, is_batch, bytewise);
    if (n < 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: folder cannot be read: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
        if (status == PROTEA_OK)
            status = add_file(o, set, file);
        free(list[i]);
    }
    free(list);
    return status;
}

bool protea_looks_like_cifar(const uint8_t *bytes, size_t len, uint64_t size)
{
    return len > 0 && size % RECORD == 0 && bytes[0] <= 9;
}

protea_status protea_open_cifar(protea_opened *o, const char *path)
{
    cifar_set *set;
    PROTEA_TRY(protea_new(&set, 1, sizeof *set, "a CIFAR-10 set"));
    o->ops = &cifar_ops;
    o->self = set;
    return protea_folder_has_cifar(path) ? add_folder(o, set, path) : add_file(o, set, path);
}
