/* clusters.safetensors: clusters and the network that sees them, so that images of later can be put in. It is a model file (see
 * model.h; the backbone under "backbone.", the head where its features were clustered) with
 *   clusters.centroids (K,D)
 *   clusters.features "backbone|head|pixels" · clusters.temperature · clusters.names (a JSON list of K names) */
#ifndef PROTEA_EVAL_CLUSTER_FILE_H
#define PROTEA_EVAL_CLUSTER_FILE_H

#include "eval/clustering.h"
#include "eval/features.h"

#define PROTEA_CLUSTER_FILE "clusters.safetensors"

/* The prototypes that the method of a run or file learnt in the space of its head: those of SwAV, the first head's of
 * DeepCluster-v2, the first granularity's of PCL. *out: (k,dim), owned; NULL when there are none. Errors: PROTEA_ERR_INPUT,
 * PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_model_prototypes(const protea_ctx *cx, float **out, int64_t *k, int64_t *dim, const char *name);

/* How many of them are nearly the same as another, and how many there are; 0 and 0 where the run holds none (any more).
 * Errors: PROTEA_ERR_MEMORY. */
protea_status protea_model_doubles(protea_ctx *cx, int64_t *doubles, int64_t *k, const char *name);

/* Errors: PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_cluster_file_write(const protea_ctx *cx, const char *path, const protea_model *model, protea_feature_kind kind,
                                        const protea_clustering *c, const protea_class_names *names);

/* Clusters read back. */
typedef struct protea_cluster_file {
    protea_model model;
    protea_feature_kind kind;
    protea_tensor centroids;     /* (K,D) owned */
    double temperature;
    protea_class_names names;    /* (K) */
} protea_cluster_file;
/* name: the file, or the directory that holds one. Close in any case. Errors: PROTEA_ERR_INPUT (no clusters in it, sizes that do
 * not fit), PROTEA_ERR_IO. */
protea_status protea_cluster_file_open(protea_ctx *cx, protea_cluster_file *f, const char *name);
void protea_cluster_file_close(protea_cluster_file *f);

#endif
