/* NumPy's .npy: one array, C order, little-endian; f4, u1, i4 or i8; at most four dims (a scalar is one element).
 * Source: numpy.lib.format, versions 1.0 to 3.0. */
#ifndef PROTEA_FORMAT_NPY_H
#define PROTEA_FORMAT_NPY_H

#include <stdio.h>

#include "base/bytes.h"
#include "tensor/context.h"

/* out: a plain heap tensor, owned (protea_tensor_release). The shape is checked against the file's size before
 * anything is allocated. Errors: PROTEA_ERR_INPUT naming path, what was found and what is wanted; PROTEA_ERR_IO;
 * PROTEA_ERR_MEMORY. */
protea_status protea_npy_read(protea_tensor *out, const char *path);

/* The same of an array of at most `most` elements, which is found out before anything is allocated. */
protea_status protea_npy_read_some(protea_tensor *out, const char *path, int64_t most);

/* Only what the header says: type and dims (data NULL), and where in the blob the elements begin; there are exactly as many as
 * the dims ask for. Errors: as above. */
protea_status protea_npy_look(protea_tensor *out, uint64_t *start, const protea_blob *blob, const char *name);

/* An array used where it lies in its file, which may be larger than memory. Do not shorten the file meanwhile. */
typedef struct protea_npy_map {
    protea_tensor t;    /* plain; its elements may only be read */
    void *map;
    size_t size;
} protea_npy_map;
/* Errors: as protea_npy_read; also PROTEA_ERR_INPUT where the elements are not aligned (no program that we know writes that). */
protea_status protea_npy_map_open(protea_npy_map *out, const char *path);
void protea_npy_map_close(protea_npy_map *m); /* accepts a zeroed one */

/* Writes a header for elements that follow. It is PROTEA_NPY_HEAD bytes long whatever the dims are, so that it can be written
 * again over the first one when their number is known. */
enum { PROTEA_NPY_HEAD = 192 };
protea_status protea_npy_begin(FILE *stream, const protea_tensor *shape, const char *path);

/* Writes a plain tensor; the file appears whole or not at all. Errors: PROTEA_ERR_IO. */
protea_status protea_npy_write(const char *path, const protea_tensor *t);

#endif
