/* assignments.csv: which cluster each image is in, and how sure that is. */
#ifndef PROTEA_API_CLUSTER_TABLE_H
#define PROTEA_API_CLUSTER_TABLE_H

#include "api/good_rows.h"
#include "eval/clustering.h"

typedef struct protea_cluster_table {
    const protea_source *source;
    const protea_good_rows *rows;
    const protea_clustering *c;
    const protea_class_names *names;
    const uint8_t *outlier;     /* (n), with first_copy; NULL: the table has neither column */
    const int64_t *first_copy;  /* (n) the row that this one is nearly the same as, -1: none */
} protea_cluster_table;

/* Columns row,path,label,class,cluster,name,similarity,confidence,margin and, where they are known, outlier (0 or 1) and
 * duplicate_of (a path). Errors: PROTEA_ERR_IO. */
protea_status protea_cluster_table_write(const char *path, const protea_cluster_table *table);

#endif
