/* One clustering of features, from its centroids to its files. */
#ifndef PROTEA_API_CLUSTER_PRODUCT_H
#define PROTEA_API_CLUSTER_PRODUCT_H

#include "api/cluster_input.h"
#include "cluster/scores.h"
#include "report/cluster_page.h"

typedef struct protea_cluster_product {
    char sub[32];               /* its folder below the output, "k5", where there are several; else "" */
    protea_clustering c;
    protea_class_names names;   /* (k) */
    uint8_t *outlier;           /* (n) owned */
    int64_t n_outliers, merged;
    protea_cluster_scores scores;
    bool labelled;              /* scores are known */
} protea_cluster_product;

/* Where it stands among several. */
typedef struct protea_cluster_family {
    const protea_cluster_tree *tree;
    const protea_cluster_level *levels; /* (n_levels of the tree) */
    int level;
} protea_cluster_family;

/* Puts the images into clusters, names these and looks at them. p: zeroed but for sub and c, whose centroids are set. */
protea_status protea_cluster_product_make(protea_cluster_product *p, const protea_cluster_input *in);
/* Writes assignments.csv, clusters.safetensors and report.html, sorts into the folder of the wish, and fills result.
 * family: NULL where it is the only one. */
protea_status protea_cluster_product_write(const protea_cluster_product *p, const protea_cluster_input *in,
                                           const protea_cluster_family *family, json_t *result);
void protea_cluster_product_release(protea_cluster_product *p); /* accepts a zeroed one */

#endif
