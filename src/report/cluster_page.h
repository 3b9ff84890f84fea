/* report.html of clusters: a map of all images, a page for each cluster, their tree where there are several K, pairs that are there
 * twice, the training of the model, the settings. One file of at most PROTEA_PAGE_BYTES that loads nothing from elsewhere. */
#ifndef PROTEA_REPORT_CLUSTER_PAGE_H
#define PROTEA_REPORT_CLUSTER_PAGE_H

#include <stdio.h>

#include <protea/options.h>

#include "cluster/cluster_tree.h"
#include "cluster/scores.h"
#include "data/source.h"
#include "eval/cluster_checks.h"
#include "report/doctor.h"

enum { PROTEA_PAGE_BYTES = 25000000 };

/* What a level of the tree is called. */
typedef struct protea_cluster_level {
    const char *folder;                /* beside this page's own: "k10" */
    const protea_class_names *names;   /* (k) */
} protea_cluster_level;

typedef struct protea_cluster_page {
    const char *name;                  /* its directory */
    const char *model, *data;          /* as they were named */
    const char *rule;                  /* "prototypes", "k-means of backbone features" */
    const protea_clustering *c;
    const protea_class_names *names;   /* (k) */
    protea_source *source;             /* the images, and */
    const int64_t *image;              /* (n) which of them a row is */
    const uint8_t *outlier;            /* (n) */
    int64_t n_outliers, merged;
    const protea_near_pair *pair;      /* (n_pairs) most alike first */
    int64_t n_pairs;
    bool pairs_sought;
    double pair_similarity;            /* from which on a pair counts */
    const protea_cluster_scores *scores; /* NULL: no labels */
    const double *tried_k, *tried;     /* (n_tried) Ks and their silhouettes; 0: none were tried */
    int64_t n_tried;
    const float *xy;                   /* (n,2) the map, in any unit; NULL: none */
    const char *map_rule;              /* how xy was made, in words: "t-SNE (perplexity 30)" */
    protea_ctx *cx;
    const char *output;                /* of the call: the directory, or that above it where there are several K */
    const protea_options *options;     /* of the call; NULL: no command line is shown */
    const protea_run_record *record;   /* of the call: settings, images left out; NULL: neither is shown */
    const protea_run_record *run;      /* of the model's training, and what is wrong with that; NULL: the model is no run */
    const protea_findings *findings;
    const protea_cluster_tree *tree;   /* NULL: there is one K; else level `level` of it is this page's */
    const protea_cluster_level *levels; /* (n_levels of the tree) */
    int level;
} protea_cluster_page;

/* Errors: PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_cluster_page_write(const char *path, const protea_cluster_page *page);
/* The page above those of several K: their tree, with level -1. Of the rest it reads output, model, data, rule, c (its n), options
 * and record. Errors: the same. */
protea_status protea_cluster_family_write(const char *path, const protea_cluster_page *page);

#endif
