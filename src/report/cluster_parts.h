/* The sections of a page about clusters. */
#ifndef PROTEA_REPORT_CLUSTER_PARTS_H
#define PROTEA_REPORT_CLUSTER_PARTS_H

#include "report/cluster_view.h"

/* ---- what they share */

/* Hue of a cluster's colour, in degrees. */
double protea_cluster_hue(int64_t cluster);
/* The picture of a row, with its name and a note behind it as title; an empty frame where it has none. */
void protea_cluster_picture(FILE *out, const protea_cluster_view *v, int64_t row, const char *note);
/* A cluster in brief, which leads to its page: the cluster at a place of the order, with a note (HTML). */
void protea_cluster_card(FILE *out, const protea_cluster_view *v, int64_t place, const char *note);

/* ---- the sections */

/* All images as points, with pictures where the pointer is. Nothing where there is no map. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_part_map(FILE *out, const protea_cluster_view *v);
/* The points of the map: a path for each cluster, which leads to its page. *drawn: how many. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_points(FILE *out, const protea_cluster_view *v, int64_t *drawn);
/* Sizes, and a card of each cluster. */
void protea_cluster_part_index(FILE *out, const protea_cluster_view *v);
/* The pages of clusters, hidden until one is the target of a link. They stand before what they replace. */
void protea_cluster_part_pages(FILE *out, const protea_cluster_view *v);
/* Which finer clusters come out of which coarser ones. Nothing where there is one K. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_part_tree(FILE *out, const protea_cluster_page *page);
/* Pairs of pictures that are nearly the same, and images far from all clusters. Nothing where there are none. */
void protea_cluster_part_checks(FILE *out, const protea_cluster_view *v);

#endif
