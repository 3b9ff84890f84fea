/* What `protea inspect` can say of each kind of thing; each fills in the call's result. */
#ifndef PROTEA_API_INSPECT_H
#define PROTEA_API_INSPECT_H

#include "api/images.h"

typedef struct protea_inspect_opts {
    int64_t sample;
    protea_images_opts images;
} protea_inspect_opts;

/* A data set: size, classes and where they come from, what looks odd, and mean, standard deviation and sizes of a sample of the
 * images. */
protea_status protea_inspect_data(const protea_inspect_opts *opts, const protea_call *call, const char *spec);
/* Adds a line to odd for each thing that looks odd. width, height: smallest and largest that were seen. */
void protea_inspect_odd(json_t *odd, const protea_source *source, const json_t *images_per_class, const int width[2],
                        const int height[2]);
/* A .safetensors file: a checkpoint, an encoder, or another program's weights. */
protea_status protea_inspect_weights(const protea_call *call, const char *path);
/* The newest good checkpoint of a run. */
protea_status protea_inspect_run(const protea_call *call, const char *dir);
/* Whether an .npy holds images, which are a data set. */
bool protea_inspect_is_images(const char *path);
/* Rows of numbers in an .npy file. */
protea_status protea_inspect_vectors(const protea_call *call, const char *path);

#endif
