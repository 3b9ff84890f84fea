/* A file's bytes where they lie or, if it is compressed (gz, xz, zst), unpacked once into memory, within limits.max_memory
 * and max_ratio. */
#ifndef PROTEA_DATA_PACKED_FILE_H
#define PROTEA_DATA_PACKED_FILE_H

#include "base/bytes.h"
#include "image/image.h"

typedef struct protea_packed_file {
    protea_blob blob;
    uint8_t *unpacked; /* owned, or NULL */
    char *damage;      /* the stream is cut off or damaged, and its beginning is here: one line, owned; or NULL */
} protea_packed_file;

/* Errors: PROTEA_ERR_INPUT (not a regular file, more than may be unpacked), PROTEA_ERR_IO, PROTEA_ERR_MEMORY. Close in any
 * case. */
protea_status protea_packed_file_open(protea_packed_file *f, const char *path, const protea_limits *limits);
void protea_packed_file_close(protea_packed_file *f);
/* Hands the file over: f is empty afterwards. */
protea_packed_file protea_packed_file_take(protea_packed_file *f);
/* Bytes held in memory. */
size_t protea_packed_file_memory(const protea_packed_file *f);

#endif
