/* A model as people name it: a RUN directory, a .safetensors file, or the word `pixels`. What it needs to be used travels
 * with it, as metadata of the file:
 *   protea.format "1" · protea.arch · protea.stem "small|large" · protea.image_size · protea.mean, protea.std "r,g,b"
 *   protea.method · protea.epoch · protea.step · protea.config (YAML) · protea.dataset (fingerprint)
 *   protea.classes (a JSON list of names), of a classifier
 * RUN/encoder.safetensors holds torchvision's names; RUN/model.safetensors, of a run that learns classes, the same and the
 * linear classifier fc.weight (C,D), fc.bias (C); RUN/checkpoint.safetensors the backbone under "backbone.", the method's own
 * tensors (fc.* too) under their names, and optimizer.*. A file with torchvision's names and no metadata is recognised by its
 * shapes. A directory means its model.safetensors, else its newest good checkpoint, else its encoder: so of a supervised
 * run the weights that validation chose, and of an adaptation what it ended with. */
#ifndef PROTEA_EVAL_MODEL_H
#define PROTEA_EVAL_MODEL_H

#include "data/source.h"
#include "format/class_names.h"
#include "method/method.h"

typedef struct protea_model {
    char arch[32], method[32];
    bool pixels;                  /* no network: the raw image as a vector, value/255 */
    bool small_stem;
    int image_size;               /* 0: `pixels` before protea_model_fit */
    float mean[3], std[3];
    int64_t dim;                  /* of backbone features (pixels: 3*size*size) */
    protea_module *backbone;      /* owned; NULL for pixels */
    const protea_method_ops *ops; /* NULL until protea_model_open_head */
    void *method_self;            /* owned */
    int64_t head_dim;             /* of head features, after protea_model_open_head */
    protea_module *fc;            /* (N,dim) -> logits (N,C); owned; NULL until protea_model_open_classifier */
    protea_class_names classes;   /* (C) of fc; numbers where the file does not name them */
    bool classes_named;           /* whether it does */
    char path[4096];              /* as it was named: a run, a file or "pixels" */
} protea_model;

/* image_size: 0 takes that of the model, and for `pixels` leaves it to protea_model_fit. Close in any case.
 * Errors: PROTEA_ERR_INPUT listing the first missing or unexpected tensors, or a weight that is not finite;
 * PROTEA_ERR_IO. */
protea_status protea_model_open(protea_ctx *cx, protea_model *model, const char *name, int image_size);
void protea_model_close(protea_model *model);

/* Loads the method's head beside the backbone. Errors: PROTEA_ERR_INPUT when the file holds none. */
protea_status protea_model_open_head(protea_ctx *cx, protea_model *model);

/* Opens a model and its linear classifier. Close in any case. Errors: as protea_model_open, and PROTEA_ERR_INPUT when the
 * file holds no fc.weight and fc.bias that fit the backbone and the number of its classes. */
protea_status protea_model_open_classifier(protea_ctx *cx, protea_model *model, const char *name, int image_size);
/* Writes backbone, fc where there is one, and metadata as RUN/model.safetensors has them: a file that all of these open.
 * Nothing is written of `pixels` (PROTEA_ERR_INTERNAL). Errors: PROTEA_ERR_IO, PROTEA_ERR_DIVERGED (a weight that is not
 * finite; what was at path stands). */
protea_status protea_model_save(const protea_model *model, const char *path);
/* Label of each class of the source among the model's: map (n_classes of the source), owned. Classes are matched by name;
 * where the model's have none, or the source's are only numbers, by number. Errors: PROTEA_ERR_INPUT naming a class that the
 * model does not know. name: of the source, for messages. */
protea_status protea_model_match_classes(int32_t **map, const protea_model *model, const protea_source *source,
                                         const char *name);

/* `pixels` without an image size takes the short side of the first good image. Errors: PROTEA_ERR_INPUT (no good image),
 * PROTEA_ERR_USAGE (it is larger than 256: a size must be given). */
protea_status protea_model_fit(protea_model *model, protea_source *source);

#endif
