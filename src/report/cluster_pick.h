/* Which images of a page of clusters have a picture. */
#ifndef PROTEA_REPORT_CLUSTER_PICK_H
#define PROTEA_REPORT_CLUSTER_PICK_H

#include "report/cluster_view.h"

/* Fills picture and picture_of: those on pages, among outliers and in pairs, then, where there is a map, all that are left where
 * those are few, else some spread evenly over it. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_choose_pictures(protea_cluster_view *v);

#endif
