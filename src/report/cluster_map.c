/* The map: points below, and on them a pin for each image with a picture, which shows it under the pointer. Some pins, spread over
 * the map, always do; zooming in, more and more of them: a pin's level says from which doubling on. */
#include "base/alloc.h"
#include "report/cluster_parts.h"
#include "report/cluster_pick.h"
#include "report/html.h"

/* A level of each picture: the first at which it stands nearest to the middle of a cell that holds none of a coarser level. */
static protea_status find_levels(const protea_cluster_view *v, int *level)
{
    for (int i = 0; i < v->n_pictures; i++)
        level[i] = PROTEA_MAP_LEVELS;
    for (int l = 0; l < PROTEA_MAP_LEVELS; l++) {
        int64_t cells = (int64_t)(PROTEA_MAP_COLUMNS * PROTEA_MAP_ROWS) << 2 * l;
        int *best; /* 0: none; else 1 + number of the picture */
        PROTEA_TRY(protea_new(&best, (size_t)cells, sizeof *best, "a map"));
        for (int i = 0; i < v->n_pictures; i++) {
            int *own = &best[protea_map_cell(v, v->picture[i], l)];
            bool taken = *own > 0 && level[*own - 1] < l, senior = level[i] < l;
            if (*own == 0 || (!taken && (senior || protea_map_from_centre(v, v->picture[i], l) <
                                                   protea_map_from_centre(v, v->picture[*own - 1], l))))
                *own = i + 1;
        }
        for (int64_t cell = 0; cell < cells; cell++)
            if (best[cell] > 0 && level[best[cell] - 1] > l)
                level[best[cell] - 1] = l;
        protea_free(best);
    }
    return PROTEA_OK;
}

static void write_pin(FILE *out, const protea_cluster_view *v, int picture, int level)
{
    int64_t row = v->picture[picture], j = v->page->c->cluster[row];
    fprintf(out, "<a class=\"pin t%d l%d\"%s", picture, level, level == 0 ? "" : " tabindex=\"-1\"");
    if (protea_cluster_has_page(v, j))
        fprintf(out, " href=\"#cluster-%lld\"", (long long)j);
    fprintf(out, " style=\"--h:%.0f;--x:%.2f;--y:%.2f\" aria-label=\"", protea_cluster_hue(j), (double)v->xy[2 * row] * 100,
            (double)v->xy[2 * row + 1] * 100);
    protea_html_tail(out, protea_source_name(v->page->source, v->page->image[row]), 60);
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

static void write_rule(FILE *out, const protea_cluster_view *v)
{
    if (v->page->xy != NULL)
        protea_html_text(out, v->page->map_rule);
    else
        fprintf(out, "All images on the plane in which their features differ the most: the first two principal axes hold %.0f %% "
                "and %.0f %% of the variance.", 100 * v->share[0], 100 * v->share[1]);
}

static void write_intro(FILE *out, const protea_cluster_view *v)
{
    fputs("<section id=\"map\">\n<h2>Map</h2>\n<p>", out);
    write_rule(out, v);
    fputs(" Each point is an image, its colour the cluster, to which it leads.", out);
    if (v->n_pictures < v->page->c->n)
        fprintf(out, " %d of %lld images have a picture here.", v->n_pictures, (long long)v->page->c->n);
    fputs("</p>\n", out);
}

protea_status protea_cluster_part_map(FILE *out, const protea_cluster_view *v)
{
    int64_t drawn;
    write_intro(out, v);
    fputs("<input type=\"radio\" name=\"map\" id=\"with-pictures\" checked><label for=\"with-pictures\">Pictures</label>"
          "<input type=\"radio\" name=\"map\" id=\"points-only\"><label for=\"points-only\">Points</label>\n"
          "<div class=\"map\" data-level=\"0\">\n<div class=\"field\">\n", out);
    PROTEA_TRY(protea_cluster_points(out, v, &drawn));
    PROTEA_TRY(write_pins(out, v));
    fputs("</div>\n</div>\n", out);
    if (drawn < v->page->c->n)
        fprintf(out, "<p class=\"hint\">Images that fall on the same spot share a point: %lld points.</p>\n", (long long)drawn);
    fputs("</section>\n", out);
    return PROTEA_OK;
}
