#include "api/cluster_series.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "train/rundir.h"

/* ---- which K */

static int rising(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static protea_status refuse_k(const char *text)
{
    return protea_fail(PROTEA_ERR_USAGE, "--k %s: wanted auto, or at most %d different numbers from 1 to 1000000", text,
                       PROTEA_LADDER_MAX);
}

protea_status protea_cluster_read_k(int64_t k[static PROTEA_LADDER_MAX], int *n, const char *text)
{
    *n = 0;
    if (strcmp(text, "auto") == 0)
        return PROTEA_OK;
    for (const char *at = text; *at != 0;) {
        char *end;
        long long number = strtoll(at, &end, 10);
        if (end == at || number < 1 || number > 1000000 || *n == PROTEA_LADDER_MAX)
            return refuse_k(text);
        k[(*n)++] = number;
        at = end + strspn(end, ", ");
    }
    qsort(k, (size_t)*n, sizeof *k, rising);
    for (int i = 1; i < *n; i++)
        if (k[i] == k[i - 1])
            return refuse_k(text);
    return PROTEA_OK;
}

/* ---- k-means */

static protea_status fit(protea_clustering *c, const protea_cluster_input *in, int64_t k)
{
    const protea_good_rows *rows = &in->rows;
    PROTEA_TRY(protea_clustering_new(c, rows->z, rows->n, rows->dim, k));
    return protea_clustering_fit(in->cx, c, in->wish->niter, in->wish->nredo, in->cx->seed);
}

/* The K of the ladder whose clusters have the largest silhouette; of equals the smallest. */
static protea_status try_ladder(protea_cluster_input *in, const protea_silhouette *s, int64_t *best)
{
    int64_t k[PROTEA_LADDER_MAX];
    double largest = -2;
    int n = protea_cluster_ladder(k, in->rows.n);
    protea_ticker ticker;
    protea_ticker_start(&ticker, in->hooks);
    for (int i = 0; i < n; i++) {
        protea_clustering c = { 0 };
        protea_status status = fit(&c, in, k[i]);
        if (status == PROTEA_OK)
            status = protea_silhouette_of(&in->tried[i], s, c.cluster, c.k);
        protea_clustering_release(&c);
        PROTEA_TRY(status);
        in->tried_k[i] = (double)k[i];
        in->n_tried = i + 1;
        if (in->tried[i] > largest) {
            largest = in->tried[i];
            *best = k[i];
        }
        protea_ticker_tick(&ticker, "how many clusters", i + 1, n, "Ks", NULL);
    }
    return PROTEA_OK;
}

static void put_curve(const protea_cluster_input *in, json_t *result)
{
    json_t *curve = json_array();
    for (int i = 0; i < in->n_tried; i++)
        json_array_append_new(curve, json_pack("{s:I s:f}", "k", (json_int_t)in->tried_k[i], "silhouette", in->tried[i]));
    json_object_set_new(result, "criterion", json_string("silhouette"));
    json_object_set_new(result, "curve", curve);
}

static protea_status choose_k(protea_cluster_input *in, int64_t *best, json_t *result)
{
    protea_silhouette s;
    *best = 1;
    protea_status status = protea_silhouette_new(in->cx, &s, in->rows.z, in->rows.n, in->rows.dim);
    if (status == PROTEA_OK)
        status = try_ladder(in, &s, best);
    protea_silhouette_release(&s);
    put_curve(in, result);
    return status;
}

/* ---- all of them */

static protea_status add_level(protea_cluster_series *s, int i)
{
    const protea_clustering *c = &s->product[i].c;
    return protea_cluster_tree_add(&s->tree, c->cluster, c->k, i > 0 ? s->product[i - 1].c.cluster : NULL, c->n);
}

protea_status protea_cluster_series_fit(protea_cluster_series *s, protea_cluster_input *in, const int64_t *k, int n_k,
                                        json_t *result)
{
    int64_t best;
    if (n_k == 0)
        PROTEA_TRY(choose_k(in, &best, result));
    s->n = n_k == 0 ? 1 : n_k;
    for (int i = 0; i < s->n; i++) {
        protea_cluster_product *p = &s->product[i];
        PROTEA_TRY(fit(&p->c, in, n_k == 0 ? best : k[i]));
        PROTEA_TRY(protea_cluster_product_make(p, in));
        if (s->n == 1)
            continue;
        snprintf(p->sub, sizeof p->sub, "k%lld", (long long)k[i]);
        PROTEA_TRY(add_level(s, i));
    }
    return PROTEA_OK;
}

protea_status protea_cluster_series_take(protea_cluster_series *s, const protea_cluster_input *in, const float *prototypes,
                                         int64_t k)
{
    const protea_good_rows *rows = &in->rows;
    protea_cluster_product *p = &s->product[0];
    s->n = 1;
    PROTEA_TRY(protea_clustering_new(&p->c, rows->z, rows->n, rows->dim, k));
    memcpy(p->c.centroids, prototypes, (size_t)(k * rows->dim) * sizeof *prototypes);
    PROTEA_TRY(protea_unit_rows(in->cx, p->c.centroids, k, rows->dim));
    return protea_cluster_product_make(p, in);
}

void protea_cluster_series_release(protea_cluster_series *s)
{
    for (int i = 0; i < s->n; i++)
        protea_cluster_product_release(&s->product[i]);
    protea_cluster_tree_release(&s->tree);
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

/* The page above those of each K. */
static protea_status write_family(const protea_cluster_series *s, const protea_cluster_input *in,
                                  const protea_cluster_level *levels, json_t *result)
{
    const protea_cluster_page page = { .output = in->shown, .model = in->model_name, .data = in->data,
                                       .rule = protea_cluster_rule(in), .c = &s->product[0].c, .options = in->options,
                                       .record = &in->origin.record, .tree = &s->tree, .levels = levels, .level = -1 };
    char *path;
    PROTEA_TRY(protea_path_join(&path, in->output, PROTEA_RUN_REPORT));
    protea_status status = protea_cluster_family_write(path, &page);
    protea_put_text(result, "tree", path);
    protea_free(path);
    return status;
}

protea_status protea_cluster_series_write(const protea_cluster_series *s, const protea_cluster_input *in, json_t *result)
{
    protea_cluster_level levels[PROTEA_LADDER_MAX];
    if (s->n == 1)
        return protea_cluster_product_write(&s->product[0], in, NULL, result);
    for (int i = 0; i < s->n; i++)
        levels[i] = (protea_cluster_level){ s->product[i].sub, &s->product[i].names };
    for (int i = 0; i < s->n; i++) {
        const protea_cluster_family family = { &s->tree, levels, i };
        json_t *one = json_object();
        protea_status status = protea_cluster_product_write(&s->product[i], in, &family, one);
        append_all(result, one);
        json_decref(one);
        PROTEA_TRY(status);
    }
    return write_family(s, in, levels, result);
}
