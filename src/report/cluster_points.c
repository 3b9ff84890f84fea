/* A stroke of no length with round ends is a point, so the points of a cluster are one path, and a point is a few bytes. Points
 * that fall on the same spot are drawn once; where there are more spots than fit, the grid is made coarser, and last some are
 * left out. */
#include "base/alloc.h"
#include "base/sort.h"
#include "report/cluster_parts.h"

enum { WIDTH = 1000, HEIGHT = 620, MANY_POINTS = 50000, PLACE_BITS = 24 };

typedef struct points {
    const protea_cluster_view *view;
    uint64_t *key;      /* (2,n) place of the cluster << 24 | row of the grid << 12 | column, and room to sort; owned */
    int64_t n;          /* of them that are drawn: rising, all different */
    int scale;          /* a unit of the drawing is so many cells */
} points;

static void fill_keys(points *p)
{
    const protea_cluster_view *v = p->view;
    const protea_clustering *c = v->page->c;
    float w = (float)(WIDTH * p->scale - 1), h = (float)(HEIGHT * p->scale - 1);
    for (int64_t i = 0; i < c->n; i++)
        p->key[i] = (uint64_t)v->place[c->cluster[i]] << PLACE_BITS | (uint64_t)(v->xy[2 * i + 1] * h) << PLACE_BITS / 2 |
                    (uint64_t)(v->xy[2 * i] * w);
    protea_sort_u64(p->key, p->key + c->n, c->n, 0);
    p->n = 1;
    for (int64_t i = 1; i < c->n; i++)
        if (p->key[i] != p->key[p->n - 1])
            p->key[p->n++] = p->key[i];
}

static void thin_out(points *p)
{
    int64_t every = (p->n + PROTEA_VIEW_POINTS - 1) / PROTEA_VIEW_POINTS, n = 0;
    for (int64_t i = 0; i < p->n; i += every)
        p->key[n++] = p->key[i];
    p->n = n;
}

/* The steps from point to point, in cells. */
static void write_path(FILE *out, const points *p, int64_t first, int64_t end)
{
    int64_t x = 0, y = 0;
    for (int64_t i = first; i < end; i++) {
        int64_t to_x = (int64_t)(p->key[i] & 0xfff), to_y = (int64_t)(p->key[i] >> PLACE_BITS / 2 & 0xfff);
        fprintf(out, "m%lld %lldh0", (long long)(to_x - x), (long long)(to_y - y));
        x = to_x;
        y = to_y;
    }
}

static void write_cluster(FILE *out, const points *p, int64_t first, int64_t end)
{
    int64_t place = (int64_t)(p->key[first] >> PLACE_BITS), j = p->view->order[place];
    bool leads = place < p->view->n_pages;
    fprintf(out, leads ? "<a href=\"#cluster-%lld\" tabindex=\"-1\">" : "<a>", (long long)j);
    fprintf(out, "<path style=\"--h:%.0f\" d=\"", protea_cluster_hue(j));
    write_path(out, p, first, end);
    fputs("\"/></a>\n", out);
}

static void write_points(FILE *out, const points *p)
{
    const protea_clustering *c = p->view->page->c;
    double width = p->n <= 500 ? 8 : p->n <= 2000 ? 6.5 : p->n <= 10000 ? 4.5 : p->n <= 100000 ? 3 : 1.6;
    fprintf(out, "<svg viewBox=\"0 0 %d %d\"%s preserveAspectRatio=\"none\" role=\"img\" aria-label=\"map of %lld images\" "
            "style=\"--dot:%.1fpx\">\n", WIDTH * p->scale, HEIGHT * p->scale, p->n > MANY_POINTS ? " class=\"many\"" : "",
            (long long)c->n, width);
    for (int64_t i = 0, first = 0; i < p->n; i++)
        if (i + 1 == p->n || p->key[i + 1] >> PLACE_BITS != p->key[first] >> PLACE_BITS) {
            write_cluster(out, p, first, i + 1);
            first = i + 1;
        }
    fputs("</svg>\n", out);
}

protea_status protea_cluster_points(FILE *out, const protea_cluster_view *v, int64_t *drawn)
{
    points p = { .view = v, .scale = 4 };
    PROTEA_TRY(protea_new(&p.key, (size_t)v->page->c->n, 2 * sizeof *p.key, "a map"));
    fill_keys(&p);
    while (p.n > PROTEA_VIEW_POINTS && p.scale > 1) {
        p.scale /= 2;
        fill_keys(&p);
    }
    thin_out(&p);
    write_points(out, &p);
    *drawn = p.n;
    protea_free(p.key);
    return PROTEA_OK;
}
