/* Sizes, and a card of each cluster. */
#include "report/cluster_parts.h"
#include "report/html.h"

enum { CARDS = 60, ON_A_CARD = 5, MOST_LABELS = 20 }; /* the rest are bars, folded away; columns that have their number on top */

double protea_cluster_hue(int64_t cluster)
{
    return (double)((30000 + cluster * 137508) % 360000) / 1000; /* the golden angle: neighbours in number differ in colour */
}

void protea_cluster_picture(FILE *out, const protea_cluster_view *v, int64_t row, const char *note)
{
    int picture = v->picture_of[row];
    if (picture >= 0)
        fprintf(out, "<i class=\"ph t%d\" role=\"img\" title=\"", picture);
    else
        fputs("<i class=\"ph\" role=\"img\" title=\"", out);
    protea_html_tail(out, protea_source_name(v->page->source, v->page->image[row]), 80);
    protea_html_text(out, note);
    fputs("\"></i>", out);
}

void protea_cluster_card(FILE *out, const protea_cluster_view *v, int64_t place, const char *note)
{
    const protea_cluster_faces *f = &v->face[place];
    int64_t j = v->order[place];
    fprintf(out, "<a class=\"card\" href=\"#cluster-%lld\" style=\"--h:%.0f\"><span class=\"mosaic\">", (long long)j,
            protea_cluster_hue(j));
    for (int i = 0; i < ON_A_CARD && i < f->typical; i++)
        if (v->picture_of[f->row[i]] >= 0)
            fprintf(out, "<i class=\"ph t%d\"></i>", v->picture_of[f->row[i]]);
    fputs("</span><b>", out);
    protea_html_tail(out, v->page->names->name[j], 80);
    fprintf(out, "</b><small>%s</small></a>\n", note);
}

/* ---- sizes */

static void write_columns(FILE *out, const protea_cluster_view *v)
{
    const protea_cluster_page *page = v->page;
    int64_t largest = page->c->size[v->order[0]];
    fprintf(out, "<div class=\"columns%s\">\n", v->n_pages > 150 ? " dense" : "");
    for (int64_t i = 0; i < v->n_pages; i++) {
        int64_t j = v->order[i];
        fprintf(out, "<a href=\"#cluster-%lld\"%s style=\"--h:%.0f;--w:%.2f%%\" title=\"", (long long)j,
                v->n_pages > 30 ? " tabindex=\"-1\"" : "", protea_cluster_hue(j),
                100 * (double)page->c->size[j] / (double)largest);
        protea_html_tail(out, page->names->name[j], 120);
        fprintf(out, ": %lld\">", (long long)page->c->size[j]);
        if (v->n_pages <= MOST_LABELS)
            fprintf(out, "<b>%lld</b>", (long long)page->c->size[j]);
        fputs("</a>\n", out);
    }
    fputs("</div>\n", out);
}

static void write_sizes(FILE *out, const protea_cluster_view *v)
{
    const protea_clustering *c = v->page->c;
    int64_t first = c->size[v->order[0]], middle = c->size[v->order[c->used / 2]], last = c->size[v->order[c->used - 1]];
    fprintf(out, "<section id=\"sizes\">\n<h2>Sizes</h2>\n<p>The largest cluster holds %lld images (%.1f %%), the median one %lld, "
            "the smallest %lld.</p>\n", (long long)first, 100 * (double)first / (double)c->n, (long long)middle, (long long)last);
    write_columns(out, v);
    fputs("</section>\n", out);
}

/* ---- cards */

static void write_card(FILE *out, const protea_cluster_view *v, int64_t place)
{
    int64_t size = v->page->c->size[v->order[place]];
    char note[96];
    snprintf(note, sizeof note, "%lld image%s · confidence %.2f", (long long)size, size == 1 ? "" : "s",
             v->face[place].confidence);
    protea_cluster_card(out, v, place, note);
}

static void write_bar(FILE *out, const protea_cluster_view *v, int64_t place)
{
    int64_t j = v->order[place];
    fprintf(out, "<a class=\"bar\" href=\"#cluster-%lld\" style=\"--h:%.0f;--w:%.2f%%\"><span>", (long long)j,
            protea_cluster_hue(j), 100 * (double)v->page->c->size[j] / (double)v->page->c->size[v->order[CARDS]]);
    protea_html_tail(out, v->page->names->name[j], 120);
    fprintf(out, "</span><b>%lld</b></a>\n", (long long)v->page->c->size[j]);
}

static void write_cards(FILE *out, const protea_cluster_view *v)
{
    fputs("<section id=\"clusters\">\n<h2>Clusters</h2>\n<p>The largest first, each with its most typical images; it leads to "
          "the cluster's own page. Confidence is the mean probability of the cluster over its images.</p>\n"
          "<div class=\"cards\">\n", out);
    for (int64_t i = 0; i < v->n_pages && i < CARDS; i++)
        write_card(out, v, i);
    fputs("</div>\n", out);
    if (v->n_pages > CARDS)
        fprintf(out, "<details><summary>%lld smaller clusters</summary>\n<div class=\"bars\">\n", (long long)(v->n_pages - CARDS));
    for (int64_t i = CARDS; i < v->n_pages; i++)
        write_bar(out, v, i);
    if (v->n_pages > CARDS)
        fputs("</div>\n</details>\n", out);
    if (v->n_pages < v->page->c->used)
        fprintf(out, "<p>%lld smaller ones stand in assignments.csv alone.</p>\n", (long long)(v->page->c->used - v->n_pages));
    fputs("</section>\n", out);
}

void protea_cluster_part_index(FILE *out, const protea_cluster_view *v)
{
    write_sizes(out, v);
    write_cards(out, v);
}
