/* A data set seen through a corruption, without files: each image is corrupted when it is read. */
#ifndef PROTEA_DATA_SOURCE_CORRUPT_H
#define PROTEA_DATA_SOURCE_CORRUPT_H

#include "data/source.h"
#include "image/corrupt.h"

/* The images of `source` in its order, with its names, labels and classes; image i is what protea_corrupt makes of it with
 * protea_corrupt_rng(seed, corruption, severity, i): the bytes that `protea corrupt` writes. source is borrowed and must
 * outlive *out, which is owned (protea_source_close). Errors: PROTEA_ERR_USAGE for a corruption or severity that is not
 * there; reading: as the source's, and protea_corrupt's. */
protea_status protea_source_corrupted(protea_source **out, const protea_source *source, int corruption, int severity,
                                      uint64_t seed);

#endif
