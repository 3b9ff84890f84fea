/* The tree of clusters as a picture of flows: a column for each K, a bar for each cluster as high as it is large, and from each a
 * ribbon to the coarser cluster that most of it comes out of, as thick as what they share. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "report/cluster_parts.h"
#include "report/html.h"

enum { WIDTH = 1000, LABEL = 150, BAR = 10, TOP = 26, GAP = 9, ROW = 23, LEAST = 340, MOST_NODES = 120 };

/* A cluster where it stands. */
typedef struct place {
    int64_t cluster, size;
    double above;      /* y of its parent, by which it is sorted */
    double y, height;
    double taken;      /* of its right side, by ribbons */
    double hue;        /* of the coarsest cluster that it comes out of */
} place;

typedef struct flow {
    const protea_cluster_page *page;
    int n_levels;
    place *place[PROTEA_TREE_LEVELS];    /* (n[level]) from top to bottom; owned */
    place **of[PROTEA_TREE_LEVELS];      /* (k) of each cluster, NULL: left out; owned */
    int64_t n[PROTEA_TREE_LEVELS];
    double scale, height;                /* of an image; of the picture */
    bool cut;                            /* some clusters are left out */
} flow;

static void release(flow *f)
{
    for (int l = 0; l < f->n_levels; l++) {
        protea_free(f->place[l]);
        protea_free(f->of[l]);
    }
}

static int larger_first(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

static int by_parent(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->above != y->above ? (x->above > y->above) - (x->above < y->above) : larger_first(a, b);
}

/* The largest clusters of a level. */
static protea_status gather(flow *f, int l)
{
    const protea_tree_level *level = &f->page->tree->level[l];
    PROTEA_TRY(protea_new(&f->place[l], (size_t)level->k, sizeof *f->place[l], "a tree of clusters"));
    PROTEA_TRY(protea_new(&f->of[l], (size_t)level->k, sizeof *f->of[l], "a tree of clusters"));
    for (int64_t j = 0; j < level->k; j++)
        if (level->node[j].size > 0)
            f->place[l][f->n[l]++] = (place){ .cluster = j, .size = level->node[j].size };
    qsort(f->place[l], (size_t)f->n[l], sizeof *f->place[l], larger_first);
    f->cut = f->cut || f->n[l] > MOST_NODES;
    f->n[l] = f->n[l] < MOST_NODES ? f->n[l] : MOST_NODES;
    return PROTEA_OK;
}

static place *parent_of(const flow *f, int l, const place *p)
{
    int32_t parent = f->page->tree->level[l].node[p->cluster].parent;
    return l > 0 && parent >= 0 ? f->of[l - 1][parent] : NULL;
}

/* Children stand in the order of their parents, so that ribbons cross as little as a tree allows. */
static void stack(flow *f, int l)
{
    double y = TOP;
    for (int64_t i = 0; i < f->n[l]; i++) {
        place *p = &f->place[l][i];
        const place *parent = parent_of(f, l, p);
        p->above = parent != NULL ? parent->y : l > 0 ? f->height : 0;
        p->hue = parent != NULL ? parent->hue : protea_cluster_hue(p->cluster);
    }
    qsort(f->place[l], (size_t)f->n[l], sizeof *f->place[l], by_parent);
    for (int64_t i = 0; i < f->n[l]; i++) {
        place *p = &f->place[l][i];
        p->y = y;
        p->height = fmax(1.5, (double)p->size * f->scale);
        y += p->height + GAP;
        f->of[l][p->cluster] = p;
    }
}

static protea_status lay_out(flow *f)
{
    int64_t most = 1;
    for (int l = 0; l < f->n_levels; l++) {
        PROTEA_TRY(gather(f, l));
        most = f->n[l] > most ? f->n[l] : most;
    }
    double bars = fmax(LEAST, (double)(most * ROW)) - (double)((most - 1) * GAP);
    f->scale = bars / (double)f->page->c->n;
    f->height = TOP + bars + (double)(most * GAP) + 4;
    for (int l = 0; l < f->n_levels; l++)
        stack(f, l);
    return PROTEA_OK;
}

/* ---- the picture */

static double x_of(const flow *f, int l)
{
    return l * (double)(WIDTH - LABEL - BAR) / (f->n_levels - 1);
}

static void write_ribbon(FILE *out, const flow *f, int l, const place *p)
{
    place *parent = parent_of(f, l, p);
    if (parent == NULL)
        return;
    double thick = p->height * f->page->tree->level[l].node[p->cluster].share;
    double x0 = x_of(f, l - 1) + BAR, x1 = x_of(f, l), middle = (x0 + x1) / 2, y0 = parent->y + parent->taken;
    parent->taken += thick;
    fprintf(out, "<path class=\"ribbon\" style=\"--h:%.0f\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fv%.1f", p->hue, x0, y0,
            middle, y0, middle, p->y, x1, p->y, thick);
    fprintf(out, "C%.1f %.1f %.1f %.1f %.1f %.1fz\"/>\n", middle, p->y + thick, middle, y0 + thick, x0, y0 + thick);
}

static void write_link(FILE *out, const flow *f, int l, const place *p)
{
    fputs("<a href=\"", out);
    if (l != f->page->level)
        fprintf(out, "%s%s/report.html", f->page->level < 0 ? "" : "../", f->page->levels[l].folder);
    fprintf(out, "#cluster-%lld\">", (long long)p->cluster);
}

static void write_bar(FILE *out, const flow *f, int l, const place *p)
{
    const char *name = f->page->levels[l].names->name[p->cluster];
    double share = f->page->tree->level[l].node[p->cluster].share;
    write_link(out, f, l, p);
    fputs("<title>", out);
    protea_html_tail(out, name, 120);
    fprintf(out, ": %lld images", (long long)p->size);
    if (l > 0)
        fprintf(out, ", %.0f %% of them in the cluster to the left", 100 * share);
    fprintf(out, "</title><rect style=\"--h:%.0f\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" rx=\"2\"/>", p->hue,
            x_of(f, l), p->y, BAR, p->height);
    if (p->height + GAP >= 12) {
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", x_of(f, l) + BAR + 6, p->y + p->height / 2 + 4);
        protea_html_tail(out, name, 26);
        fprintf(out, "<tspan class=\"size\" dx=\"6\">%lld</tspan></text>", (long long)p->size);
    }
    fputs("</a>\n", out);
}

static void write_picture(FILE *out, const flow *f)
{
    fprintf(out, "<div class=\"scroll\"><svg class=\"flow\" viewBox=\"-4 0 %d %.0f\" role=\"img\" "
            "aria-label=\"tree of clusters\">\n", WIDTH + 4, f->height);
    for (int l = 1; l < f->n_levels; l++)
        for (int64_t i = 0; i < f->n[l]; i++)
            write_ribbon(out, f, l, &f->place[l][i]);
    for (int l = 0; l < f->n_levels; l++) {
        fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"13\">K = %lld%s</text>\n", x_of(f, l),
                (long long)f->page->tree->level[l].k, l == f->page->level ? ", this page" : "");
        for (int64_t i = 0; i < f->n[l]; i++)
            write_bar(out, f, l, &f->place[l][i]);
    }
    fputs("</svg></div>\n", out);
}

static void write_section(FILE *out, const flow *f)
{
    fputs("<section id=\"tree\">\n<h2>Tree</h2>\n<p>The same images in more and more clusters, from left to right. A ribbon leads "
          "from the cluster that holds most of a finer one, as thick as what they share; bars lead to the clusters, those of another "
          "K on its own page.", out);
    if (f->cut)
        fprintf(out, " Of each K the %d largest are shown.", MOST_NODES);
    fputs("</p>\n", out);
    write_picture(out, f);
    fputs("</section>\n", out);
}

protea_status protea_cluster_part_tree(FILE *out, const protea_cluster_page *page)
{
    if (page->tree == NULL || page->tree->n_levels < 2)
        return PROTEA_OK;
    flow f = { .page = page, .n_levels = page->tree->n_levels };
    protea_status status = lay_out(&f);
    if (status == PROTEA_OK)
        write_section(out, &f);
    release(&f);
    return status;
}
