/* Strict loading: the tensors of a file into the parameters and buffers of a module. */
#ifndef PROTEA_EVAL_WEIGHTS_H
#define PROTEA_EVAL_WEIGHTS_H

#include "format/safetensors.h"
#include "nn/module.h"

/* Names every parameter and buffer to the visitor. */
typedef protea_status (*protea_visit_weights)(void *self, const protea_visitor *v);

typedef struct protea_weights_load {
    const protea_st_file *file;
    const char *path;                    /* for messages */
    const char *prefix;                  /* of the names in the file: "" or "backbone." */
    bool (*unexpected)(const char *name); /* whether a name (without prefix) that was not asked for is a fault; NULL: never */
} protea_weights_load;

/* Copies every tensor visited, checking names, shapes, types and that all numbers are finite. "num_batches_tracked" may be
 * missing (files older than PyTorch 0.4.1 have none).
 * Errors: PROTEA_ERR_INPUT naming the first missing and unexpected tensors and their numbers, or the tensor whose shape or
 * content is not what was wanted. */
protea_status protea_weights_read(const protea_weights_load *load, protea_visit_weights visit, void *self);

#endif
