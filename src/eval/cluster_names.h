/* What people may call a cluster: the class that most of its images have, where they have classes; else its number. */
#ifndef PROTEA_EVAL_CLUSTER_NAMES_H
#define PROTEA_EVAL_CLUSTER_NAMES_H

#include "format/class_names.h"

/* Adds a name for each of k clusters to *names, zeroed before: the class that more than half of its labelled images have, with a
 * number behind it where several clusters have it; else "cluster N". cluster (n), label (n; -1: none), class_name (classes).
 * Release in any case. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_names(protea_class_names *names, const int32_t *cluster, const int32_t *label, int64_t n, int64_t k,
                                   const protea_class_names *class_name);

#endif
