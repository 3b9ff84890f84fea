/* A page for each cluster. */
#include "report/cluster_parts.h"
#include "report/html.h"

static void write_way(FILE *out, const protea_cluster_view *v, int64_t place, const char *rel)
{
    if (place < 0 || place >= v->n_pages)
        return;
    fprintf(out, "<a rel=\"%s\" href=\"#cluster-%lld\">", rel, (long long)v->order[place]);
    protea_html_tail(out, v->page->names->name[v->order[place]], 40);
    fputs("</a>", out);
}

static void write_head(FILE *out, const protea_cluster_view *v, int64_t place)
{
    const protea_clustering *c = v->page->c;
    int64_t j = v->order[place];
    fprintf(out, "<article class=\"page\" id=\"cluster-%lld\" style=\"--h:%.0f\">\n<nav><a rel=\"up\" href=\"#clusters\">"
            "All clusters</a><span>", (long long)j, protea_cluster_hue(j));
    write_way(out, v, place - 1, "prev");
    write_way(out, v, place + 1, "next");
    fputs("</span></nav>\n<p class=\"over\">Cluster ", out);
    fprintf(out, "%lld of ", (long long)j);
    protea_html_tail(out, v->page->name, 60);
    fputs("</p>\n<h1>", out);
    protea_html_tail(out, v->page->names->name[j], 160);
    fprintf(out, "</h1>\n<p class=\"lede\">%lld image%s, %.1f %% of all: number %lld of %lld by size.</p>\n", (long long)c->size[j],
            c->size[j] == 1 ? "" : "s", 100 * (double)c->size[j] / (double)c->n, (long long)(place + 1), (long long)c->used);
}

static void write_figures(FILE *out, const protea_cluster_faces *f, int64_t size)
{
    fprintf(out, "<dl class=\"figures\">\n<div class=\"main\"><dt>Size</dt><dd>%lld<small>images</small></dd></div>\n"
            "<div><dt>Confidence</dt><dd>%.2f<small>mean probability of the cluster</small></dd></div>\n"
            "<div><dt>Similarity</dt><dd>%.3f<small>mean cosine to its middle</small></dd></div>\n"
            "<div><dt>Margin</dt><dd>%.3f<small>mean lead over the next cluster</small></dd></div>\n"
            "<div><dt>Outliers</dt><dd>%lld<small>far from the rest</small></dd></div>\n</dl>\n", (long long)size, f->confidence,
            f->similarity, f->margin, (long long)f->outliers);
}

static void write_wall(FILE *out, const protea_cluster_view *v, const char *title, const char *hint, const int64_t *row, int n)
{
    const protea_clustering *c = v->page->c;
    if (n == 0)
        return;
    fprintf(out, "<h2>%s</h2>\n<p class=\"hint\">%s</p>\n<div class=\"wall\">", title, hint);
    for (int i = 0; i < n; i++) {
        char note[96];
        snprintf(note, sizeof note, " · similarity %.3f, margin %.3f, confidence %.2f", (double)c->similarity[row[i]],
                 (double)c->margin[row[i]], (double)c->confidence[row[i]]);
        protea_cluster_picture(out, v, row[i], note);
    }
    fputs("</div>\n", out);
}

static void write_near(FILE *out, const protea_cluster_view *v, int64_t place)
{
    const int64_t *near = v->near + place * PROTEA_VIEW_NEAR;
    if (near[0] < 0)
        return;
    fputs("<h2>Nearest clusters</h2>\n<p class=\"hint\">by the cosine of their middles</p>\n<div class=\"cards\">\n", out);
    for (int i = 0; i < PROTEA_VIEW_NEAR && near[i] >= 0; i++) {
        int64_t size = v->page->c->size[v->order[near[i]]];
        char note[96];
        snprintf(note, sizeof note, "%lld image%s · cosine %.3f", (long long)size, size == 1 ? "" : "s",
                 (double)v->near_cosine[place * PROTEA_VIEW_NEAR + i]);
        protea_cluster_card(out, v, near[i], note);
    }
    fputs("</div>\n", out);
}

static void write_page(FILE *out, const protea_cluster_view *v, int64_t place)
{
    const protea_cluster_faces *f = &v->face[place];
    int64_t size = v->page->c->size[v->order[place]], shown = f->typical + f->border + f->far;
    write_head(out, v, place);
    write_figures(out, f, size);
    write_wall(out, v, "Most typical", "nearest to the cluster’s middle", f->row, f->typical);
    write_wall(out, v, "Borderline", "nearly as near to another cluster", f->row + f->typical, f->border);
    write_wall(out, v, "Outliers", "unusually far from the cluster’s middle", f->row + f->typical + f->border, f->far);
    if (shown < size)
        fprintf(out, "<p class=\"hint\">%lld of %lld images are shown; assignments.csv lists all.</p>\n", (long long)shown,
                (long long)size);
    write_near(out, v, place);
    fputs("</article>\n", out);
}

void protea_cluster_part_pages(FILE *out, const protea_cluster_view *v)
{
    for (int64_t place = 0; place < v->n_pages; place++)
        write_page(out, v, place);
}
