#include "report/cluster_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cluster/nearest_rows.h"
#include "report/cluster_faces.h"
#include "report/cluster_pick.h"

/* ---- clusters by size */

typedef struct sized { int64_t size, cluster; } sized;

static int larger_first(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

static protea_status sort_clusters(protea_cluster_view *v)
{
    const protea_clustering *c = v->page->c;
    sized *s;
    PROTEA_TRY(protea_new(&v->order, (size_t)c->used, sizeof *v->order, "clusters by size"));
    PROTEA_TRY(protea_new(&v->place, (size_t)c->k, sizeof *v->place, "clusters by size"));
    PROTEA_TRY(protea_new(&s, (size_t)c->k, sizeof *s, "clusters by size"));
    for (int64_t j = 0; j < c->k; j++) {
        s[j] = (sized){ c->size[j], j };
        v->place[j] = -1;
    }
    qsort(s, (size_t)c->k, sizeof *s, larger_first);
    for (int64_t i = 0; i < c->used; i++) {
        v->order[i] = s[i].cluster;
        v->place[s[i].cluster] = i;
    }
    protea_free(s);
    v->n_pages = c->used < PROTEA_VIEW_PAGES ? c->used : PROTEA_VIEW_PAGES;
    return PROTEA_OK;
}

/* Nearest by the cosine of their centroids, among those with a page. */
static protea_status find_near(protea_cluster_view *v)
{
    const protea_clustering *c = v->page->c;
    size_t n = (size_t)v->n_pages, cells = n * PROTEA_VIEW_NEAR;
    float *centre;
    int64_t *self = NULL;
    PROTEA_TRY(protea_new(&v->near, cells, sizeof *v->near, "clusters near each other"));
    PROTEA_TRY(protea_new(&v->near_cosine, cells, sizeof *v->near_cosine, "clusters near each other"));
    PROTEA_TRY(protea_new(&centre, n, (size_t)c->dim * sizeof *centre, "clusters near each other"));
    protea_status status = protea_new(&self, n, sizeof *self, "clusters near each other");
    for (int64_t i = 0; status == PROTEA_OK && i < v->n_pages; i++) {
        memcpy(centre + i * c->dim, c->centroids + v->order[i] * c->dim, (size_t)c->dim * sizeof *centre);
        self[i] = i;
    }
    if (status == PROTEA_OK)
        status = protea_nearest_rows(v->page->cx, v->near, v->near_cosine, centre, v->n_pages, centre, self, v->n_pages, c->dim,
                                     PROTEA_VIEW_NEAR);
    protea_free(centre);
    protea_free(self);
    return status;
}

/* ---- the map */

/* To 0..1 with a margin, so that pictures at the border are whole. */
static void scale_axis(float *xy, int64_t n, int which)
{
    float low = xy[which], high = xy[which];
    for (int64_t i = 1; i < n; i++) {
        low = fminf(low, xy[2 * i + which]);
        high = fmaxf(high, xy[2 * i + which]);
    }
    const float margin = 0.045F;
    for (int64_t i = 0; i < n; i++)
        xy[2 * i + which] = high > low ? margin + (1 - 2 * margin) * (xy[2 * i + which] - low) / (high - low) : 0.5F;
}

static protea_status place_images(protea_cluster_view *v)
{
    int64_t n = v->page->c->n;
    if (v->page->xy == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&v->xy, (size_t)n, 2 * sizeof *v->xy, "a map"));
    memcpy(v->xy, v->page->xy, (size_t)n * 2 * sizeof *v->xy);
    scale_axis(v->xy, n, 0);
    scale_axis(v->xy, n, 1);
    return PROTEA_OK;
}

/* ---- all of it */

bool protea_cluster_has_page(const protea_cluster_view *v, int64_t j)
{
    return v->place[j] >= 0 && v->place[j] < v->n_pages;
}

protea_status protea_cluster_view_new(protea_cluster_view *v, const protea_cluster_page *page)
{
    *v = (protea_cluster_view){ .page = page };
    PROTEA_TRY(sort_clusters(v));
    PROTEA_TRY(find_near(v));
    PROTEA_TRY(place_images(v));
    PROTEA_TRY(protea_cluster_choose_faces(v));
    return protea_cluster_choose_pictures(v);
}

void protea_cluster_view_release(protea_cluster_view *v)
{
    for (int64_t i = 0; v->face != NULL && i < v->n_pages; i++)
        protea_free(v->face[i].row);
    protea_free(v->face);
    protea_free(v->order);
    protea_free(v->place);
    protea_free(v->near);
    protea_free(v->near_cosine);
    protea_free(v->outlier);
    protea_free(v->xy);
    protea_free(v->picture);
    protea_free(v->picture_of);
}
