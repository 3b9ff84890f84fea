/* protea kmeans VECTORS.npy -k K[,K...] -o DIR: clusters of rows. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/verb.h"
#include "base/clock.h"
#include "base/file.h"
#include "cluster/cluster_sizes.h"
#include "cluster/kmeans.h"
#include "format/json_text.h"
#include "format/npy.h"

typedef struct kmeans {
    protea_session_opts session;
    protea_list k;
    int64_t niter, nredo, max_points, min_points;
    int32_t spherical, empty;
    char init[PROTEA_OPT_STRING_MAX], weights_file[PROTEA_OPT_STRING_MAX];
    /* while it runs */
    protea_session s;
    protea_npy_map rows;
    protea_tensor start, weights;   /* given ones, or empty */
    protea_kmeans_opts opts;
    protea_kmeans_out out;          /* memory of one K: owned */
    double seconds;
    const protea_hooks *hooks;
    protea_ticker ticker;
    json_t *stats;                  /* an object per K */
} kmeans;

#define FIELD(name) offsetof(kmeans, name)
static const protea_opt kmeans_table[] = {
    { .key = "clusters", .aliases = "k,nmb_clusters", .type = PROTEA_OPT_LIST, .offset = FIELD(k), .def = "", .min = 1, .max = 2e9,
      .unit = "clusters", .help = "how many clusters; for several numbers, a folder kK for each" },
    { .key = "niter", .type = PROTEA_OPT_INT, .offset = FIELD(niter), .def = "25", .min = 1, .max = 1e6, .unit = "iterations",
      .help = "at most; a run ends when no row changes its cluster", .source = "faiss" },
    { .key = "nredo", .type = PROTEA_OPT_INT, .offset = FIELD(nredo), .def = "1", .min = 1, .max = 1e4,
      .help = "runs from different starts, the best of which is kept", .source = "faiss" },
    { .key = "init", .type = PROTEA_OPT_STRING, .offset = FIELD(init), .def = "random",
      .help = "random: K of the rows; kmeans++: rows far from one another; FILE.npy: these centroids" },
    { .key = "spherical", .type = PROTEA_OPT_BOOL, .offset = FIELD(spherical), .def = "false",
      .help = "centroids have length 1" },
    { .key = "empty", .type = PROTEA_OPT_CHOICE, .offset = FIELD(empty), .def = "split", .choices = "split|keep",
      .help = "an empty cluster takes half of another, or keeps its centroid", .source = "faiss" },
    { .key = "max_points_per_centroid", .type = PROTEA_OPT_INT, .offset = FIELD(max_points), .def = "256", .min = 0, .max = 1e9,
      .unit = "rows", .help = "trains on a random part of the rows when there are more; 0: on all", .source = "faiss" },
    { .key = "min_points_per_centroid", .type = PROTEA_OPT_INT, .offset = FIELD(min_points), .def = "39", .min = 0, .max = 1e9,
      .unit = "rows", .help = "warns when there are fewer", .source = "faiss" },
    { .key = "weights", .type = PROTEA_OPT_STRING, .offset = FIELD(weights_file), .def = "",
      .help = "FILE.npy: (n) weights of rows" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    kmeans *m = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Clustering", kmeans_table, m));
    return protea_options_add(options, "Machine", protea_session_table, &m->session);
}

/* ---- input */

static protea_status wrong_shape(const char *path, const char *found, const char *wanted)
{
    return protea_fail(PROTEA_ERR_INPUT, "%s: %s; %s wanted", path, found, wanted);
}

static protea_status open_rows(kmeans *m, const char *path)
{
    PROTEA_TRY(protea_npy_map_open(&m->rows, path));
    if (m->rows.t.dtype != PROTEA_F32 || m->rows.t.n_dims != 2)
        return wrong_shape(path, "other numbers than f32, or other than two dimensions", "rows (n,d) of f32");
    return PROTEA_OK;
}

static protea_status open_weights(kmeans *m)
{
    if (m->weights_file[0] == 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_npy_read(&m->weights, m->weights_file));
    if (m->weights.dtype != PROTEA_F32 || protea_count(&m->weights) != m->rows.t.dim[0])
        return wrong_shape(m->weights_file, "other numbers than one f32 for each row", "weights (n)");
    return PROTEA_OK;
}

static protea_status open_start(kmeans *m)
{
    bool plus_plus = strcmp(m->init, "kmeans++") == 0;
    m->opts.init = plus_plus ? PROTEA_KMEANS_PLUS_PLUS : PROTEA_KMEANS_RANDOM;
    if (plus_plus || strcmp(m->init, "random") == 0)
        return PROTEA_OK;
    size_t len = strlen(m->init);
    if (len < 4 || strcmp(m->init + len - 4, ".npy") != 0)
        return protea_fail(PROTEA_ERR_USAGE, "--init %s: wanted random, kmeans++ or a file that ends in .npy", m->init);
    PROTEA_TRY(protea_npy_read(&m->start, m->init));
    if (m->start.dtype != PROTEA_F32 || m->start.n_dims != 2 || m->start.dim[1] != m->rows.t.dim[1] || m->k.n != 1 ||
        (double)m->start.dim[0] != m->k.v[0])
        return wrong_shape(m->init, "its centroids are not as many as -k, or not as wide as the rows", "f32 (k,d), and one K");
    return PROTEA_OK;
}

static protea_status open_all(kmeans *m, const protea_call *call)
{
    if (m->k.n == 0)
        return protea_fail(PROTEA_ERR_USAGE, "-k: not given; how many clusters?");
    PROTEA_TRY(protea_session_open(&m->s, &m->session, call->hooks));
    PROTEA_TRY(open_rows(m, call->arguments[0]));
    PROTEA_TRY(open_weights(m));
    PROTEA_TRY(open_start(m));
    m->opts.name = call->arguments[0];
    m->opts.niter = m->niter;
    m->opts.nredo = m->nredo;
    m->opts.seed = m->s.cx.seed;
    m->opts.empty = m->empty;
    m->opts.spherical = m->spherical;
    m->opts.bf16 = m->s.cx.compute == PROTEA_BF16;
    m->opts.max_points_per_centroid = m->max_points;
    m->opts.min_points_per_centroid = m->min_points;
    m->opts.weights = m->weights.data;
    m->opts.centroids = m->start.data;
    return PROTEA_OK;
}

/* ---- one K */

static int report_iteration(void *self, const protea_kmeans_iteration *now)
{
    kmeans *m = self;
    char stage[48], note[64];
    double total = (double)(m->opts.niter * m->opts.nredo), done = (double)(now->redo * m->opts.niter + now->iteration + 1);
    snprintf(stage, sizeof stage, "k-means %lld", (long long)m->opts.k);
    snprintf(note, sizeof note, "objective %.6g", now->objective);
    protea_ticker_tick(&m->ticker, stage, done, total, "iterations", note);
    return m->hooks->stop != NULL && *m->hooks->stop;
}

static protea_status fit(kmeans *m)
{
    size_t n = (size_t)m->rows.t.dim[0], k = (size_t)m->opts.k, d = (size_t)m->rows.t.dim[1];
    if (m->start.data != NULL) { /* the result takes its place */
        m->out.centroids = m->start.data;
        m->start = (protea_tensor){ 0 };
    } else {
        PROTEA_TRY(protea_new(&m->out.centroids, k, d * sizeof(float), "centroids"));
    }
    PROTEA_TRY(protea_new(&m->out.assign, n, sizeof(int32_t), "nearest centroids"));
    PROTEA_TRY(protea_new(&m->out.distances, n, sizeof(float), "distances"));
    PROTEA_TRY(protea_new(&m->out.record, (size_t)m->niter, (size_t)m->nredo * sizeof *m->out.record, "a record"));
    protea_ticker_start(&m->ticker, m->hooks);
    m->opts.each = report_iteration;
    m->opts.cookie = m;
    double started = protea_seconds();
    PROTEA_TRY(protea_kmeans_fit(&m->s.cx, &m->out, protea_f32(&m->rows.t), (int64_t)n, (int64_t)d, &m->opts));
    m->seconds = protea_seconds() - started;
    return PROTEA_OK;
}

static protea_status write_array(const char *dir, const char *name, void *data, protea_dtype dtype, int64_t n, int64_t width)
{
    const protea_tensor t = { .data = data, .dtype = dtype, .n_dims = width > 0 ? 2 : 1, .dim = { n, width } };
    char *path;
    PROTEA_TRY(protea_path_join(&path, dir, name));
    protea_status status = protea_npy_write(path, &t);
    protea_free(path);
    return status;
}

static protea_status write_arrays(const kmeans *m, const char *dir)
{
    int64_t n = m->rows.t.dim[0];
    PROTEA_TRY(protea_make_dirs(dir));
    PROTEA_TRY(write_array(dir, "centroids.npy", m->out.centroids, PROTEA_F32, m->opts.k, m->rows.t.dim[1]));
    PROTEA_TRY(write_array(dir, "assign.npy", m->out.assign, PROTEA_I32, n, 0));
    return write_array(dir, "distances.npy", m->out.distances, PROTEA_F32, n, 0);
}

/* DIR, or DIR/kK where there are several K. */
static protea_status write_one(const kmeans *m, const char *output)
{
    char name[32], *dir;
    if (m->k.n == 1)
        return write_arrays(m, output);
    snprintf(name, sizeof name, "k%lld", (long long)m->opts.k);
    PROTEA_TRY(protea_path_join(&dir, output, name));
    protea_status status = write_arrays(m, dir);
    protea_free(dir);
    return status;
}

static json_t *record_json(const protea_kmeans_out *out)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < out->n_record; i++) {
        const protea_kmeans_iteration *r = &out->record[i];
        json_array_append_new(list, json_pack("{s:I s:I s:f s:f s:f s:f s:I s:I}", "redo", (json_int_t)r->redo, "iteration",
                                              (json_int_t)r->iteration, "objective", r->objective, "seconds", r->seconds,
                                              "seconds_assign", r->seconds_assign, "imbalance", r->imbalance, "moved",
                                              (json_int_t)r->moved, "splits", (json_int_t)r->splits));
    }
    return list;
}

static protea_status describe(kmeans *m)
{
    protea_cluster_sizes sizes;
    PROTEA_TRY(protea_cluster_sizes_of(&sizes, m->out.assign, m->rows.t.dim[0], m->opts.k));
    json_t *one = json_pack("{s:I s:f s:I s:f s:f s:I}", "k", (json_int_t)m->opts.k, "objective", m->out.objective, "iterations",
                            (json_int_t)m->out.n_record, "seconds", m->seconds, "imbalance", sizes.imbalance, "empty",
                            (json_int_t)(m->opts.k - sizes.used));
    json_object_set_new(one, "record", record_json(&m->out));
    json_array_append_new(m->stats, one);
    protea_log(&m->s.cx, PROTEA_LOG_INFO, "%lld clusters: objective %.6g, %lld iterations in %.2f s", (long long)m->opts.k,
               m->out.objective, (long long)m->out.n_record, m->seconds);
    return PROTEA_OK;
}

static void free_out(kmeans *m)
{
    protea_free(m->out.centroids);
    protea_free(m->out.assign);
    protea_free(m->out.distances);
    protea_free(m->out.record);
    m->out = (protea_kmeans_out){ 0 };
}

static protea_status cluster(kmeans *m, int64_t k, const char *output)
{
    m->opts.k = k;
    protea_status status = fit(m);
    if (status == PROTEA_OK)
        status = write_one(m, output);
    if (status == PROTEA_OK)
        status = describe(m);
    free_out(m);
    return status;
}

/* ---- all of them */

/* result[key]: the number of the one K, or a list. */
static void put(const kmeans *m, json_t *result, const char *key)
{
    json_t *list = json_array(), *one;
    size_t i;
    json_array_foreach(m->stats, i, one)
        json_array_append(list, json_object_get(one, key));
    json_object_set(result, key, m->k.n == 1 ? json_array_get(list, 0) : list);
    json_decref(list);
}

static protea_status write_stats(const kmeans *m, const protea_call *call)
{
    char *path;
    PROTEA_TRY(protea_path_join(&path, call->output, "stats.json"));
    json_t *stats = json_copy(call->result);
    put(m, stats, "record");
    char *text;
    protea_status status = protea_json_print(&text, protea_result_is_whole() ? stats : NULL,
                                             JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12) | JSON_INDENT(1), path);
    json_decref(stats);
    if (status == PROTEA_OK)
        status = protea_file_write(path, text, strlen(text));
    free(text);
    protea_free(path);
    return status;
}

static protea_status run(void *self, const protea_call *call)
{
    kmeans *m = self;
    static const char *const keys[] = { "k", "objective", "iterations", "seconds", "imbalance", "empty" };
    m->hooks = call->hooks;
    m->stats = json_array();
    if (m->stats == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "k-means: no memory for what is told of it");
    PROTEA_TRY(open_all(m, call));
    for (int i = 0; i < m->k.n; i++)
        PROTEA_TRY(cluster(m, (int64_t)m->k.v[i], call->output));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(m, call->result, keys[i]);
    json_object_set_new(call->result, "n", json_integer(m->rows.t.dim[0]));
    json_object_set_new(call->result, "dim", json_integer(m->rows.t.dim[1]));
    json_object_set_new(call->result, "precision", json_string(m->s.precision));
    protea_put_text(call->result, "dir", call->output);
    return write_stats(m, call);
}

static void kmeans_free(void *self)
{
    kmeans *m = self;
    protea_npy_map_close(&m->rows);
    protea_tensor_release(&m->start);
    protea_tensor_release(&m->weights);
    protea_session_close(&m->s);
    json_decref(m->stats);
}

const protea_verb protea_verb_kmeans = {
    .info = { .name = "kmeans", .arguments = "VECTORS.npy", .summary = "cluster rows of numbers", .min_arguments = 1,
              .max_arguments = 1, .output = 2, .output_name = "DIR", .example = "protea kmeans features.npy -k 100 -o clusters" },
    .size = sizeof(kmeans),
    .options = add_options,
    .run = run,
    .free = kmeans_free,
};
