/* One clustering of features, from its centroids to its files. */
#ifndef PROTEA_API_CLUSTER_RUN_H
#define PROTEA_API_CLUSTER_RUN_H

#include "api/good_rows.h"
#include "cluster/scores.h"
#include "eval/cluster_checks.h"
#include "eval/cluster_choice.h"

typedef struct protea_cluster_wish {
    int32_t by;                 /* choice of "auto|prototypes|sinkhorn|kmeans" */
    int32_t features;           /* choice of "auto|backbone|head" */
    char k[PROTEA_OPT_STRING_MAX];
    int64_t niter, nredo, iterations;
    double epsilon, temperature, merge_similarity, duplicate_similarity;
    int32_t merge, copy, overwrite;
    char sort_into[PROTEA_OPT_STRING_MAX], epochs[PROTEA_OPT_STRING_MAX];
    int64_t max_minutes;
} protea_cluster_wish;
enum { PROTEA_BY_AUTO, PROTEA_BY_PROTOTYPES, PROTEA_BY_SINKHORN, PROTEA_BY_KMEANS };

/* What all clusterings of a call share. */
typedef struct protea_cluster_input {
    protea_ctx *cx;
    const protea_cluster_wish *wish;
    int32_t by;                 /* never auto */
    protea_feature_kind kind;
    const protea_model *model;
    protea_source *source;
    const char *model_name, *data;
    protea_good_rows rows;      /* z: rows of length 1 */
    protea_class_names classes; /* of the source */
    protea_near_pair *pair;     /* (n_pairs) owned */
    int64_t n_pairs;
    bool pairs_sought;
    int64_t *first_copy;        /* (n) -1: none; owned */
    double tried_k[PROTEA_LADDER_MAX], tried[PROTEA_LADDER_MAX]; /* (n_tried) of --k auto: Ks and their silhouettes */
    int n_tried;
} protea_cluster_input;

/* Near-duplicates and classes; rows, model and the rest are the caller's to fill before. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_cluster_input_look(protea_cluster_input *in);
void protea_cluster_input_release(protea_cluster_input *in);

/* Writes assignments.csv, clusters.safetensors and report.html into dir (which is made), sorts into the folder of the wish, under
 * `sub` where that is not NULL, and fills result. c: centroids are set; it is assigned here. */
protea_status protea_cluster_run(protea_cluster_input *in, protea_clustering *c, const char *dir, const char *sub, json_t *result);

#endif
