/* The map: a stroke of no length with round ends is a point, so all points of a cluster are one path of a few bytes each. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "eval/principal_axes.h"
#include "report/cluster_parts.h"
#include "report/html.h"

enum { WIDTH = 1000, HEIGHT = 620, MARGIN = 30, COLUMNS = 14, ROWS = 9, CELLS = COLUMNS * ROWS, SIDE = 96, MOST_POINTS = 100000 };

typedef struct map {
    const protea_cluster_page *page;
    float *xy;              /* (n,2): pixels; owned */
    double share[2];
    int64_t cell[CELLS];    /* row whose picture stands there, -1: none */
} map;

static void scale_axis(float *xy, int64_t n, int which, int pixels)
{
    float low = xy[which], high = xy[which];
    for (int64_t i = 1; i < n; i++) {
        low = fminf(low, xy[2 * i + which]);
        high = fmaxf(high, xy[2 * i + which]);
    }
    float scale = high > low ? (float)(pixels - 2 * MARGIN) / (high - low) : 0;
    for (int64_t i = 0; i < n; i++)
        xy[2 * i + which] = MARGIN + (xy[2 * i + which] - low) * scale;
}

static float from_centre(const map *m, int64_t i, int column, int row)
{
    float dx = m->xy[2 * i] - ((float)column + 0.5F) * WIDTH / COLUMNS, dy = m->xy[2 * i + 1] - ((float)row + 0.5F) * HEIGHT / ROWS;
    return dx * dx + dy * dy;
}

/* In each cell the image nearest to its middle. */
static void choose_pictures(map *m)
{
    for (int cell = 0; cell < CELLS; cell++)
        m->cell[cell] = -1;
    for (int64_t i = 0; i < m->page->c->n; i++) {
        int column = (int)(m->xy[2 * i] * COLUMNS / WIDTH), row = (int)(m->xy[2 * i + 1] * ROWS / HEIGHT);
        int64_t *best = &m->cell[row * COLUMNS + column];
        if (*best < 0 || from_centre(m, i, column, row) < from_centre(m, *best, column, row))
            *best = i;
    }
}

static void write_points(FILE *out, const map *m)
{
    const protea_clustering *c = m->page->c;
    int64_t every = (c->n + MOST_POINTS - 1) / MOST_POINTS;
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"map of %lld images\">\n", WIDTH, HEIGHT, (long long)c->n);
    for (int64_t j = 0; j < c->k; j++) {
        if (c->size[j] == 0)
            continue;
        fprintf(out, "<path style=\"--h:%.0f\" d=\"", protea_cluster_hue(j));
        for (int64_t i = 0; i < c->n; i += every)
            if (c->cluster[i] == j)
                fprintf(out, "M%.0f %.0fh0", (double)m->xy[2 * i], (double)m->xy[2 * i + 1]);
        fputs("\"/>\n", out);
    }
    fputs("</svg>\n", out);
}

static protea_status write_pictures(FILE *out, const map *m, protea_image *image)
{
    for (int cell = 0; cell < CELLS; cell++) {
        int64_t i = m->cell[cell];
        char note[320];
        if (i < 0)
            continue;
        int32_t cluster = m->page->c->cluster[i];
        snprintf(note, sizeof note, " · %s", m->page->names->name[cluster]);
        fprintf(out, "<a href=\"#c%d\" style=\"left:%.2f%%;top:%.2f%%;--h:%.0f\">", (int)cluster,
                (double)m->xy[2 * i] * 100 / WIDTH, (double)m->xy[2 * i + 1] * 100 / HEIGHT, protea_cluster_hue(cluster));
        PROTEA_TRY(protea_cluster_picture(out, m->page, i, note, SIDE, image));
        fputs("</a>\n", out);
    }
    return PROTEA_OK;
}

static void write_rule(FILE *out, const map *m)
{
    if (m->page->xy != NULL)
        protea_html_text(out, m->page->map_rule);
    else
        fprintf(out, "All images on the plane in which their features differ the most: the first two principal axes hold %.0f %% "
                "and %.0f %% of the variance.", 100 * m->share[0], 100 * m->share[1]);
}

static protea_status write_section(FILE *out, const map *m)
{
    protea_image image = { 0 };
    fputs("<section id=\"map\">\n<h2>Map</h2>\n<p>", out);
    write_rule(out, m);
    fputs(" Colours are clusters; a picture is the image nearest to the middle of its field, and leads to its cluster.</p>\n"
          "<div class=\"map\">\n", out);
    write_points(out, m);
    protea_status status = write_pictures(out, m, &image);
    fputs("</div>\n</section>\n", out);
    protea_image_release(&image);
    return status;
}

protea_status protea_cluster_part_map(FILE *out, const protea_cluster_page *page)
{
    const protea_clustering *c = page->c;
    map m = { .page = page };
    PROTEA_TRY(protea_new(&m.xy, (size_t)c->n, 2 * sizeof *m.xy, "a map"));
    protea_status status = PROTEA_OK;
    if (page->xy != NULL)
        memcpy(m.xy, page->xy, (size_t)c->n * 2 * sizeof *m.xy);
    else
        status = protea_principal_axes(m.xy, m.share, c->z, c->n, c->dim);
    if (status == PROTEA_OK) {
        scale_axis(m.xy, c->n, 0, WIDTH);
        scale_axis(m.xy, c->n, 1, HEIGHT);
        choose_pictures(&m);
        status = write_section(out, &m);
    }
    protea_free(m.xy);
    return status;
}
