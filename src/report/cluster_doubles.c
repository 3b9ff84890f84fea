/* Pairs of images, and images far from all clusters. */
#include "report/cluster_parts.h"
#include "report/html.h"

static void write_pair(FILE *out, const protea_cluster_view *v, const protea_near_pair *pair)
{
    fputs("<figure class=\"pair\"><div>", out);
    protea_cluster_picture(out, v, pair->a, "");
    protea_cluster_picture(out, v, pair->b, "");
    fprintf(out, "</div><figcaption>cosine %.4f</figcaption></figure>\n", (double)pair->similarity);
}

static void write_pairs(FILE *out, const protea_cluster_view *v)
{
    const protea_cluster_page *page = v->page;
    fprintf(out, "<section id=\"pairs\">\n<h2>Near-duplicates</h2>\n<p>%lld pair%s of images whose features have a cosine of %g or "
            "more, the most alike first", (long long)page->n_pairs, page->n_pairs == 1 ? "" : "s", page->pair_similarity);
    if (page->n_pairs > PROTEA_VIEW_PAIRS)
        fprintf(out, "; %d are shown, the rest stand in assignments.csv", PROTEA_VIEW_PAIRS);
    fputs(".</p>\n<div class=\"pairs\">\n", out);
    for (int64_t i = 0; i < page->n_pairs && i < PROTEA_VIEW_PAIRS; i++)
        write_pair(out, v, &page->pair[i]);
    fputs("</div>\n</section>\n", out);
}

static void write_outliers(FILE *out, const protea_cluster_view *v)
{
    const protea_cluster_page *page = v->page;
    fprintf(out, "<section id=\"outliers\">\n<h2>Outliers</h2>\n<p>%lld image%s much farther from the middle of %s cluster than "
            "the others in it; the farthest first.</p>\n<div class=\"wall\">", (long long)page->n_outliers,
            page->n_outliers == 1 ? " is" : "s are", page->n_outliers == 1 ? "its" : "their");
    for (int64_t i = 0; i < v->n_outliers; i++) {
        char note[48];
        snprintf(note, sizeof note, " · similarity %.3f", (double)page->c->similarity[v->outlier[i]]);
        protea_cluster_picture(out, v, v->outlier[i], note);
    }
    fputs("</div>\n</section>\n", out);
}

void protea_cluster_part_checks(FILE *out, const protea_cluster_view *v)
{
    if (v->n_outliers > 0)
        write_outliers(out, v);
    if (v->page->n_pairs > 0)
        write_pairs(out, v);
}
