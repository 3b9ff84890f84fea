/* The one bounded reader: bytes that came from outside, in memory or in an open file, never read past their end. */
#ifndef PROTEA_BASE_BYTES_H
#define PROTEA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A cursor over memory. Every function takes from the front, or gives false and takes nothing when too little is left. */
typedef struct protea_cursor {
    const uint8_t *at; /* borrowed */
    size_t left;
} protea_cursor;

bool protea_bytes_take(protea_cursor *b, size_t n, const uint8_t **out);
bool protea_bytes_u32be(protea_cursor *b, uint32_t *out);
bool protea_bytes_u32le(protea_cursor *b, uint32_t *out);
bool protea_bytes_u64le(protea_cursor *b, uint64_t *out);

/* A file or a piece of memory, read at random by any number of threads. */
typedef struct protea_blob {
    const uint8_t *memory; /* NULL: fd is read */
    int fd;                /* borrowed */
    uint64_t size;
} protea_blob;

/* Whether [at, at + n) lies inside. */
bool protea_blob_holds(const protea_blob *b, uint64_t at, uint64_t n);
/* Copies [at, at + n) to out. Errors: PROTEA_ERR_INPUT beyond the end (also of a file that has shrunk since), PROTEA_ERR_IO;
 * name is for the message. */
protea_status protea_blob_read(const protea_blob *b, uint64_t at, void *out, size_t n, const char *name);

/* Opens a regular file for reading: never waits on a FIFO, never opens a device. dir: a folder's descriptor or AT_FDCWD.
 * *fd: owned, close(). Errors: PROTEA_ERR_INPUT (not there, no permission, not a regular file), PROTEA_ERR_IO. */
protea_status protea_open_regular(int dir, const char *path, const char *name, int *fd, uint64_t *size);

#endif
