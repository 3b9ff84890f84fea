/* The map: points below, and on them a pin for each image with a picture, which shows it under the pointer. Some pins, spread over
 * the map, always do; zooming in, more and more of them: a pin's level says from which doubling on, a step earlier where the map
 * is wide. */
#include <math.h>

#include "base/alloc.h"
#include "report/cluster_parts.h"
#include "report/html.h"

enum { LEVELS = 5 }; /* and one more, of those that are never apart from all others */
static const float apart_x = 0.108F, apart_y = 0.172F; /* pictures that are shown together on level 0; half of it on the next */

/* A grid whose cells are as large as a picture with its distance holds one at most in each. */
typedef struct grid {
    const protea_cluster_view *view;
    int columns, rows;
    float wide, high;
    int *held;              /* (rows,columns) 0: none; else 1 + number of a picture; owned */
} grid;

static const float *place_of(const grid *g, int picture) { return g->view->xy + 2 * g->view->picture[picture]; }

static void hold(grid *g, int picture)
{
    const float *xy = place_of(g, picture);
    g->held[(int)(xy[1] / g->high) * g->columns + (int)(xy[0] / g->wide)] = picture + 1;
}

static bool is_free(const grid *g, int picture)
{
    const float *xy = place_of(g, picture);
    int column = (int)(xy[0] / g->wide), row = (int)(xy[1] / g->high);
    for (int y = row > 0 ? row - 1 : 0; y <= row + 1 && y < g->rows; y++)
        for (int x = column > 0 ? column - 1 : 0; x <= column + 1 && x < g->columns; x++) {
            int held = g->held[y * g->columns + x];
            const float *other = held > 0 ? place_of(g, held - 1) : NULL;
            if (other != NULL && fabsf(other[0] - xy[0]) < g->wide && fabsf(other[1] - xy[1]) < g->high)
                return false;
        }
    return true;
}

/* Those of coarser levels stand; others follow in their order, typical ones first, where they cover none. */
static protea_status fill_level(const protea_cluster_view *v, int *level, int l)
{
    grid g = { .view = v, .wide = apart_x / (float)(1 << l), .high = apart_y / (float)(1 << l) };
    g.columns = (int)(1 / g.wide) + 1;
    g.rows = (int)(1 / g.high) + 1;
    PROTEA_TRY(protea_new(&g.held, (size_t)g.columns, (size_t)g.rows * sizeof *g.held, "a map"));
    for (int i = 0; i < v->n_pictures; i++)
        if (level[i] < l)
            hold(&g, i);
    for (int i = 0; i < v->n_pictures; i++)
        if (level[i] > l && is_free(&g, i)) {
            hold(&g, i);
            level[i] = l;
        }
    protea_free(g.held);
    return PROTEA_OK;
}

static protea_status find_levels(const protea_cluster_view *v, int *level)
{
    for (int i = 0; i < v->n_pictures; i++)
        level[i] = LEVELS;
    for (int l = 0; l < LEVELS; l++)
        PROTEA_TRY(fill_level(v, level, l));
    return PROTEA_OK;
}

static void write_pin(FILE *out, const protea_cluster_view *v, int picture, int level)
{
    int64_t row = v->picture[picture], j = v->page->c->cluster[row];
    fprintf(out, "<a class=\"pin t%d l%d\"%s", picture, level, level <= 1 ? "" : " tabindex=\"-1\"");
    if (protea_cluster_has_page(v, j))
        fprintf(out, " href=\"#cluster-%lld\"", (long long)j);
    fprintf(out, " style=\"--h:%.0f;--x:%.2f;--y:%.2f\" aria-label=\"", protea_cluster_hue(j), (double)v->xy[2 * row] * 100,
            (double)v->xy[2 * row + 1] * 100);
    protea_html_tail(out, protea_source_name(v->page->source, v->page->image[row]), 44);
    fputs(" · ", out);
    protea_html_tail(out, v->page->names->name[j], 60);
    fputs("\"></a>\n", out);
}

static protea_status write_pins(FILE *out, const protea_cluster_view *v)
{
    int *level;
    PROTEA_TRY(protea_new(&level, (size_t)v->n_pictures, sizeof *level, "a map"));
    protea_status status = find_levels(v, level);
    for (int i = 0; status == PROTEA_OK && i < v->n_pictures; i++)
        write_pin(out, v, i, level[i]);
    protea_free(level);
    return status;
}

static void write_intro(FILE *out, const protea_cluster_view *v)
{
    fputs("<section id=\"map\">\n<h2>Map</h2>\n<p>All images, placed by ", out);
    protea_html_text(out, v->page->map_rule);
    fputs(". Each point is an image, its colour the cluster, to which it leads.", out);
    if (v->n_pictures < v->page->c->n)
        fprintf(out, " %d of %lld images have a picture here.", v->n_pictures, (long long)v->page->c->n);
    fputs("</p>\n", out);
}

protea_status protea_cluster_part_map(FILE *out, const protea_cluster_view *v)
{
    int64_t drawn;
    if (v->xy == NULL)
        return PROTEA_OK;
    write_intro(out, v);
    fputs("<input type=\"radio\" name=\"map\" id=\"with-pictures\" checked><label for=\"with-pictures\">Pictures</label>"
          "<input type=\"radio\" name=\"map\" id=\"points-only\"><label for=\"points-only\">Points</label>\n"
          "<div class=\"map\" data-level=\"0\">\n<div class=\"field\">\n", out);
    PROTEA_TRY(protea_cluster_points(out, v, &drawn));
    PROTEA_TRY(write_pins(out, v));
    fputs("</div>\n</div>\n", out);
    if (drawn < v->page->c->n / 100 * 99)
        fprintf(out, "<p class=\"hint\">Images that fall on the same spot share a point, and at most %d points are drawn: here "
                "%lld.</p>\n", PROTEA_VIEW_POINTS, (long long)drawn);
    fputs("</section>\n", out);
    return PROTEA_OK;
}
