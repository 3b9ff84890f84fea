/* Which file a model's name means, for those who read more than its backbone. */
#ifndef PROTEA_EVAL_MODEL_FILE_H
#define PROTEA_EVAL_MODEL_FILE_H

#include "eval/model.h"
#include "format/safetensors.h"

/* The file of a run or a path; *file: owned (protea_st_close). Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO. */
protea_status protea_model_file_open(const protea_ctx *cx, protea_st_file **file, const char *name);

/* A file of a run by its name. *file: owned; NULL: the run has no such file. */
protea_status protea_run_file_open(protea_st_file **file, const char *run, const char *name);

#endif
