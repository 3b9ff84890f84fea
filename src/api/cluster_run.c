#include "api/cluster_run.h"

#include <string.h>

#include "api/cluster_table.h"
#include "api/sort_into.h"
#include "base/file.h"
#include "eval/cluster_file.h"
#include "eval/cluster_names.h"
#include "report/cluster_page.h"

enum { MOST_COMPARED = 100000 }; /* images up to which all pairs are looked at */

/* ---- what all clusterings share */

static protea_status find_copies(protea_cluster_input *in)
{
    const protea_good_rows *rows = &in->rows;
    PROTEA_TRY(protea_new(&in->first_copy, (size_t)rows->n, sizeof *in->first_copy, "near-duplicates"));
    for (int64_t i = 0; i < rows->n; i++)
        in->first_copy[i] = -1;
    in->pairs_sought = rows->n <= MOST_COMPARED;
    if (!in->pairs_sought) {
        protea_log(in->cx, PROTEA_LOG_INFO, "near-duplicates are looked for among %d images at most, not among %lld", MOST_COMPARED,
                   (long long)rows->n);
        return PROTEA_OK;
    }
    PROTEA_TRY(protea_near_duplicates(in->cx, &in->pair, &in->n_pairs, rows->z, rows->n, rows->dim,
                                      in->wish->duplicate_similarity));
    for (int64_t p = 0; p < in->n_pairs; p++) {
        int64_t *first = &in->first_copy[in->pair[p].b];
        *first = *first < 0 || in->pair[p].a < *first ? in->pair[p].a : *first;
    }
    return PROTEA_OK;
}

protea_status protea_cluster_input_look(protea_cluster_input *in)
{
    for (int c = 0; c < protea_source_n_classes(in->source); c++)
        PROTEA_TRY(protea_class_names_add(&in->classes, protea_source_class(in->source, c)));
    return find_copies(in);
}

void protea_cluster_input_release(protea_cluster_input *in)
{
    protea_good_rows_release(&in->rows);
    protea_class_names_release(&in->classes);
    protea_free(in->pair);
    protea_free(in->first_copy);
}

/* ---- one clustering */

typedef struct product {
    protea_cluster_input *in;
    protea_clustering *c;
    protea_class_names names;
    uint8_t *outlier;            /* (n) owned */
    int64_t n_outliers, merged;
    protea_cluster_scores scores;
    bool labelled;
} product;

static protea_status place_images(product *p)
{
    const protea_cluster_wish *w = p->in->wish;
    return p->in->by == PROTEA_BY_SINKHORN ? protea_clustering_balance(p->in->cx, p->c, w->epsilon, w->iterations)
                                           : protea_clustering_assign(p->in->cx, p->c);
}

static protea_status make(product *p)
{
    protea_cluster_input *in = p->in;
    const protea_good_rows *rows = &in->rows;
    p->c->temperature = in->wish->temperature;
    if (in->wish->merge)
        PROTEA_TRY(protea_clustering_merge(p->c, in->wish->merge_similarity, &p->merged));
    PROTEA_TRY(place_images(p));
    PROTEA_TRY(protea_new(&p->outlier, (size_t)rows->n, sizeof *p->outlier, "outliers"));
    PROTEA_TRY(protea_cluster_outliers(p->outlier, &p->n_outliers, p->c));
    PROTEA_TRY(protea_cluster_names(&p->names, p->c->cluster, rows->label, rows->n, p->c->k, &in->classes));
    p->labelled = in->classes.n > 0;
    if (!p->labelled)
        return PROTEA_OK;
    return protea_cluster_scores_of(&p->scores, p->c->cluster, rows->label, rows->n, p->c->k, in->classes.n);
}

static protea_status write_table(const product *p, const char *path)
{
    const protea_cluster_table table = { .source = p->in->source, .rows = &p->in->rows, .c = p->c, .names = &p->names,
                                         .outlier = p->outlier, .first_copy = p->in->first_copy };
    return protea_cluster_table_write(path, &table);
}

static const char *rule_of(const protea_cluster_input *in)
{
    if (in->by == PROTEA_BY_PROTOTYPES)
        return "the nearest prototype";
    if (in->by == PROTEA_BY_SINKHORN)
        return "balanced codes (Sinkhorn) over the prototypes";
    return in->model->pixels ? "k-means of the pixels"
                             : in->kind == PROTEA_HEAD_FEATURES ? "k-means of head features" : "k-means of features";
}

static protea_status write_page(const product *p, const char *dir, const char *path)
{
    const protea_cluster_input *in = p->in;
    const protea_cluster_page page = {
        .name = dir, .model = in->model_name, .data = in->data, .rule = rule_of(in), .c = p->c, .names = &p->names,
        .source = in->source, .image = in->rows.image, .outlier = p->outlier,
        .n_outliers = p->n_outliers, .merged = p->merged, .pair = in->pair, .n_pairs = in->n_pairs,
        .pairs_sought = in->pairs_sought, .pair_similarity = in->wish->duplicate_similarity,
        .scores = p->labelled ? &p->scores : NULL, .tried_k = in->tried_k, .tried = in->tried, .n_tried = in->n_tried,
    };
    return protea_cluster_page_write(path, &page);
}

/* One of the files in dir; its path is put into result under key, where that is not NULL. */
typedef enum product_file { TABLE, CLUSTERS, PAGE } product_file;

static protea_status write_file(const product *p, const char *dir, product_file which, json_t *result)
{
    static const char *const names[] = { "assignments.csv", PROTEA_CLUSTER_FILE, "report.html" };
    static const char *const keys[] = { "file", "clusters", "report" };
    char *path;
    protea_status status;
    PROTEA_TRY(protea_path_join(&path, dir, names[which]));
    if (which == TABLE)
        status = write_table(p, path);
    else if (which == CLUSTERS)
        status = protea_cluster_file_write(p->in->cx, path, p->in->model, p->in->kind, p->c, &p->names);
    else
        status = write_page(p, dir, path);
    protea_put_text(result, keys[which], path);
    protea_free(path);
    return status;
}

static protea_status sort_images(const product *p, const char *sub)
{
    const protea_cluster_input *in = p->in;
    char *dir;
    if (in->wish->sort_into[0] == 0)
        return PROTEA_OK;
    PROTEA_TRY(sub != NULL ? protea_path_join(&dir, in->wish->sort_into, sub) : protea_copy_string(&dir, in->wish->sort_into));
    protea_status status = protea_sort_into(dir, in->data, in->wish->copy != 0, in->source, &in->rows, p->c, &p->names);
    protea_free(dir);
    return status;
}

static void put_counts(const product *p, json_t *result)
{
    const protea_clustering *c = p->c;
    json_object_set_new(result, "k", json_integer(c->k));
    json_object_set_new(result, "used", json_integer(c->used));
    json_object_set_new(result, "empty", json_integer(c->k - c->used));
    json_object_set_new(result, "merged", json_integer(p->merged));
    json_object_set_new(result, "outliers", json_integer(p->n_outliers));
    if (!p->labelled)
        return;
    json_object_set_new(result, "acc", json_real(p->scores.accuracy));
    json_object_set_new(result, "nmi", json_real(p->scores.nmi));
    json_object_set_new(result, "ami", json_real(p->scores.ami));
    json_object_set_new(result, "ari", json_real(p->scores.ari));
}

static protea_status finish(product *p, const char *dir, const char *sub, json_t *result)
{
    PROTEA_TRY(make(p));
    PROTEA_TRY(protea_make_dirs(dir));
    put_counts(p, result);
    PROTEA_TRY(write_file(p, dir, TABLE, result));
    PROTEA_TRY(write_file(p, dir, CLUSTERS, result));
    PROTEA_TRY(write_file(p, dir, PAGE, result));
    protea_log(p->in->cx, PROTEA_LOG_INFO, "%lld clusters by %s, %lld of them empty; %lld outliers; see %s/report.html",
               (long long)p->c->k, rule_of(p->in), (long long)(p->c->k - p->c->used), (long long)p->n_outliers, dir);
    return sort_images(p, sub);
}

protea_status protea_cluster_run(protea_cluster_input *in, protea_clustering *c, const char *dir, const char *sub, json_t *result)
{
    product p = { .in = in, .c = c };
    protea_status status = finish(&p, dir, sub, result);
    protea_class_names_release(&p.names);
    protea_free(p.outlier);
    return status;
}
