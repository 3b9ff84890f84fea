/* Images in a folder for each cluster. */
#ifndef PROTEA_API_SORT_INTO_H
#define PROTEA_API_SORT_INTO_H

#include "api/good_rows.h"
#include "eval/clustering.h"

/* Makes DIR/NUMBER-NAME/ROW-FILE for every image: a symbolic link to the picture's file, or with `copy` a copy of it; an image
 * that is no file of its own (in a tar, an array) is written as PNG. spec: as the source was named. The folder must be
 * empty or new. Errors: PROTEA_ERR_USAGE (it is not empty), PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_sort_into(const char *dir, const char *spec, bool copy, const protea_source *source,
                               const protea_good_rows *rows, const protea_clustering *c, const protea_class_names *names);

#endif
