/* Labelled features, computed or read back from what `embed` wrote, and the kNN score between two sets of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/feature_match.h"
#include "format/csv.h"
#include "format/npy.h"

void protea_feature_set_release(protea_feature_set *set)
{
    for (int c = 0; c < set->n_classes && set->class_name != NULL; c++)
        protea_free(set->class_name[c]);
    protea_free(set->class_name);
    protea_free(set->label);
    protea_free(set->first);
    protea_free(set->tag);
    protea_free(set->z);
    *set = (protea_feature_set){ 0 };
}

static protea_status add_class(protea_feature_set *set, const char *name)
{
    PROTEA_TRY(protea_grow(&set->class_name, (size_t)set->n_classes + 1, sizeof *set->class_name, "class names"));
    PROTEA_TRY(protea_copy_string(&set->class_name[set->n_classes], name));
    set->n_classes++;
    return PROTEA_OK;
}

/* Position of a class, -1 when there is none of that name. */
static int32_t class_of(const protea_feature_set *set, const char *name)
{
    for (int c = 0; c < set->n_classes; c++)
        if (strcmp(set->class_name[c], name) == 0)
            return c;
    return -1;
}

/* ---- from a data set */

/* The classes of images that can have several; a bad image has none. */
static protea_status copy_tags(protea_feature_set *set, const protea_source *source)
{
    const int32_t *label;
    PROTEA_TRY(protea_new(&set->first, (size_t)set->n + 1, sizeof *set->first, "labels"));
    for (int64_t i = 0; i < set->n; i++)
        set->first[i + 1] = set->first[i] + (set->label[i] < 0 ? 0 : protea_source_labels(source, i, &label));
    PROTEA_TRY(protea_new(&set->tag, (size_t)set->first[set->n], sizeof *set->tag, "labels"));
    for (int64_t i = 0; i < set->n; i++) {
        protea_source_labels(source, i, &label);
        memcpy(set->tag + set->first[i], label, (size_t)(set->first[i + 1] - set->first[i]) * sizeof *label);
    }
    return PROTEA_OK;
}

protea_status protea_feature_set_compute(protea_ctx *cx, protea_feature_set *set, const protea_model *model,
                                         protea_feature_kind kind, protea_source *source, const char *name,
                                         protea_features_progress progress, void *self)
{
    set->name = name;
    set->n = protea_source_count(source);
    set->dim = protea_features_dim(model, kind);
    PROTEA_TRY(protea_new(&set->z, (size_t)set->n * (size_t)set->dim, sizeof *set->z, "features"));
    PROTEA_TRY(protea_new(&set->label, (size_t)set->n, sizeof *set->label, "labels"));
    for (int c = 0; c < protea_source_n_classes(source); c++)
        PROTEA_TRY(add_class(set, protea_source_class(source, c)));
    PROTEA_TRY(protea_model_features(cx, model, kind, source, set->z, progress, self));
    for (int64_t i = 0; i < set->n; i++)
        set->label[i] = protea_source_is_bad(source, i) ? -1 : protea_source_label(source, i);
    return protea_source_has_several(source) ? copy_tags(set, source) : PROTEA_OK;
}

/* ---- from FILE.npy and FILE.csv */

bool protea_feature_table_path(char *out, size_t size, const char *npy_path)
{
    size_t len = strlen(npy_path);
    if (len < 5 || strcmp(npy_path + len - 4, ".npy") != 0 || len >= size)
        return false;
    memcpy(out, npy_path, len - 4);
    memcpy(out + len - 4, ".csv", 5);
    return true;
}

enum { COLUMNS = 4 }; /* row, path, label, class; of several classes `3;7` and `cat;dog` */

static protea_status add_tag(protea_feature_set *set, int64_t row, const char *name, size_t *capacity)
{
    size_t used = (size_t)set->first[row + 1];
    int32_t label = class_of(set, name);
    for (size_t i = (size_t)set->first[row]; i < used && label >= 0; i++)
        if (set->tag[i] == label)
            return PROTEA_OK; /* named twice */
    if (used == *capacity) {
        *capacity = 2 * *capacity + 1024;
        PROTEA_TRY(protea_grow(&set->tag, *capacity, sizeof *set->tag, "labels"));
    }
    if (label < 0) {
        label = set->n_classes;
        PROTEA_TRY(add_class(set, name));
    }
    set->tag[used] = label;
    set->first[row + 1]++;
    return PROTEA_OK;
}

static int count_parts(const char *text)
{
    int n = 1;
    for (; *text != 0; text++)
        n += *text == ';';
    return n;
}

/* label: not empty. How many classes there are is in it: a folder's name may have a `;`, and is one. */
static protea_status add_tags(protea_feature_set *set, int64_t row, const char *label, char *names, size_t *capacity)
{
    int n = count_parts(label);
    if (n == 1)
        return add_tag(set, row, names, capacity);
    if (count_parts(names) != n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: row %lld: %d labels but %d classes, wanted a name for each", set->name,
                           (long long)row, n, count_parts(names));
    for (char *name = names, *end; n > 0; name = end + 1, n--) {
        end = name + strcspn(name, ";");
        *end = 0;
        PROTEA_TRY(add_tag(set, row, name, capacity));
    }
    return PROTEA_OK;
}

static protea_status read_row(protea_feature_set *set, char *const *field, int n, int64_t row, size_t *capacity, const char *path)
{
    char *end = NULL;
    if (n != COLUMNS || strtoll(field[0], &end, 10) != row || *end != 0 || end == field[0])
        return protea_fail(PROTEA_ERR_INPUT, "%s: line %lld: wanted row %lld and the columns row,path,label,class", path,
                           (long long)row + 2, (long long)row);
    set->label[row] = -1;
    set->first[row + 1] = set->first[row];
    if (field[2][0] == 0)
        return PROTEA_OK;
    char *names = field[3][0] ? field[3] : field[2]; /* a class without a name goes by its number */
    PROTEA_TRY(add_tags(set, row, field[2], names, capacity));
    set->label[row] = set->tag[set->first[row]];
    return PROTEA_OK;
}

/* Where no row has several classes the labels say all. */
static void drop_tags(protea_feature_set *set)
{
    for (int64_t i = 0; i < set->n; i++)
        if (set->first[i + 1] - set->first[i] > 1)
            return;
    protea_free(set->first);
    protea_free(set->tag);
    set->first = NULL;
    set->tag = NULL;
}

static protea_status read_table(protea_feature_set *set, protea_csv *csv, const char *path)
{
    char *field[COLUMNS];
    int n;
    size_t capacity = 0;
    PROTEA_TRY(protea_csv_next(csv, field, COLUMNS, &n));
    if (n != COLUMNS || strcmp(field[0], "row") != 0 || strcmp(field[2], "label") != 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: wanted a table with the columns row,path,label,class", path);
    int64_t row = 0;
    for (;; row++) {
        PROTEA_TRY(protea_csv_next(csv, field, COLUMNS, &n));
        if (n == 0 || row == set->n)
            break;
        PROTEA_TRY(read_row(set, field, n, row, &capacity, path));
    }
    if (row != set->n || n != 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: %s rows than the %lld of its .npy file", path,
                           n ? "more" : "fewer", (long long)set->n);
    drop_tags(set);
    return PROTEA_OK;
}

protea_status protea_feature_set_read(protea_feature_set *set, const char *npy_path)
{
    char path[4096];
    protea_tensor z;
    set->name = npy_path;
    if (!protea_feature_table_path(path, sizeof path, npy_path))
        return protea_fail(PROTEA_ERR_INPUT, "%s: wanted the .npy file that embed wrote, with its .csv beside it", npy_path);
    PROTEA_TRY(protea_npy_read(&z, npy_path));
    set->z = z.data;
    set->n = z.dim[0];
    set->dim = z.dim[1];
    if (z.dtype != PROTEA_F32 || z.n_dims != 2 || z.dim[0] < 1 || z.dim[1] < 1)
        return protea_fail(PROTEA_ERR_INPUT, "%s: wanted f32 features of shape (N, D)", npy_path);
    PROTEA_TRY(protea_new(&set->label, (size_t)set->n, sizeof *set->label, "labels"));
    PROTEA_TRY(protea_new(&set->first, (size_t)set->n + 1, sizeof *set->first, "labels"));
    protea_csv *csv;
    PROTEA_TRY(protea_csv_open(&csv, path));
    protea_status status = read_table(set, csv, path);
    protea_csv_close(csv);
    return status;
}

/* ---- the score */

protea_status protea_knn_sets(protea_ctx *cx, protea_knn_score *score, const protea_feature_set *train,
                              const protea_feature_set *test, const protea_knn_opts *opts)
{
    protea_feature_match m;
    protea_status status = protea_feature_match_sets(&m, train, test);
    const protea_labelled gallery = { train->z, m.train, train->n }, queries = { test->z, m.test, test->n };
    if (status == PROTEA_OK)
        status = protea_knn(cx, score, &gallery, &queries, train->dim, m.n_classes, opts);
    protea_feature_match_release(&m);
    return status;
}

protea_status protea_knn_sources(protea_ctx *cx, protea_knn_score *score, const protea_model *model, protea_source *train,
                                 protea_source *test, const protea_knn_opts *opts)
{
    protea_feature_set train_set = { 0 }, test_set = { 0 };
    protea_status status = protea_feature_set_compute(cx, &train_set, model, PROTEA_BACKBONE_FEATURES, train,
                                                      "kNN training images", NULL, NULL);
    if (status == PROTEA_OK)
        status = protea_feature_set_compute(cx, &test_set, model, PROTEA_BACKBONE_FEATURES, test, "kNN test images", NULL,
                                            NULL);
    if (status == PROTEA_OK)
        status = protea_knn_sets(cx, score, &train_set, &test_set, opts);
    protea_feature_set_release(&train_set);
    protea_feature_set_release(&test_set);
    return status;
}
