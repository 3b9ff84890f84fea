/* protea cluster [MODEL] DATA -o DIR: images in clusters, with a table, a file that puts later images in, and a page. */
#include <string.h>

#include "api/cluster_series.h"
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
    protea_cluster_series series;
} cluster;

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    cluster *m = self;
    (void)kind;
    PROTEA_TRY(protea_cluster_wish_options(&m->wish, options));
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &m->images));
    return protea_options_add(options, "Machine", protea_session_table, &m->session);
}

/* ---- what is asked for */

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

/* map.csv; all clusterings share it. */
static protea_status write_map(const cluster *m, const protea_call *call)
{
    char path[PROTEA_PATH_MAX];
    if (m->in.map.xy == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_rundir_file(m->dir, path, "map.csv"));
    PROTEA_TRY(protea_image_map_write(path, &m->in.map, &m->in.rows, m->in.source));
    json_object_set_new(call->result, "map_rule", json_string(m->in.map.rule));
    if (m->in.map.kl > 0)
        json_object_set_new(call->result, "map_kl", json_real(m->in.map.kl));
    protea_put_text(call->result, "map", path);
    return PROTEA_OK;
}

static protea_status make_clusters(cluster *m, const protea_call *call)
{
    if (m->in.by == PROTEA_BY_KMEANS)
        return protea_cluster_series_fit(&m->series, &m->in, m->k, m->n_k, call->result);
    if (m->prototype_dim != m->in.rows.dim)
        return protea_fail(PROTEA_ERR_INPUT, "%s: prototypes of %lld numbers, a head of %lld", m->in.model_name,
                           (long long)m->prototype_dim, (long long)m->in.rows.dim);
    return protea_cluster_series_take(&m->series, &m->in, m->prototypes, m->n_prototypes);
}

/* ---- the run */

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
    m->in.hooks = call->hooks;
    m->in.wish = &m->wish;
    m->in.model = &m->model;
    m->in.output = call->output;
    m->in.shown = m->wish.shown_as[0] ? m->wish.shown_as : call->output;
    m->in.options = call->options;
    PROTEA_TRY(protea_cluster_read_k(m->k, &m->n_k, m->wish.k));
    PROTEA_TRY(protea_rundir_open(&m->dir, call->output, false, m->wish.overwrite != 0));
    PROTEA_TRY(protea_session_open(&m->s, &m->session, call->hooks));
    PROTEA_TRY(open_model(m, call));
    PROTEA_TRY(compute(m, call));
    PROTEA_TRY(write_features(m));
    PROTEA_TRY(protea_cluster_input_look(&m->in));
    PROTEA_TRY(make_clusters(m, call));
    PROTEA_TRY(protea_rundir_write_config(m->dir, call->options));
    PROTEA_TRY(protea_skip_list_write(m->dir, m->in.source));
    PROTEA_TRY(protea_cluster_origin_read(&m->s.cx, &m->in.origin, call->output, m->in.model_name));
    PROTEA_TRY(protea_cluster_series_write(&m->series, &m->in, call->result));
    PROTEA_TRY(write_map(m, call));
    put_totals(m, call, protea_seconds() - started);
    protea_rundir_keep(m->dir);
    return PROTEA_OK;
}

static void cluster_free(void *self)
{
    cluster *m = self;
    protea_cluster_series_release(&m->series);
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
