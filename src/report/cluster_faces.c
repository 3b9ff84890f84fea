#include "report/cluster_faces.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { ALL_PAGES = 3000, LEAST = 3, MOST = 40 }; /* images on pages: of all, of one */

typedef struct member { int64_t row; float key; } member;

typedef struct members {
    const protea_cluster_page *page;
    int64_t *start;      /* (k+1) of each cluster's rows in row; owned */
    int64_t *row;        /* (n) sorted by cluster; owned */
    member *member;      /* (n) of one cluster, room to sort; owned */
} members;

static int rising(const void *a, const void *b)
{
    const member *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->row > y->row) - (x->row < y->row);
}

static protea_status sort_rows(members *m)
{
    const protea_clustering *c = m->page->c;
    PROTEA_TRY(protea_new(&m->start, (size_t)c->k + 1, sizeof *m->start, "pages of clusters"));
    PROTEA_TRY(protea_new(&m->row, (size_t)c->n, sizeof *m->row, "pages of clusters"));
    PROTEA_TRY(protea_new(&m->member, (size_t)c->n, sizeof *m->member, "pages of clusters"));
    for (int64_t j = 0; j < c->k; j++)
        m->start[j + 1] = m->start[j] + c->size[j];
    for (int64_t i = 0; i < c->n; i++)
        m->row[m->start[c->cluster[i]]++] = i;
    for (int64_t j = c->k; j > 0; j--)
        m->start[j] = m->start[j - 1];
    m->start[0] = 0;
    return PROTEA_OK;
}

/* Appends the first `most` of n members in rising order of their keys to the face; returns how many those are. */
static int append(protea_cluster_faces *f, members *m, int64_t n, int most)
{
    int at = f->typical + f->border + f->far, taken = n < most ? (int)n : most;
    qsort(m->member, (size_t)n, sizeof *m->member, rising);
    for (int i = 0; i < taken; i++)
        f->row[at + i] = m->member[i].row;
    return taken;
}

static void take_means(protea_cluster_faces *f, const members *m, int64_t j)
{
    const protea_clustering *c = m->page->c;
    for (int64_t i = m->start[j]; i < m->start[j + 1]; i++) {
        int64_t row = m->row[i];
        f->similarity += (double)c->similarity[row] / (double)c->size[j];
        f->margin += (double)c->margin[row] / (double)c->size[j];
        f->confidence += (double)c->confidence[row] / (double)c->size[j];
        f->outliers += m->page->outlier[row] != 0;
    }
}

static protea_status choose_faces(protea_cluster_faces *f, members *m, int64_t j, int most)
{
    const protea_clustering *c = m->page->c;
    int fifth = most / 5;
    int64_t n = 0;
    PROTEA_TRY(protea_new(&f->row, (size_t)most, sizeof *f->row, "pages of clusters"));
    take_means(f, m, j);
    for (int64_t i = m->start[j]; i < m->start[j + 1]; i++)
        if (!m->page->outlier[m->row[i]])
            m->member[n++] = (member){ m->row[i], -c->similarity[m->row[i]] };
    f->typical = append(f, m, n, most - 2 * fifth);
    for (int64_t i = f->typical; i < n; i++) /* the rest, which is sorted anew */
        m->member[i - f->typical] = (member){ m->member[i].row, c->margin[m->member[i].row] };
    f->border = append(f, m, n - f->typical, fifth);
    n = 0;
    for (int64_t i = m->start[j]; i < m->start[j + 1]; i++)
        if (m->page->outlier[m->row[i]])
            m->member[n++] = (member){ m->row[i], c->similarity[m->row[i]] };
    f->far = append(f, m, n, fifth);
    return PROTEA_OK;
}

static protea_status choose_outliers(protea_cluster_view *v, members *m)
{
    const protea_cluster_page *page = v->page;
    int64_t n = 0;
    for (int64_t i = 0; i < page->c->n; i++)
        if (page->outlier[i])
            m->member[n++] = (member){ i, page->c->similarity[i] };
    qsort(m->member, (size_t)n, sizeof *m->member, rising);
    v->n_outliers = n < PROTEA_VIEW_OUTLIERS ? n : PROTEA_VIEW_OUTLIERS;
    PROTEA_TRY(protea_new(&v->outlier, PROTEA_VIEW_OUTLIERS, sizeof *v->outlier, "outliers"));
    for (int64_t i = 0; i < v->n_outliers; i++)
        v->outlier[i] = m->member[i].row;
    return PROTEA_OK;
}

static protea_status choose_all(protea_cluster_view *v, members *m)
{
    int most = (int)(ALL_PAGES / (v->n_pages > 0 ? v->n_pages : 1));
    most = most < LEAST ? LEAST : most > MOST ? MOST : most;
    PROTEA_TRY(sort_rows(m));
    PROTEA_TRY(protea_new(&v->face, (size_t)v->n_pages, sizeof *v->face, "pages of clusters"));
    for (int64_t i = 0; i < v->n_pages; i++)
        PROTEA_TRY(choose_faces(&v->face[i], m, v->order[i], most));
    return choose_outliers(v, m);
}

protea_status protea_cluster_choose_faces(protea_cluster_view *v)
{
    members m = { .page = v->page };
    protea_status status = choose_all(v, &m);
    protea_free(m.start);
    protea_free(m.row);
    protea_free(m.member);
    return status;
}
