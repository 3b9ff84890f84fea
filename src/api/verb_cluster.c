/* protea cluster [MODEL] DATA -o DIR: images in clusters, with a table, a file that puts later images in, and a page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cluster_run.h"
#include "api/cluster_train.h"
#include "base/clock.h"
#include "base/file.h"
#include "eval/cluster_file.h"
#include "format/npy.h"
#include "train/rundir.h"
#include "train/skip_list.h"

typedef struct cluster {
    protea_session_opts session;
    protea_images_opts images;
    protea_cluster_wish wish;
    /* while it runs */
    protea_session s;
    protea_rundir *dir;
    char *trained;               /* the run that was trained first; owned */
    protea_model model;
    protea_cluster_input in;
    float *prototypes;           /* (n_prototypes,prototype_dim), or NULL; owned */
    int64_t n_prototypes, prototype_dim;
    int64_t k[PROTEA_LADDER_MAX];
    int n_k;                     /* 0: K is chosen */
} cluster;

#define FIELD(name) offsetof(protea_cluster_wish, name)
static const protea_opt cluster_table[] = {
    { .key = "by", .type = PROTEA_OPT_CHOICE, .offset = FIELD(by), .def = "auto", .choices = "auto|prototypes|sinkhorn|kmeans",
      .help = "the model's prototypes, the nearest or by balanced codes; or k-means. auto: prototypes where the model has them and "
              "--k is not given" },
    { .key = "clusters", .aliases = "k,nmb_clusters", .type = PROTEA_OPT_STRING, .offset = FIELD(k), .def = "",
      .help = "of k-means: a number, several (a folder kK for each), or auto: the K with the largest silhouette" },
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
    { .key = "sort_into", .type = PROTEA_OPT_STRING, .offset = FIELD(sort_into), .def = "",
      .help = "a new folder for links to the images, in a folder for each cluster" },
    { .key = "copy", .type = PROTEA_OPT_BOOL, .offset = FIELD(copy), .def = "false", .help = "copies in it, not links" },
    { .key = "overwrite", .type = PROTEA_OPT_BOOL, .offset = FIELD(overwrite), .def = "false",
      .help = "into a directory that is not empty" },
    { 0 },
};
static const protea_opt train_table[] = {
    { .key = "epochs", .type = PROTEA_OPT_STRING, .offset = FIELD(epochs), .def = "", .unit = "epochs",
      .help = "of the training; the recipe's where none are given" },
    { .key = "max_minutes", .type = PROTEA_OPT_INT, .offset = FIELD(max_minutes), .def = "0", .min = 0, .max = 1e6,
      .unit = "minutes", .help = "shortens the training to what fits; 0: no limit" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    cluster *m = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Clusters", cluster_table, &m->wish));
    PROTEA_TRY(protea_options_add(options, "Training, where no model is given", train_table, &m->wish));
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &m->images));
    return protea_options_add(options, "Machine", protea_session_table, &m->session);
}

/* ---- what is asked for */

static protea_status read_k(cluster *m)
{
    if (m->wish.k[0] == 0 || strcmp(m->wish.k, "auto") == 0)
        return PROTEA_OK;
    for (const char *at = m->wish.k; *at != 0;) {
        char *end;
        long long k = strtoll(at, &end, 10);
        if (end == at || k < 1 || k > 1000000 || m->n_k == PROTEA_LADDER_MAX)
            return protea_fail(PROTEA_ERR_USAGE, "--k %s: wanted auto, or at most %d numbers from 1 to 1000000", m->wish.k,
                               PROTEA_LADDER_MAX);
        m->k[m->n_k++] = k;
        at = end + strspn(end, ", ");
    }
    return PROTEA_OK;
}

static protea_status train_first(cluster *m, const protea_call *call)
{
    protea_rundir_keep(m->dir); /* what is trained stays, whatever happens next */
    PROTEA_TRY(protea_path_join(&m->trained, call->output, "model"));
    const protea_cluster_train train = { .data = call->arguments[0], .run = m->trained, .epochs = m->wish.epochs,
                                         .max_minutes = m->wish.max_minutes, .images = &m->images, .session = &m->session };
    return protea_cluster_train_first(&train, &m->s.cx, call->hooks);
}

static protea_status open_model(cluster *m, const protea_call *call)
{
    if (call->n_arguments == 1)
        PROTEA_TRY(train_first(m, call));
    m->in.model_name = m->trained != NULL ? m->trained : call->arguments[0];
    m->in.data = call->arguments[call->n_arguments - 1];
    return protea_model_open(&m->s.cx, &m->model, m->in.model_name, (int)m->images.image_size);
}

/* Which rule, and which features it needs. */
static protea_status choose_rule(cluster *m)
{
    protea_cluster_input *in = &m->in;
    bool asked = m->wish.by == PROTEA_BY_PROTOTYPES || m->wish.by == PROTEA_BY_SINKHORN;
    if (m->wish.by != PROTEA_BY_KMEANS && !m->model.pixels && (asked || m->wish.k[0] == 0))
        PROTEA_TRY(protea_model_prototypes(&m->s.cx, &m->prototypes, &m->n_prototypes, &m->prototype_dim, m->model.path));
    if (asked && m->prototypes == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: holds no prototypes; --by kmeans wanted, or the run of a method that has them",
                           m->in.model_name);
    if (asked && m->wish.k[0] != 0)
        return protea_fail(PROTEA_ERR_USAGE, "--k %s: the model's prototypes are %lld; --by kmeans wanted", m->wish.k,
                           (long long)m->n_prototypes);
    in->by = m->prototypes == NULL ? PROTEA_BY_KMEANS : asked ? m->wish.by : PROTEA_BY_PROTOTYPES;
    bool head = m->prototypes != NULL || (m->wish.features == 2 && in->by == PROTEA_BY_KMEANS);
    in->kind = head ? PROTEA_HEAD_FEATURES : PROTEA_BACKBONE_FEATURES;
    return head ? protea_model_open_head(&m->s.cx, &m->model) : PROTEA_OK;
}

static protea_status compute(cluster *m, const protea_call *call)
{
    protea_cluster_input *in = &m->in;
    PROTEA_TRY(choose_rule(m));
    PROTEA_TRY(protea_images_open(&in->source, in->data, &m->images, m->s.cx.seed));
    PROTEA_TRY(protea_model_fit(&m->model, in->source));
    PROTEA_TRY(protea_good_rows_compute(&m->s.cx, &in->rows, &m->model, in->kind, in->source, in->data, "embed", call->hooks));
    return PROTEA_OK;
}

/* features.npy, as the network gives them; then rows of length 1. */
static protea_status write_features(cluster *m)
{
    char path[PROTEA_PATH_MAX];
    protea_good_rows *rows = &m->in.rows;
    const protea_tensor z = { .data = rows->z, .dtype = PROTEA_F32, .n_dims = 2, .dim = { rows->n, rows->dim } };
    PROTEA_TRY(protea_rundir_file(m->dir, path, "features.npy"));
    PROTEA_TRY(protea_npy_write(path, &z));
    return protea_unit_rows(&m->s.cx, rows->z, rows->n, rows->dim);
}

/* ---- clusterings */

static protea_status fit(cluster *m, protea_clustering *c, int64_t k)
{
    const protea_good_rows *rows = &m->in.rows;
    PROTEA_TRY(protea_clustering_new(c, rows->z, rows->n, rows->dim, k));
    return protea_clustering_fit(&m->s.cx, c, m->wish.niter, m->wish.nredo, m->s.cx.seed);
}

static protea_status by_prototypes(cluster *m, const protea_call *call)
{
    const protea_good_rows *rows = &m->in.rows;
    protea_clustering c = { 0 };
    if (m->prototype_dim != rows->dim)
        return protea_fail(PROTEA_ERR_INPUT, "%s: prototypes of %lld numbers, a head of %lld", m->in.model_name,
                           (long long)m->prototype_dim, (long long)rows->dim);
    protea_status status = protea_clustering_new(&c, rows->z, rows->n, rows->dim, m->n_prototypes);
    if (status == PROTEA_OK) {
        memcpy(c.centroids, m->prototypes, (size_t)(c.k * c.dim) * sizeof *c.centroids);
        status = protea_unit_rows(&m->s.cx, c.centroids, c.k, c.dim);
    }
    if (status == PROTEA_OK)
        status = protea_cluster_run(&m->in, &c, call->output, NULL, call->result);
    protea_clustering_release(&c);
    return status;
}

/* The K of the ladder whose clusters have the largest silhouette; of equals the smallest. */
static protea_status try_ladder(cluster *m, const protea_silhouette *s, const protea_hooks *hooks, int64_t *best)
{
    int64_t k[PROTEA_LADDER_MAX];
    double largest = -2;
    int n = protea_cluster_ladder(k, m->in.rows.n);
    protea_ticker ticker;
    protea_ticker_start(&ticker, hooks);
    for (int i = 0; i < n; i++) {
        protea_clustering c = { 0 };
        protea_status status = fit(m, &c, k[i]);
        if (status == PROTEA_OK)
            status = protea_silhouette_of(&m->in.tried[i], s, c.cluster, c.k);
        protea_clustering_release(&c);
        PROTEA_TRY(status);
        m->in.tried_k[i] = (double)k[i];
        m->in.n_tried = i + 1;
        if (m->in.tried[i] > largest) {
            largest = m->in.tried[i];
            *best = k[i];
        }
        protea_ticker_tick(&ticker, "how many clusters", i + 1, n, "Ks", NULL);
    }
    return PROTEA_OK;
}

static void put_curve(const cluster *m, json_t *result)
{
    json_t *curve = json_array();
    for (int i = 0; i < m->in.n_tried; i++)
        json_array_append_new(curve, json_pack("{s:I s:f}", "k", (json_int_t)m->in.tried_k[i], "silhouette", m->in.tried[i]));
    json_object_set_new(result, "criterion", json_string("silhouette"));
    json_object_set_new(result, "curve", curve);
}

static protea_status choose_k(cluster *m, const protea_call *call)
{
    protea_silhouette s;
    m->k[0] = 1;
    m->n_k = 1;
    protea_status status = protea_silhouette_new(&m->s.cx, &s, m->in.rows.z, m->in.rows.n, m->in.rows.dim);
    if (status == PROTEA_OK)
        status = try_ladder(m, &s, call->hooks, &m->k[0]);
    protea_silhouette_release(&s);
    put_curve(m, call->result);
    return status;
}

/* DIR, or DIR/kK where there are several K. */
static protea_status by_one_k(cluster *m, int64_t k, const char *output, json_t *result)
{
    char sub[32], *dir = NULL;
    protea_clustering c = { 0 };
    snprintf(sub, sizeof sub, "k%lld", (long long)k);
    protea_status status = m->n_k == 1 ? protea_copy_string(&dir, output) : protea_path_join(&dir, output, sub);
    if (status == PROTEA_OK)
        status = fit(m, &c, k);
    if (status == PROTEA_OK)
        status = protea_cluster_run(&m->in, &c, dir, m->n_k == 1 ? NULL : sub, result);
    protea_clustering_release(&c);
    protea_free(dir);
    return status;
}

/* Every value becomes the list of those of several results. */
static void append_all(json_t *result, json_t *one)
{
    const char *key;
    json_t *value;
    json_object_foreach(one, key, value) {
        if (json_object_get(result, key) == NULL)
            json_object_set_new(result, key, json_array());
        json_array_append(json_object_get(result, key), value);
    }
}

static protea_status by_kmeans(cluster *m, const protea_call *call)
{
    if (m->n_k == 0)
        PROTEA_TRY(choose_k(m, call));
    if (m->n_k == 1)
        return by_one_k(m, m->k[0], call->output, call->result);
    for (int i = 0; i < m->n_k; i++) {
        json_t *one = json_object();
        protea_status status = by_one_k(m, m->k[i], call->output, one);
        append_all(call->result, one);
        json_decref(one);
        PROTEA_TRY(status);
    }
    return PROTEA_OK;
}

/* ---- the run */

static protea_status write_record(const cluster *m, const protea_call *call)
{
    char path[PROTEA_PATH_MAX], *yaml;
    PROTEA_TRY(protea_rundir_file(m->dir, path, PROTEA_RUN_CONFIG));
    PROTEA_TRY(protea_options_write_yaml(call->options, &yaml));
    protea_status status = protea_file_write(path, yaml, strlen(yaml));
    free(yaml);
    return status == PROTEA_OK ? protea_skip_list_write(m->dir, m->in.source) : status;
}

static void put_totals(const cluster *m, const protea_call *call, double seconds)
{
    static const char *const rules[] = { "auto", "prototypes", "sinkhorn", "kmeans" };
    json_object_set_new(call->result, "by", json_string(rules[m->in.by]));
    json_object_set_new(call->result, "n", json_integer(m->in.rows.n));
    if (m->in.pairs_sought)
        json_object_set_new(call->result, "near_duplicates", json_integer(m->in.n_pairs));
    json_object_set_new(call->result, "skipped", json_integer(protea_source_skipped(m->in.source, NULL)));
    protea_put_text(call->result, "dir", call->output);
    json_object_set_new(call->result, "seconds", json_real(seconds));
}

static protea_status run(void *self, const protea_call *call)
{
    cluster *m = self;
    double started = protea_seconds();
    m->in.cx = &m->s.cx;
    m->in.wish = &m->wish;
    m->in.model = &m->model;
    PROTEA_TRY(read_k(m));
    PROTEA_TRY(protea_rundir_open(&m->dir, call->output, false, m->wish.overwrite != 0));
    PROTEA_TRY(protea_session_open(&m->s, &m->session, call->hooks));
    PROTEA_TRY(open_model(m, call));
    PROTEA_TRY(compute(m, call));
    PROTEA_TRY(write_features(m));
    PROTEA_TRY(protea_cluster_input_look(&m->in));
    PROTEA_TRY(m->in.by == PROTEA_BY_KMEANS ? by_kmeans(m, call) : by_prototypes(m, call));
    PROTEA_TRY(write_record(m, call));
    put_totals(m, call, protea_seconds() - started);
    protea_rundir_keep(m->dir);
    return PROTEA_OK;
}

static void cluster_free(void *self)
{
    cluster *m = self;
    protea_cluster_input_release(&m->in);
    protea_source_close(m->in.source);
    protea_free(m->prototypes);
    protea_free(m->trained);
    protea_model_close(&m->model);
    protea_session_close(&m->s);
    protea_rundir_close(m->dir);
}

const protea_verb protea_verb_cluster = {
    .info = { .name = "cluster", .arguments = "[MODEL] DATA", .summary = "clusters of images: a table, folders, a page to look at",
              .min_arguments = 1, .max_arguments = 2, .output = 2, .output_name = "DIR",
              .example = "protea cluster runs/photos photos -o clusters" },
    .size = sizeof(cluster),
    .options = add_options,
    .run = run,
    .free = cluster_free,
};
