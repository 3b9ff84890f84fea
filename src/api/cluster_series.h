/* The clusterings of one call: one, or k-means at several K, from few clusters to many, with their tree. */
#ifndef PROTEA_API_CLUSTER_SERIES_H
#define PROTEA_API_CLUSTER_SERIES_H

#include "api/cluster_product.h"
#include "cluster/cluster_tree.h"

typedef struct protea_cluster_series {
    int n;
    protea_cluster_product product[PROTEA_LADDER_MAX];
    protea_cluster_tree tree; /* a level for each, where there are several */
} protea_cluster_series;

/* The numbers in `--k 5,10`, rising; returns how many in *n, 0 for "" and "auto". Errors: PROTEA_ERR_USAGE. */
protea_status protea_cluster_read_k(int64_t k[static PROTEA_LADDER_MAX], int *n, const char *text);

/* By k-means at each of k (n_k); with n_k 0 at the one that the silhouette chooses, whose curve goes into result. */
protea_status protea_cluster_series_fit(protea_cluster_series *s, protea_cluster_input *in, const int64_t *k, int n_k,
                                        json_t *result);
/* By prototypes (k, as wide as the rows), of any length. */
protea_status protea_cluster_series_take(protea_cluster_series *s, const protea_cluster_input *in, const float *prototypes,
                                         int64_t k);
/* Each one's files; result has a value, or a list where there are several. */
protea_status protea_cluster_series_write(const protea_cluster_series *s, const protea_cluster_input *in, json_t *result);
void protea_cluster_series_release(protea_cluster_series *s); /* accepts a zeroed one */

#endif
