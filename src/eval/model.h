/* A model as people name it: a RUN directory, a .safetensors file, or the word `pixels`. What it needs to be used travels
 * with it, as metadata of the file:
 *   protea.format "1" · protea.arch · protea.stem "small|large" · protea.image_size · protea.mean, protea.std "r,g,b"
 *   protea.method · protea.epoch · protea.step · protea.config (YAML) · protea.dataset (fingerprint)
 * RUN/encoder.safetensors holds torchvision's names; RUN/checkpoint.safetensors the same under "backbone.", the method's own
 * tensors under their names, and optimizer.*. A file with torchvision's names and no metadata is recognised by its shapes. */
#ifndef PROTEA_EVAL_MODEL_H
#define PROTEA_EVAL_MODEL_H

#include "data/source.h"
#include "method/method.h"

typedef struct protea_model {
    char arch[32], method[32];
    bool pixels;                  /* no network: the raw image as a vector, value/255 */
    int image_size;
    float mean[3], std[3];
    int64_t dim;                  /* of backbone features (pixels: 3*size*size) */
    protea_module *backbone;      /* owned; NULL for pixels */
    const protea_method_ops *ops; /* NULL when the file has no head */
    void *method_self;            /* owned */
    char path[1024];              /* file that was read */
} protea_model;

/* image_size: used for `pixels`; 0: taken from the first image of the data. Errors: PROTEA_ERR_INPUT listing the first
 * missing or unexpected tensors, PROTEA_ERR_IO. */
protea_status protea_model_open(protea_ctx *cx, protea_model *model, const char *name, int image_size);
void protea_model_close(protea_model *model);

/* Pooled backbone features (or head features) of all images: z (count, dim) of the caller. Bad images give a row of zeros
 * and are noted in the source. progress may be NULL. Uses arenas of its own. */
protea_status protea_model_features(protea_ctx *cx, const protea_model *model, bool head, protea_source *source, float *z,
                                    void (*progress)(void *self, int64_t done), void *self);

#endif
