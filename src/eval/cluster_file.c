#include "eval/cluster_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "eval/model_file.h"

#define CENTROIDS "clusters.centroids"
#define FEATURES "clusters.features"
#define TEMPERATURE "clusters.temperature"
#define NAMES "clusters.names"

static const char *const kinds[] = { "backbone", "head", "pixels" };
enum { BACKBONE, HEAD, PIXELS, N_KINDS };

/* ---- prototypes */

/* A method that clusters now and then has zeros before the first time. */
static bool is_made(const protea_tensor *prototypes)
{
    for (int64_t i = 0; i < protea_count(prototypes); i++)
        if (protea_f32(prototypes)[i] != 0)
            return true;
    return false;
}

protea_status protea_model_prototypes(const protea_ctx *cx, float **out, int64_t *k, int64_t *dim, const char *name)
{
    /* SwAV's, DeepCluster-v2's, PCL's; of several sets the first. */
    static const char *const names[] = { "prototypes.weight", "prototypes.prototypes0.weight", "prototypes.0" };
    const protea_tensor *found = NULL;
    protea_st_file *file;
    *out = NULL;
    PROTEA_TRY(protea_model_file_open(cx, &file, name));
    for (size_t i = 0; i < sizeof names / sizeof *names && found == NULL; i++)
        found = protea_st_find(file, names[i]);
    protea_status status = PROTEA_OK;
    if (found != NULL && found->dtype == PROTEA_F32 && found->n_dims == 2 && is_made(found)) {
        *k = found->dim[0];
        *dim = found->dim[1];
        status = protea_new(out, (size_t)*k, (size_t)*dim * sizeof **out, "prototypes");
        if (status == PROTEA_OK)
            memcpy(*out, found->data, protea_bytes(found));
    }
    protea_st_close(file);
    return status;
}

protea_status protea_model_doubles(protea_ctx *cx, int64_t *doubles, int64_t *k, const char *name)
{
    const double alike = 0.95;
    int64_t dim;
    float *prototypes;
    *doubles = *k = 0;
    protea_status status = protea_model_prototypes(cx, &prototypes, k, &dim, name);
    if (status != PROTEA_OK || prototypes == NULL)
        return status == PROTEA_ERR_MEMORY ? status : PROTEA_OK;
    protea_clustering c = { .k = *k, .dim = dim, .centroids = prototypes };
    status = protea_unit_rows(cx, prototypes, *k, dim);
    if (status == PROTEA_OK)
        status = protea_clustering_merge(&c, alike, doubles);
    protea_free(prototypes);
    return status;
}

/* ---- writing */

typedef struct saved { const protea_model *model; protea_tensor centroids; } saved;

static protea_status visit(void *self, const protea_visitor *v)
{
    saved *s = self;
    if (s->model->backbone != NULL)
        PROTEA_TRY(protea_visit(s->model->backbone, "backbone", v));
    if (s->model->method_self != NULL)
        PROTEA_TRY(s->model->ops->visit(s->model->method_self, v));
    return v->buffer(v->self, CENTROIDS, &s->centroids);
}

static protea_status write_file(const char *path, const protea_model *model, protea_feature_kind kind, const protea_clustering *c,
                                const char *config, const char *names)
{
    saved s = { model, { .data = c->centroids, .dtype = PROTEA_F32, .n_dims = 2, .dim = { c->k, c->dim } } };
    int which = model->pixels ? PIXELS : kind == PROTEA_HEAD_FEATURES ? HEAD : BACKBONE;
    char temperature[32];
    protea_model_notes notes;
    protea_note note[PROTEA_MODEL_NOTES + 4];
    snprintf(temperature, sizeof temperature, "%.9g", c->temperature);
    protea_model_notes_of(&notes, model);
    memcpy(note, notes.note, sizeof notes.note);
    note[PROTEA_MODEL_NOTES] = (protea_note){ FEATURES, kinds[which] };
    note[PROTEA_MODEL_NOTES + 1] = (protea_note){ TEMPERATURE, temperature };
    note[PROTEA_MODEL_NOTES + 2] = (protea_note){ NAMES, names };
    note[PROTEA_MODEL_NOTES + 3] = (protea_note){ "protea.config", config };
    return protea_checkpoint_write(path, NULL, visit, &s, note, PROTEA_MODEL_NOTES + 3 + (config != NULL));
}

protea_status protea_cluster_file_write(const protea_ctx *cx, const char *path, const protea_model *model, protea_feature_kind kind,
                                        const protea_clustering *c, const protea_class_names *names)
{
    protea_st_file *file = NULL;
    char *json;
    PROTEA_TRY(protea_class_names_write(&json, names));
    protea_status status = model->pixels ? PROTEA_OK : protea_model_file_open(cx, &file, model->path);
    const char *config = file != NULL ? protea_st_metadata(file, "protea.config") : NULL;
    if (status == PROTEA_OK)
        status = write_file(path, model, kind, c, config, json);
    protea_st_close(file);
    free(json);
    return status;
}

/* ---- reading */

static protea_status bad(const char *path, const char *what)
{
    return protea_fail(PROTEA_ERR_INPUT, "%s: %s; wanted the %s that `protea cluster` wrote", path, what, PROTEA_CLUSTER_FILE);
}

static int kind_of(const char *name)
{
    int kind = 0;
    while (kind < N_KINDS && (name == NULL || strcmp(kinds[kind], name) != 0))
        kind++;
    return kind;
}

static protea_status open_model(protea_ctx *cx, protea_cluster_file *f, const protea_st_file *file, int kind, const char *path)
{
    const char *size = protea_st_metadata(file, "protea.image_size");
    if (kind == PIXELS)
        return protea_model_open(cx, &f->model, kinds[PIXELS], size != NULL ? (int)strtol(size, NULL, 10) : 0);
    PROTEA_TRY(protea_model_open(cx, &f->model, path, 0));
    return kind == HEAD ? protea_model_open_head(cx, &f->model) : PROTEA_OK;
}

static protea_status read_centroids(protea_cluster_file *f, const protea_st_file *file, const char *path)
{
    const protea_tensor *found = protea_st_find(file, CENTROIDS);
    const char *temperature = protea_st_metadata(file, TEMPERATURE), *names = protea_st_metadata(file, NAMES);
    if (found == NULL || found->n_dims != 2 || temperature == NULL || names == NULL)
        return bad(path, "no clusters found");
    f->temperature = strtod(temperature, NULL);
    if (!(f->temperature > 0))
        return bad(path, TEMPERATURE " is not a number above 0");
    PROTEA_TRY(protea_tensor_new(&f->centroids, 2, found->dim, "centroids"));
    PROTEA_TRY(protea_st_copy(path, CENTROIDS, &f->centroids, found));
    return protea_class_names_read(&f->names, names, path, NAMES);
}

static protea_status read_file(protea_ctx *cx, protea_cluster_file *f, const protea_st_file *file, const char *path)
{
    int kind = kind_of(protea_st_metadata(file, FEATURES));
    if (kind == N_KINDS)
        return bad(path, "no clusters found");
    f->kind = kind == HEAD ? PROTEA_HEAD_FEATURES : PROTEA_BACKBONE_FEATURES;
    PROTEA_TRY(read_centroids(f, file, path));
    PROTEA_TRY(open_model(cx, f, file, kind, path));
    if (f->centroids.dim[1] != protea_features_dim(&f->model, f->kind) || f->names.n != f->centroids.dim[0])
        return bad(path, "centroids found that fit neither its features nor its names");
    return PROTEA_OK;
}

static protea_status open_path(protea_ctx *cx, protea_cluster_file *f, const char *path)
{
    protea_st_file *file;
    PROTEA_TRY(protea_st_open(&file, path));
    protea_status status = read_file(cx, f, file, path);
    protea_st_close(file);
    return status;
}

protea_status protea_cluster_file_open(protea_ctx *cx, protea_cluster_file *f, const char *name)
{
    struct stat st;
    char *path;
    *f = (protea_cluster_file){ .kind = PROTEA_BACKBONE_FEATURES };
    if (stat(name, &st) != 0 || !S_ISDIR(st.st_mode))
        return open_path(cx, f, name);
    PROTEA_TRY(protea_path_join(&path, name, PROTEA_CLUSTER_FILE));
    protea_status status = open_path(cx, f, path);
    protea_free(path);
    return status;
}

void protea_cluster_file_close(protea_cluster_file *f)
{
    protea_model_close(&f->model);
    protea_tensor_release(&f->centroids);
    protea_class_names_release(&f->names);
}
