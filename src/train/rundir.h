/* A run's directory: its lock, its files, its log. */
#ifndef PROTEA_TRAIN_RUNDIR_H
#define PROTEA_TRAIN_RUNDIR_H

#include <protea/options.h>

#include "tensor/context.h"

#define PROTEA_RUN_CONFIG "config.yaml"
#define PROTEA_RUN_CHECKPOINT "checkpoint.safetensors"
#define PROTEA_RUN_PREVIOUS "checkpoint.previous.safetensors"
#define PROTEA_RUN_ENCODER "encoder.safetensors"
#define PROTEA_RUN_MODEL "model.safetensors"
#define PROTEA_RUN_METRICS "metrics.jsonl"
#define PROTEA_RUN_LOG "train.log"
#define PROTEA_RUN_SKIPPED "skipped.tsv"
#define PROTEA_RUN_REPORT "report.html"
#define PROTEA_RUN_PREDICTIONS "predictions.csv"
#define PROTEA_RUN_STATS "stats.json"

enum { PROTEA_PATH_MAX = 4096 };

typedef struct protea_rundir protea_rundir;

/* Makes path (with its parents), locks it until close or the end of the process, and writes in it, so that a directory
 * that cannot be written is found now. resume: it may hold a run, which is kept. overwrite: it may hold a run, whose
 * files are removed; other files are left alone. *out: owned.
 * Errors: PROTEA_ERR_BUSY naming the host and process that hold it, PROTEA_ERR_USAGE (not empty), PROTEA_ERR_IO. */
protea_status protea_rundir_open(protea_rundir **out, const char *path, bool resume, bool overwrite);
/* Gives the lock back. Before protea_rundir_keep it also removes what open made, so that a start that failed leaves
 * nothing behind that would be in the way of the next. Accepts NULL. */
void protea_rundir_close(protea_rundir *run);
/* From here on the directory holds a run. */
void protea_rundir_keep(protea_rundir *run);

const char *protea_rundir_path(const protea_rundir *run); /* borrowed */
/* out = path of a file in it. */
protea_status protea_rundir_file(const protea_rundir *run, char out[static PROTEA_PATH_MAX], const char *name);

/* Whether a file of this name is of a run, and goes when the run is overwritten. */
bool protea_rundir_owns(const char *name);
/* config.yaml: every option of the call. Errors: PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_rundir_write_config(const protea_rundir *run, const protea_options *options);

/* A protea_log_fn with the run as cookie: appends the line to train.log, then hands it to log (may be NULL).
 * A disk that is full never stops training. */
void protea_rundir_set_log(protea_rundir *run, protea_log_fn log, void *cookie);
void protea_rundir_log(void *run, protea_log_level level, const char *line);

/* Bytes that can still be written where the run lives; negative when it cannot be known. */
double protea_rundir_free_bytes(const protea_rundir *run);

#endif
