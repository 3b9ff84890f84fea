/* Where verbs write pictures: class folders of PNG files, a tar of the same (a path that ends in .tar), or one .npy of uint8
 * (N,H,W,3) with NAME-labels.npy and NAME-classes.txt beside it (a path that ends in .npy). protea_source_open reads all three.
 * Pictures are named by their index in the source, in its class's folder; without labels they lie in no folder. */
#ifndef PROTEA_API_IMAGE_SINK_H
#define PROTEA_API_IMAGE_SINK_H

#include "data/source.h"

typedef struct protea_image_sink protea_image_sink;

/* Whether the path names an .npy, which holds one array; any file and not a folder. */
bool protea_image_sink_is_array(const char *path);
bool protea_image_sink_is_file(const char *path);

/* source: gives labels and classes, borrowed. A folder must be empty or new; files are replaced when they are whole.
 * Errors: PROTEA_ERR_USAGE (the folder is not empty), PROTEA_ERR_INPUT (a class cannot be a folder), PROTEA_ERR_IO. *out: owned. */
protea_status protea_image_sink_open(protea_image_sink **out, const char *path, const protea_source *source);
/* What follows lies under this folder ("fog/3", or "" for none); an .npy has no folders, its rows go on. */
void protea_image_sink_begin(protea_image_sink *sink, const char *folder);
/* What put can be spared: the picture as the sink's files hold it. *bytes: owned (protea_free), or NULL. Thread-safe. */
protea_status protea_image_sink_encode(const protea_image_sink *sink, const protea_image *image, uint8_t **bytes, size_t *len);
/* Writes picture i of the source: bytes from encode, and the picture. Errors: PROTEA_ERR_IO; PROTEA_ERR_INPUT when an .npy gets
 * pictures of different sizes. */
protea_status protea_image_sink_put(protea_image_sink *sink, int64_t i, const protea_image *image, const uint8_t *bytes,
                                    size_t len);
/* Finishes what was written or, when it is not to be whole, takes back what can be (a folder's files stay). Frees the sink in
 * any case; accepts NULL. Errors: PROTEA_ERR_IO. */
protea_status protea_image_sink_close(protea_image_sink *sink, bool whole);

#endif
