/* Which images of a page of clusters have a picture. */
#ifndef PROTEA_REPORT_CLUSTER_PICK_H
#define PROTEA_REPORT_CLUSTER_PICK_H

#include "report/cluster_view.h"

/* Fills picture and picture_of: all images where there are few; else those on pages, among outliers and in pairs, then some spread
 * evenly over the map. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_choose_pictures(protea_cluster_view *v);

/* A grid over the map, doubled from level to level. */
enum { PROTEA_MAP_COLUMNS = 14, PROTEA_MAP_ROWS = 9, PROTEA_MAP_LEVELS = 4 };

/* The cell of row i on the grid of a level. */
int64_t protea_map_cell(const protea_cluster_view *v, int64_t i, int level);
/* How far row i is from the middle of that cell, of whose sides each is 1. */
float protea_map_from_centre(const protea_cluster_view *v, int64_t i, int level);

#endif
