/* The sections of a page about clusters. */
#ifndef PROTEA_REPORT_CLUSTER_PARTS_H
#define PROTEA_REPORT_CLUSTER_PARTS_H

#include "image/image.h"
#include "report/cluster_page.h"

/* An <img> of row i, `side` pixels wide, with its name as title and note behind it. image: a buffer. A picture that can no longer
 * be read leaves an empty frame. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_picture(FILE *out, const protea_cluster_page *page, int64_t i, const char *note, int side,
                                     protea_image *image);
/* Hue of a cluster's colour, in degrees. */
double protea_cluster_hue(int64_t cluster);

/* All images on the plane in which they differ the most, with a picture here and there. */
protea_status protea_cluster_part_map(FILE *out, const protea_cluster_page *page);
/* For each cluster, the largest first, those most typical, borderline and far off. */
protea_status protea_cluster_part_sheets(FILE *out, const protea_cluster_page *page);
/* Pairs of pictures that are nearly the same. Nothing when there are none. */
protea_status protea_cluster_part_pairs(FILE *out, const protea_cluster_page *page);

/* Cluster numbers by size, the largest first: order (k). */
protea_status protea_cluster_order(int64_t **order, const protea_clustering *c);

#endif
