#include "api/cluster_product.h"

#include "api/cluster_table.h"
#include "api/sort_into.h"
#include "base/file.h"
#include "eval/cluster_file.h"
#include "eval/cluster_names.h"
#include "train/rundir.h"

/* ---- from centroids to clusters */

static protea_status place_images(protea_clustering *c, const protea_cluster_input *in)
{
    return in->by == PROTEA_BY_SINKHORN ? protea_clustering_balance(in->cx, c, in->wish->epsilon, in->wish->iterations)
                                        : protea_clustering_assign(in->cx, c);
}

protea_status protea_cluster_product_make(protea_cluster_product *p, const protea_cluster_input *in)
{
    const protea_good_rows *rows = &in->rows;
    p->c.temperature = in->wish->temperature;
    if (in->wish->merge)
        PROTEA_TRY(protea_clustering_merge(&p->c, in->wish->merge_similarity, &p->merged));
    PROTEA_TRY(place_images(&p->c, in));
    PROTEA_TRY(protea_new(&p->outlier, (size_t)rows->n, sizeof *p->outlier, "outliers"));
    PROTEA_TRY(protea_cluster_outliers(p->outlier, &p->n_outliers, &p->c));
    PROTEA_TRY(protea_cluster_names(&p->names, p->c.cluster, rows->label, rows->n, p->c.k, &in->classes));
    p->labelled = in->classes.n > 0;
    if (!p->labelled)
        return PROTEA_OK;
    return protea_cluster_scores_of(&p->scores, p->c.cluster, rows->label, rows->n, p->c.k, in->classes.n);
}

void protea_cluster_product_release(protea_cluster_product *p)
{
    protea_clustering_release(&p->c);
    protea_class_names_release(&p->names);
    protea_free(p->outlier);
}

/* ---- its files */

static protea_status write_table(const protea_cluster_product *p, const protea_cluster_input *in, const char *path)
{
    const protea_cluster_table table = { .source = in->source, .rows = &in->rows, .c = &p->c, .names = &p->names,
                                         .outlier = p->outlier, .first_copy = in->first_copy };
    return protea_cluster_table_write(path, &table);
}

/* base, or the folder of the product in it; owned. */
static protea_status folder_in(char **out, const char *base, const protea_cluster_product *p)
{
    return p->sub[0] ? protea_path_join(out, base, p->sub) : protea_copy_string(out, base);
}

static protea_status write_page(const protea_cluster_product *p, const protea_cluster_input *in,
                                const protea_cluster_family *family, const char *path)
{
    const protea_cluster_origin *origin = &in->origin;
    char *name;
    PROTEA_TRY(folder_in(&name, in->shown, p));
    protea_cluster_page page = {
        .name = name, .model = in->model_name, .data = in->data, .rule = protea_cluster_rule(in), .c = &p->c, .names = &p->names,
        .source = in->source, .image = in->rows.image, .outlier = p->outlier,
        .n_outliers = p->n_outliers, .merged = p->merged, .pair = in->pair, .n_pairs = in->n_pairs,
        .pairs_sought = in->pairs_sought, .pair_similarity = in->wish->duplicate_similarity,
        .xy = in->map.xy, .map_rule = in->map.rule,
        .scores = p->labelled ? &p->scores : NULL, .tried_k = in->tried_k, .tried = in->tried, .n_tried = in->n_tried,
        .cx = in->cx, .options = in->options, .output = in->shown, .record = &origin->record,
        .run = origin->trained ? &origin->run : NULL, .findings = origin->trained ? &origin->findings : NULL,
    };
    if (family != NULL) {
        page.tree = family->tree;
        page.levels = family->levels;
        page.level = family->level;
    }
    protea_status status = protea_cluster_page_write(path, &page);
    protea_free(name);
    return status;
}

/* One of the files in dir; its path is put into result under its key. */
typedef enum product_file { TABLE, CLUSTERS, PAGE, N_FILES } product_file;

static protea_status write_file(const protea_cluster_product *p, const protea_cluster_input *in,
                                const protea_cluster_family *family, const char *dir, product_file which, json_t *result)
{
    static const char *const names[] = { "assignments.csv", PROTEA_CLUSTER_FILE, PROTEA_RUN_REPORT };
    static const char *const keys[] = { "file", "clusters", "report" };
    char *path;
    protea_status status;
    PROTEA_TRY(protea_path_join(&path, dir, names[which]));
    if (which == TABLE)
        status = write_table(p, in, path);
    else if (which == CLUSTERS)
        status = protea_cluster_file_write(in->cx, path, in->model, in->kind, &p->c, &p->names);
    else
        status = write_page(p, in, family, path);
    protea_put_text(result, keys[which], path);
    protea_free(path);
    return status;
}

static protea_status sort_images(const protea_cluster_product *p, const protea_cluster_input *in)
{
    char *dir;
    if (in->wish->sort_into[0] == 0)
        return PROTEA_OK;
    PROTEA_TRY(folder_in(&dir, in->wish->sort_into, p));
    protea_status status = protea_sort_into(dir, in->data, in->wish->copy != 0, in->source, &in->rows, &p->c, &p->names);
    protea_free(dir);
    return status;
}

static void put_counts(const protea_cluster_product *p, json_t *result)
{
    const protea_clustering *c = &p->c;
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

static protea_status write_files(const protea_cluster_product *p, const protea_cluster_input *in,
                                 const protea_cluster_family *family, const char *dir, json_t *result)
{
    PROTEA_TRY(protea_make_dirs(dir));
    put_counts(p, result);
    for (product_file which = 0; which < N_FILES; which++)
        PROTEA_TRY(write_file(p, in, family, dir, which, result));
    protea_log(in->cx, PROTEA_LOG_INFO, "%lld clusters by %s, %lld of them empty; %lld outliers; see %s/%s%s" PROTEA_RUN_REPORT,
               (long long)p->c.k, protea_cluster_rule(in), (long long)(p->c.k - p->c.used), (long long)p->n_outliers, in->shown,
               p->sub, p->sub[0] ? "/" : "");
    return sort_images(p, in);
}

protea_status protea_cluster_product_write(const protea_cluster_product *p, const protea_cluster_input *in,
                                           const protea_cluster_family *family, json_t *result)
{
    char *dir;
    PROTEA_TRY(folder_in(&dir, in->output, p));
    protea_status status = write_files(p, in, family, dir, result);
    protea_free(dir);
    return status;
}
