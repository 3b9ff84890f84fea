/* Which network a file of weights is for, told by its metadata or by its shapes. */
#ifndef PROTEA_EVAL_RECOGNISE_H
#define PROTEA_EVAL_RECOGNISE_H

#include "eval/model.h"
#include "format/safetensors.h"

/* Fills arch, method, small_stem, image_size, mean and std of model from the metadata where there is any, else from the
 * shapes under prefix. path: for messages. Errors: PROTEA_ERR_INPUT. */
protea_status protea_recognise(protea_model *model, const protea_st_file *file, const char *prefix, const char *path);

#endif
