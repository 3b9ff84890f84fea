/* RUN/skipped.tsv: the images that could not be used, path and reason, escaped. */
#ifndef PROTEA_TRAIN_SKIP_LIST_H
#define PROTEA_TRAIN_SKIP_LIST_H

#include "data/source.h"
#include "train/rundir.h"

/* Writes what the source has met so far; without any there is no file. */
protea_status protea_skip_list_write(const protea_rundir *run, const protea_source *source);

/* Tells the source what an earlier part of the run met, so that the list and the count of a resumed run are those of one
 * that never stopped. Names that the source does not know are passed over. */
protea_status protea_skip_list_read(const protea_rundir *run, protea_source *source);

#endif
