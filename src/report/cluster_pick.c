#include "report/cluster_pick.h"

#include "base/alloc.h"

/* ---- a grid over the map, doubled from level to level */

enum { COLUMNS = 7, ROWS = 4, LEVELS = 5 };

/* Which cell along an axis of so many, and where in it. */
static int64_t along(float at, int64_t cells, float *inside)
{
    float scaled = at * (float)cells;
    int64_t cell = (int64_t)scaled < cells ? (int64_t)scaled : cells - 1;
    *inside = scaled - (float)cell - 0.5F;
    return cell;
}

/* The cell of row i on the grid of a level. */
static int64_t cell_of(const protea_cluster_view *v, int64_t i, int level)
{
    int64_t columns = (int64_t)COLUMNS << level, rows = (int64_t)ROWS << level;
    float inside;
    return along(v->xy[2 * i + 1], rows, &inside) * columns + along(v->xy[2 * i], columns, &inside);
}

/* How far row i is from the middle of that cell, of whose sides each is 1. */
static float from_centre(const protea_cluster_view *v, int64_t i, int level)
{
    float x, y;
    along(v->xy[2 * i], (int64_t)COLUMNS << level, &x);
    along(v->xy[2 * i + 1], (int64_t)ROWS << level, &y);
    return x * x + y * y;
}

/* ---- who has a picture */

static void pick(protea_cluster_view *v, int64_t row)
{
    if (v->picture_of[row] >= 0 || v->n_pictures == PROTEA_VIEW_PICTURES)
        return;
    v->picture_of[row] = v->n_pictures;
    v->picture[v->n_pictures++] = row;
}

/* Place by place on all pages, so that where not all find room each page has its best. */
static void pick_faces(protea_cluster_view *v)
{
    bool more = true;
    for (int at = 0; more; at++) {
        more = false;
        for (int64_t p = 0; p < v->n_pages; p++) {
            const protea_cluster_faces *f = &v->face[p];
            if (at >= f->typical + f->border + f->far)
                continue;
            pick(v, f->row[at]);
            more = true;
        }
    }
}

static void pick_checks(protea_cluster_view *v)
{
    for (int64_t i = 0; i < v->n_outliers; i++)
        pick(v, v->outlier[i]);
    for (int64_t p = 0; p < v->page->n_pairs && p < PROTEA_VIEW_PAIRS; p++) {
        pick(v, v->page->pair[p].a);
        pick(v, v->page->pair[p].b);
    }
}

/* In each cell of a level the image nearest to its middle, where none in it has a picture yet. */
static protea_status pick_level(protea_cluster_view *v, int level)
{
    int64_t cells = (int64_t)(COLUMNS * ROWS) << 2 * level;
    int64_t *best; /* -1: somebody has a picture; 0: nobody is there; else 1 + row */
    PROTEA_TRY(protea_new(&best, (size_t)cells, sizeof *best, "pictures of a map"));
    for (int i = 0; i < v->n_pictures; i++)
        best[cell_of(v, v->picture[i], level)] = -1;
    for (int64_t i = 0; i < v->page->c->n; i++) {
        int64_t *own = &best[cell_of(v, i, level)];
        if (*own == 0 || (*own > 0 && from_centre(v, i, level) < from_centre(v, *own - 1, level)))
            *own = i + 1;
    }
    for (int64_t cell = 0; cell < cells; cell++)
        if (best[cell] > 0)
            pick(v, best[cell] - 1);
    protea_free(best);
    return PROTEA_OK;
}

static void pick_evenly(protea_cluster_view *v)
{
    int64_t n = v->page->c->n, room = PROTEA_VIEW_PICTURES - v->n_pictures;
    int64_t every = n <= PROTEA_VIEW_PICTURES || room == 0 ? 1 : (n + room - 1) / room;
    for (int64_t i = 0; i < n; i += every)
        pick(v, i);
}

static protea_status pick_over_map(protea_cluster_view *v)
{
    for (int level = 0; level < LEVELS && v->n_pictures < PROTEA_VIEW_PICTURES; level++)
        PROTEA_TRY(pick_level(v, level));
    pick_evenly(v);
    return PROTEA_OK;
}

protea_status protea_cluster_choose_pictures(protea_cluster_view *v)
{
    int64_t n = v->page->c->n;
    PROTEA_TRY(protea_new(&v->picture, PROTEA_VIEW_PICTURES, sizeof *v->picture, "pictures of a page"));
    PROTEA_TRY(protea_new(&v->picture_of, (size_t)n, sizeof *v->picture_of, "pictures of a page"));
    for (int64_t i = 0; i < n; i++)
        v->picture_of[i] = -1;
    pick_faces(v);
    pick_checks(v);
    return v->xy != NULL ? pick_over_map(v) : PROTEA_OK;
}
