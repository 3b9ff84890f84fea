/* What all clusterings of one call of `protea cluster` share: the images' features and what is known of them. */
#ifndef PROTEA_API_CLUSTER_INPUT_H
#define PROTEA_API_CLUSTER_INPUT_H

#include "api/cluster_origin.h"
#include "api/cluster_wish.h"
#include "api/image_map.h"
#include "eval/cluster_checks.h"
#include "eval/cluster_choice.h"

typedef struct protea_cluster_input {
    protea_ctx *cx;
    const protea_hooks *hooks;
    const protea_cluster_wish *wish;
    int32_t by;                 /* never auto */
    protea_feature_kind kind;
    const protea_model *model;
    protea_source *source;
    const char *model_name, *data;
    const char *output;         /* directory of all that is written */
    const char *shown;          /* what pages call it */
    protea_good_rows rows;      /* z: rows of length 1 */
    protea_class_names classes; /* of the source */
    protea_image_map map;
    protea_near_pair *pair;     /* (n_pairs) owned */
    int64_t n_pairs;
    bool pairs_sought;
    int64_t *first_copy;        /* (n) -1: none; owned */
    double tried_k[PROTEA_LADDER_MAX], tried[PROTEA_LADDER_MAX]; /* (n_tried) of --k auto: Ks and their silhouettes */
    int n_tried;
    const protea_options *options;  /* of the call */
    protea_cluster_origin origin;
} protea_cluster_input;

/* Near-duplicates, classes and the map; rows, model and the rest are the caller's to fill before.
 * Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL (stopped on request). */
protea_status protea_cluster_input_look(protea_cluster_input *in);
void protea_cluster_input_release(protea_cluster_input *in);

/* How images were put into clusters, in words. */
const char *protea_cluster_rule(const protea_cluster_input *in);

#endif
