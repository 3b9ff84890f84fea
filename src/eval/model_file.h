/* Which file a model's name means, for those who read more than its backbone; and what a file of ours says about a model. */
#ifndef PROTEA_EVAL_MODEL_FILE_H
#define PROTEA_EVAL_MODEL_FILE_H

#include "eval/model.h"
#include "format/safetensors.h"
#include "train/checkpoint.h"

/* The file of a run or a path; *file: owned (protea_st_close). Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO. */
protea_status protea_model_file_open(const protea_ctx *cx, protea_st_file **file, const char *name);

/* A file of a run by its name. *file: owned; NULL: the run has no such file. */
protea_status protea_run_file_open(protea_st_file **file, const char *run, const char *name);

/* The metadata that a model needs to be opened again. */
enum { PROTEA_MODEL_NOTES = 7 };
typedef struct protea_model_notes {
    protea_note note[PROTEA_MODEL_NOTES]; /* values borrowed from the model and from here */
    char size[16], mean[64], std[64];
} protea_model_notes;
void protea_model_notes_of(protea_model_notes *out, const protea_model *model);

#endif
