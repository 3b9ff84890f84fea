#include "api/cluster_wish.h"

#define FIELD(name) offsetof(protea_cluster_wish, name)
static const protea_opt cluster_table[] = {
    { .key = "by", .type = PROTEA_OPT_CHOICE, .offset = FIELD(by), .def = "auto", .choices = "auto|prototypes|sinkhorn|kmeans",
      .help = "the model's prototypes, the nearest or by balanced codes; or k-means. auto: prototypes where the model has them and "
              "--k is not given" },
    { .key = "clusters", .aliases = "k,nmb_clusters", .type = PROTEA_OPT_STRING, .offset = FIELD(k), .def = "",
      .help = "of k-means: a number, several (a folder kK for each, and their tree), or auto: the K with the largest silhouette" },
    { .key = "features", .type = PROTEA_OPT_CHOICE, .offset = FIELD(features), .def = "auto", .choices = "auto|backbone|head",
      .help = "that k-means works on; auto: the backbone's. Prototypes are the head's" },
    { .key = "niter", .type = PROTEA_OPT_INT, .offset = FIELD(niter), .def = "50", .min = 1, .max = 1e6, .unit = "iterations",
      .help = "of k-means, at most" },
    { .key = "nredo", .type = PROTEA_OPT_INT, .offset = FIELD(nredo), .def = "3", .min = 1, .max = 1e4,
      .help = "starts of k-means, of which the best is kept" },
    { .key = "epsilon", .type = PROTEA_OPT_FLOAT, .offset = FIELD(epsilon), .def = "0.05", .min = 1e-4, .max = 100,
      .help = "of Sinkhorn: smaller is harder", .source = "arXiv:2006.09882" },
    { .key = "sinkhorn_iterations", .type = PROTEA_OPT_INT, .offset = FIELD(iterations), .def = "3", .min = 1, .max = 1000,
      .help = "sweeps of Sinkhorn-Knopp", .source = "arXiv:2006.09882" },
    { .key = "temperature", .type = PROTEA_OPT_FLOAT, .offset = FIELD(temperature), .def = "0.1", .min = 1e-4, .max = 100,
      .help = "of the softmax over cosines that confidence is", .source = "arXiv:2006.09882" },
    { .key = "merge", .type = PROTEA_OPT_BOOL, .offset = FIELD(merge), .def = "false",
      .help = "prototypes or centroids that are nearly the same become one" },
    { .key = "merge_similarity", .type = PROTEA_OPT_FLOAT, .offset = FIELD(merge_similarity), .def = "0.9", .min = -1, .max = 1,
      .help = "cosine from which on they are" },
    { .key = "duplicate_similarity", .type = PROTEA_OPT_FLOAT, .offset = FIELD(duplicate_similarity), .def = "0.99", .min = -1,
      .max = 1.01, .help = "cosine of two images' features from which on they are near-duplicates" },
    { .key = "map", .type = PROTEA_OPT_CHOICE, .offset = FIELD(map), .def = "auto", .choices = "auto|tsne|pca|none",
      .help = "of all images in two dimensions, for the page and map.csv: t-SNE, or the principal axes; auto: t-SNE up to 100,000 "
              "images" },
    { .key = "sort_into", .type = PROTEA_OPT_STRING, .offset = FIELD(sort_into), .def = "",
      .help = "a new folder for links to the images, in a folder for each cluster" },
    { .key = "copy", .type = PROTEA_OPT_BOOL, .offset = FIELD(copy), .def = "false", .help = "copies in it, not links" },
    { .key = "overwrite", .type = PROTEA_OPT_BOOL, .offset = FIELD(overwrite), .def = "false",
      .help = "into a directory that is not empty", .flags = PROTEA_OPT_NOT_SAVED },
    { .key = "shown_as", .type = PROTEA_OPT_STRING, .offset = FIELD(shown_as), .def = "",
      .help = "what pages call the directory that they go to afterwards", .flags = PROTEA_OPT_NOT_SAVED | PROTEA_OPT_HIDDEN },
    { 0 },
};
static const protea_opt train_table[] = {
    { .key = "epochs", .type = PROTEA_OPT_STRING, .offset = FIELD(epochs), .def = "", .unit = "epochs",
      .help = "of the training; the recipe's where none are given" },
    { .key = "max_minutes", .type = PROTEA_OPT_INT, .offset = FIELD(max_minutes), .def = "0", .min = 0, .max = 1e6,
      .unit = "minutes", .help = "shortens the training to what fits; 0: no limit" },
    { 0 },
};

protea_status protea_cluster_wish_options(protea_cluster_wish *wish, protea_options *options)
{
    PROTEA_TRY(protea_options_add(options, "Clusters", cluster_table, wish));
    return protea_options_add(options, "Training, where no model is given", train_table, wish);
}
