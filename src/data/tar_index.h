/* Finds the pictures in a tar without unpacking it: ustar, GNU long names, pax paths and sizes, base-256 sizes. Links,
 * devices and folders are passed over; nothing is ever written. */
#ifndef PROTEA_DATA_TAR_INDEX_H
#define PROTEA_DATA_TAR_INDEX_H

#include "base/bytes.h"
#include "data/catalog.h"

enum { PROTEA_TAR_BLOCK = 512 };

/* Whether a block's checksum is that of a tar header. */
bool protea_tar_is_header(const uint8_t block[static PROTEA_TAR_BLOCK]);

/* Adds each picture with the place of its bytes. A damaged archive gives what lies before the damage, and *damage (owned,
 * else NULL) says in one line where it is. */
protea_status protea_tar_index(protea_catalog *c, const protea_blob *tar, const char *path, char **damage);

#endif
