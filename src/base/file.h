/* Files that are whole or not there: bounded reading, atomic and durable writing. */
#ifndef PROTEA_BASE_FILE_H
#define PROTEA_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"

/* Reads a regular file of at most `limit` bytes. *out: owned (protea_free), with a 0 after its *len bytes.
 * Errors: PROTEA_ERR_INPUT (missing, not a regular file, too large), PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_file_read(char **out, size_t *len, const char *path, size_t limit);

/* A file being written under a temporary name beside its own. Until commit nothing is at `path` but what was there. */
typedef struct protea_new_file {
    FILE *stream;  /* write here; errors are found by commit */
    char *path, *temporary;
} protea_new_file;
/* Errors: PROTEA_ERR_IO naming path. */
protea_status protea_new_file_open(protea_new_file *f, const char *path);
/* Flushes, fsyncs, renames and fsyncs the directory. On failure the temporary is removed and what was at path stands.
 * f is empty afterwards in any case. Errors: PROTEA_ERR_IO naming path. */
protea_status protea_new_file_commit(protea_new_file *f);
/* The first half of it: flushes, fsyncs and closes the temporary, which can then be read back; a commit or an abort follows.
 * Errors: PROTEA_ERR_IO naming path. */
protea_status protea_new_file_sync(protea_new_file *f);
/* Commit, with the old file (if there is one) kept under the name `previous`. At every instant path is a whole file, or
 * previous is where the file system has no hard links. */
protea_status protea_new_file_commit_keeping(protea_new_file *f, const char *previous);
/* Removes the temporary; accepts an empty (zeroed) or committed f. */
void protea_new_file_abort(protea_new_file *f);
/* Of a file whose writing ended with that status: commit where it is PROTEA_OK, else abort. Returns what went wrong first. */
protea_status protea_new_file_end(protea_new_file *f, protea_status status);

/* The two above for bytes that are all there. */
protea_status protea_file_write(const char *path, const void *bytes, size_t len);

/* Makes the directory and its parents where they are missing. Errors: PROTEA_ERR_IO. */
protea_status protea_make_dirs(const char *path);
/* *empty: there is no such directory, or nothing is in it. Errors: PROTEA_ERR_IO (not a directory, not readable). */
protea_status protea_dir_is_empty(const char *path, bool *empty);
/* Makes renames and removals inside path durable. Errors: PROTEA_ERR_IO. */
protea_status protea_sync_dir(const char *path);
/* directory/name; owned (protea_free). */
protea_status protea_path_join(char **out, const char *directory, const char *name);

#endif
