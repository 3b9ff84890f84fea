/* Which images stand on the page of each cluster. */
#ifndef PROTEA_REPORT_CLUSTER_FACES_H
#define PROTEA_REPORT_CLUSTER_FACES_H

#include "report/cluster_view.h"

/* Fills face and outlier: of each cluster those most typical, borderline and far off, fewer the more clusters there are.
 * Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_choose_faces(protea_cluster_view *v);

#endif
