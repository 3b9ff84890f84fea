/* What a page of clusters shows, chosen before anything is written: which clusters have a page of their own, which images have a
 * picture, which stand on which page, where each lies on the map. */
#ifndef PROTEA_REPORT_CLUSTER_VIEW_H
#define PROTEA_REPORT_CLUSTER_VIEW_H

#include "report/cluster_page.h"

enum {
    PROTEA_VIEW_PICTURES = 4000, /* at most */
    PROTEA_VIEW_POINTS = 500000, /* at most */
    PROTEA_VIEW_PAGES = 1000,    /* at most; smaller clusters stand in the lists alone */
    PROTEA_VIEW_NEAR = 6,        /* nearest clusters of a page */
    PROTEA_VIEW_PAIRS = 24, PROTEA_VIEW_OUTLIERS = 24
};

/* The images on a cluster's page: row[0..typical), then those of the border, then outliers. */
typedef struct protea_cluster_faces {
    int64_t *row;               /* owned */
    int typical, border, far;
    int64_t outliers;           /* of the cluster, shown or not */
    double similarity, margin, confidence; /* means over the cluster */
} protea_cluster_faces;

typedef struct protea_cluster_view {
    const protea_cluster_page *page;
    int64_t *order;             /* (used) clusters, the largest first; owned */
    int64_t n_pages;            /* the first so many of them have a page */
    int64_t *place;             /* (k) where a cluster stands in order, -1: empty; owned */
    protea_cluster_faces *face; /* (n_pages) owned */
    int64_t *near;              /* (n_pages,PROTEA_VIEW_NEAR) places in order of the clusters nearest to each, -1: none; owned */
    float *near_cosine;         /* the same shape; owned */
    int64_t *outlier;           /* (n_outliers) the rows farthest from their clusters; owned */
    int64_t n_outliers;
    float *xy;                  /* (n,2) on the map, both in 0..1; NULL: there is none; owned */
    int64_t *picture;           /* (n_pictures) rows with a picture, those on pages first; owned */
    int n_pictures;
    int32_t *picture_of;        /* (n) number of a row's picture, -1: none; owned */
} protea_cluster_view;

/* Release in any case. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_view_new(protea_cluster_view *v, const protea_cluster_page *page);
void protea_cluster_view_release(protea_cluster_view *v);

/* Whether cluster j has a page. */
bool protea_cluster_has_page(const protea_cluster_view *v, int64_t j);

#endif
