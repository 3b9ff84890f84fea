/* A folder of the test's own, which is the working one while it runs, and files in it. */
#ifndef PROTEA_TESTS_SUPPORT_TEMP_FOLDER_H
#define PROTEA_TESTS_SUPPORT_TEMP_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char temp_folder[64];

static inline int temp_folder_enter(void **state)
{
    (void)state;
    snprintf(temp_folder, sizeof temp_folder, "/tmp/protea-source-XXXXXX");
    return mkdtemp(temp_folder) == NULL || chdir(temp_folder) != 0;
}

static inline int temp_folder_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind, (void)where;
    return remove(path);
}

static inline int temp_folder_leave(void **state)
{
    (void)state;
    return chdir("/") != 0 || nftw(temp_folder, temp_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0;
}

/* Its folders are made. */
static inline void write_file(const char *path, const void *bytes, size_t len)
{
    char folder[512];
    for (const char *c = strchr(path, '/'); c != NULL; c = strchr(c + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(c - path), path);
        mkdir(folder, 0755);
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

#endif
