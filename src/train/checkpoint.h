/* Checkpoints: one safetensors file with all that a resume needs, two generations of it, and the encoder alone.
 * Nothing in them depends on the time, so a run that was stopped and resumed ends with the bytes of one that was not. */
#ifndef PROTEA_TRAIN_CHECKPOINT_H
#define PROTEA_TRAIN_CHECKPOINT_H

#include "format/safetensors.h"
#include "nn/module.h"
#include "train/rundir.h"

/* Names every tensor that is to be saved, always in the same order (as protea_visit_fn). */
typedef protea_status (*protea_saved_fn)(void *self, const protea_visitor *v);

typedef struct protea_note {
    const char *key, *value;
} protea_note;

/* Writes a file with the notes as metadata; previous: the path that the old generation keeps, or NULL.
 * Errors: PROTEA_ERR_DIVERGED when a tensor holds a number that is not finite (the old file stands), PROTEA_ERR_IO. */
protea_status protea_checkpoint_write(const char *path, const char *previous, protea_saved_fn visit, void *self,
                                      const protea_note *notes, int n_notes);
/* The same with names of files in the run's directory. */
protea_status protea_checkpoint_save(const protea_rundir *run, const char *file, const char *previous, protea_saved_fn visit,
                                     void *self, const protea_note *notes, int n_notes);

/* The newest good checkpoint in the directory, with a warning in the log when it is not the newest one.
 * *out NULL: there is none. Errors: PROTEA_ERR_INPUT when there are only damaged ones, PROTEA_ERR_MEMORY. */
protea_status protea_checkpoint_open(const protea_ctx *cx, protea_st_file **out, const char *dir);

/* Copies the file's tensors into those that visit names. Errors: PROTEA_ERR_INPUT naming the first tensor that is missing,
 * of another shape, or unexpected. */
protea_status protea_checkpoint_restore(const protea_st_file *file, protea_saved_fn visit, void *self);

/* A whole number of the metadata. Errors: PROTEA_ERR_INPUT. */
protea_status protea_checkpoint_number(const protea_st_file *file, const char *key, int64_t *out);

#endif
