/* What `protea cluster` is asked for. */
#ifndef PROTEA_API_CLUSTER_WISH_H
#define PROTEA_API_CLUSTER_WISH_H

#include <protea/options.h>

#include "base/status.h"

typedef struct protea_cluster_wish {
    int32_t by;                 /* choice of "auto|prototypes|sinkhorn|kmeans" */
    int32_t features;           /* choice of "auto|backbone|head" */
    int32_t map;                /* choice of "auto|tsne|pca|none" */
    char k[PROTEA_OPT_STRING_MAX];
    int64_t niter, nredo, iterations;
    double epsilon, temperature, merge_similarity, duplicate_similarity;
    int32_t merge, copy, overwrite;
    char sort_into[PROTEA_OPT_STRING_MAX], epochs[PROTEA_OPT_STRING_MAX], shown_as[PROTEA_OPT_STRING_MAX];
    int64_t max_minutes;
} protea_cluster_wish;
enum { PROTEA_BY_AUTO, PROTEA_BY_PROTOTYPES, PROTEA_BY_SINKHORN, PROTEA_BY_KMEANS };

/* Its options, which fill wish. */
protea_status protea_cluster_wish_options(protea_cluster_wish *wish, protea_options *options);

#endif
