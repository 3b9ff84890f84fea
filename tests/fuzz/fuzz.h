/* What the fuzz targets share. A target is one function that is handed bytes from outside: libFuzzer looks for bytes that do harm
 * (tools/fuzz.sh), replay.c hands over those that lie in seeds/ (every ordinary test run). Whatever the bytes, the answer must be
 * a status that input may have, with one line of message that can be shown. */
#ifndef PROTEA_TESTS_FUZZ_H
#define PROTEA_TESTS_FUZZ_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "data/source_kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_stop(const char *why)
{
    fprintf(stderr, "fuzz: %s: %s\n", why, protea_last_error());
    abort();
}

/* Takes a status that input may have: good, or refused in one line. */
static inline bool fuzz_is_good(protea_status status)
{
    if (status == PROTEA_OK)
        return true;
    if (status != PROTEA_ERR_INPUT && status != PROTEA_ERR_USAGE)
        fuzz_stop("another status than input may have");
    for (const char *c = protea_last_error(); *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            fuzz_stop("a message that cannot be shown");
    return false;
}

/* Limits that are reached by small inputs, so that no run of a target takes long. */
static inline protea_limits fuzz_limits(void)
{
    protea_limits limits = protea_limits_default();
    limits.max_pixels = 1 << 20;
    limits.max_scans = 20;
    limits.max_memory = 16 << 20;
    limits.exif = true;
    return limits;
}

/* ---- pictures */

typedef protea_status (*fuzz_decoder)(protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                      const protea_limits *limits);

static inline void fuzz_decode(fuzz_decoder decode, const uint8_t *data, size_t size)
{
    const protea_limits limits = fuzz_limits();
    protea_image image = { 0 };
    if (fuzz_is_good(decode(&image, data, size, "input", &limits)) &&
        (image.w < 1 || image.h < 1 || (int64_t)image.w * image.h > limits.max_pixels))
        fuzz_stop("a picture beyond the limits");
    protea_image_release(&image);
}

/* ---- data sets */

typedef protea_status (*fuzz_opener)(protea_opened *o, const char *path, protea_packed_file *file);

static inline void fuzz_read_some(protea_opened *set)
{
    enum { IMAGES = 32 };
    const protea_limits limits = fuzz_limits();
    protea_image image = { 0 };
    for (int64_t i = 0; i < set->catalog.n && i < IMAGES; i++) {
        const char *name = protea_catalog_name(&set->catalog, i);
        fuzz_is_good(set->ops->read(set->self, &set->catalog.entry[i], name, name, &limits, &image));
    }
    protea_image_release(&image);
}

static inline void fuzz_close(protea_opened *set)
{
    if (set->ops != NULL)
        set->ops->close(set->self);
    protea_catalog_release(&set->catalog);
    protea_catalog_release(&set->empty);
    protea_free(set->warning);
}

/* Opens a set that lies in memory, as the frame of sources does, and reads its first images. */
static inline void fuzz_open(fuzz_opener open, const char *path, const uint8_t *data, size_t size)
{
    protea_packed_file file = { .blob = { .memory = data, .fd = -1, .size = size } };
    protea_opened set = { 0 };
    if (fuzz_is_good(open(&set, path, &file))) {
        protea_catalog_sort(&set.catalog);
        if (set.catalog.labels_by == NULL)
            fuzz_is_good(protea_catalog_label(&set.catalog, ""));
        fuzz_read_some(&set);
    }
    protea_packed_file_close(&file);
    fuzz_close(&set);
}

/* ---- files */

static char fuzz_folder[64];

static inline int fuzz_remove(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind, (void)where;
    return remove(path);
}

static inline void fuzz_leave(void)
{
    nftw(fuzz_folder, fuzz_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes the bytes to a file of that name in a folder of the process's own; path: room for it. */
static inline void fuzz_file(char path[static 128], const char *name, const void *data, size_t size)
{
    if (fuzz_folder[0] == 0) {
        snprintf(fuzz_folder, sizeof fuzz_folder, "%s/protea-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (mkdtemp(fuzz_folder) == NULL)
            fuzz_stop("no folder for files");
        atexit(fuzz_leave);
    }
    snprintf(path, 128, "%s/%s", fuzz_folder, name);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        fuzz_stop("a file could not be written");
    close(fd);
}

#endif
