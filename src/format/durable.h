/* Files that are whole or not there: written beside their place, made durable, then put in place by a rename. */
#ifndef PROTEA_FORMAT_DURABLE_H
#define PROTEA_FORMAT_DURABLE_H

#include <stddef.h>

#include "base/status.h"

/* Names longer than this are refused. */
enum { PROTEA_PATH_MAX = 4096 };

/* out = text of format, which is a path. Errors: PROTEA_ERR_USAGE when it is too long. */
protea_status protea_path(char out[static PROTEA_PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A file on its way: written as path.tmp. */
typedef struct protea_durable {
    char path[PROTEA_PATH_MAX], tmp[PROTEA_PATH_MAX];
    int fd;
} protea_durable;

/* Makes (or empties) path.tmp. Errors: PROTEA_ERR_IO naming it. After a success end with _commit or _abandon. */
protea_status protea_durable_begin(protea_durable *d, const char *path);
protea_status protea_durable_write(protea_durable *d, const void *bytes, size_t len);
/* Waits until the bytes are on the disk and closes the file; it can then be read under d->tmp. */
protea_status protea_durable_sync(protea_durable *d);
/* Puts the file in its place, after a sync. previous (may be NULL): a name that the old file keeps. At every instant
 * path, or previous where the file system has no hard links, is a whole file. */
protea_status protea_durable_commit(protea_durable *d, const char *previous);
/* Removes path.tmp; the old file stands. */
void protea_durable_abandon(protea_durable *d);

/* All of the above for a small file. */
protea_status protea_durable_text(const char *path, const char *text, size_t len);

#endif
