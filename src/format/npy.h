/* NumPy's .npy: one array, C order, little-endian; f4, u1, i4 or i8; at most four dims (a scalar is one element).
 * Source: numpy.lib.format, versions 1.0 to 3.0. */
#ifndef PROTEA_FORMAT_NPY_H
#define PROTEA_FORMAT_NPY_H

#include "tensor/context.h"

/* out: a plain heap tensor, owned (protea_tensor_release). The shape is checked against the file's size before
 * anything is allocated. Errors: PROTEA_ERR_INPUT naming path, what was found and what is wanted; PROTEA_ERR_IO;
 * PROTEA_ERR_MEMORY. */
protea_status protea_npy_read(protea_tensor *out, const char *path);

/* Writes a plain tensor; the file appears whole or not at all. Errors: PROTEA_ERR_IO. */
protea_status protea_npy_write(const char *path, const protea_tensor *t);

#endif
