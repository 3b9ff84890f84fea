#include "report/cluster_page.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "report/cluster_parts.h"
#include "report/html.h"
#include "report/page.h"
#include "report/plot.h"

enum { BARS = 48, MOST_BARS = 1000 }; /* the rest is folded away, up to a number */

/* ---- what the parts share */

double protea_cluster_hue(int64_t cluster)
{
    return (double)((cluster * 137508) % 360000) / 1000; /* the golden angle: neighbours in number differ in colour */
}

typedef struct sized { int64_t size, cluster; } sized;

static int larger_first(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    return x->size != y->size ? (x->size < y->size) - (x->size > y->size) : (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

protea_status protea_cluster_order(int64_t **order, const protea_clustering *c)
{
    sized *s;
    PROTEA_TRY(protea_new(&s, (size_t)c->k, sizeof *s, "clusters by size"));
    for (int64_t j = 0; j < c->k; j++)
        s[j] = (sized){ c->size[j], j };
    qsort(s, (size_t)c->k, sizeof *s, larger_first);
    protea_status status = protea_new(order, (size_t)c->k, sizeof **order, "clusters by size");
    for (int64_t j = 0; status == PROTEA_OK && j < c->k; j++)
        (*order)[j] = s[j].cluster;
    protea_free(s);
    return status;
}

protea_status protea_cluster_picture(FILE *out, const protea_cluster_page *page, int64_t i, const char *note, int side,
                                     protea_image *image)
{
    int64_t at = page->image[i];
    protea_status status = protea_source_read(page->source, at, image);
    if (status == PROTEA_ERR_MEMORY)
        return status;
    fputs("<img alt=\"\" loading=\"lazy\" title=\"", out);
    protea_html_tail(out, protea_source_name(page->source, at), 160);
    protea_html_text(out, note);
    fputs("\" ", out);
    if (status == PROTEA_OK)
        PROTEA_TRY(protea_html_thumbnail(out, image, side));
    fputs(">", out);
    return PROTEA_OK;
}

/* ---- head */

static void write_lede(FILE *out, const protea_cluster_page *page)
{
    fprintf(out, "<p class=\"lede\">%lld images of ", (long long)page->c->n);
    protea_html_tail(out, page->data, 120);
    fprintf(out, " in %lld clusters, by %s of ", (long long)page->c->used, page->rule);
    protea_html_tail(out, page->model, 120);
    fputs(".</p>\n<pre class=\"command\">protea assign ", out);
    protea_page_word(out, page->name);
    fputs(" NEW-IMAGES -o assigned.csv</pre>\n", out);
}

static void write_count(FILE *out, const char *title, int64_t count, const char *help)
{
    fprintf(out, "<div><dt>%s</dt><dd>%lld<small>%s</small></dd></div>\n", title, (long long)count, help);
}

static void write_scores(FILE *out, const protea_cluster_scores *s)
{
    fprintf(out, "<div class=\"main\"><dt>Agreement with the folders</dt><dd>NMI %.3f<small>accuracy by matching %.1f %%, "
            "AMI %.3f, ARI %.3f; labels were not used</small></dd></div>\n", s->nmi, 100 * s->accuracy, s->ami, s->ari);
}

static void write_figures(FILE *out, const protea_cluster_page *page)
{
    const protea_clustering *c = page->c;
    fputs("<dl class=\"figures\">\n", out);
    if (page->scores != NULL)
        write_scores(out, page->scores);
    write_count(out, "Clusters", c->used, "with at least one image");
    write_count(out, "Empty", c->k - c->used, "clusters without an image");
    if (page->merged > 0)
        write_count(out, "Merged", page->merged, "clusters that were doubles of others");
    write_count(out, "Outliers", page->n_outliers, "far from the rest of their cluster");
    if (page->pairs_sought)
        write_count(out, "Near-duplicates", page->n_pairs, "pairs of images");
    fputs("</dl>\n", out);
}

/* ---- sizes and the choice of K */

static void write_bar(FILE *out, const protea_cluster_page *page, int64_t j, int64_t largest)
{
    fprintf(out, "<a class=\"bar\" href=\"#c%lld\" style=\"--h:%.0f;--w:%.2f%%\"><span>", (long long)j, protea_cluster_hue(j),
            100 * (double)page->c->size[j] / (double)largest);
    protea_html_text(out, page->names->name[j]);
    fprintf(out, "</span><b>%lld</b></a>\n", (long long)page->c->size[j]);
}

static protea_status write_sizes(FILE *out, const protea_cluster_page *page)
{
    int64_t *order, used = page->c->used < MOST_BARS ? page->c->used : MOST_BARS;
    PROTEA_TRY(protea_cluster_order(&order, page->c));
    fputs("<section id=\"sizes\">\n<h2>Sizes</h2>\n<div class=\"bars\">\n", out);
    for (int64_t i = 0; i < used; i++) {
        if (i == BARS)
            fprintf(out, "</div>\n<details><summary>%lld smaller clusters</summary>\n<div class=\"bars\">\n",
                    (long long)(used - i));
        write_bar(out, page, order[i], page->c->size[order[0]]);
    }
    fputs(used > BARS ? "</div>\n</details>\n" : "</div>\n", out);
    if (used < page->c->used)
        fprintf(out, "<p>%lld more stand in assignments.csv alone.</p>\n", (long long)(page->c->used - used));
    fputs("</section>\n", out);
    protea_free(order);
    return PROTEA_OK;
}

static void write_choice(FILE *out, const protea_cluster_page *page)
{
    if (page->n_tried == 0)
        return;
    const protea_plot plot = { .label = "silhouette by number of clusters", .line = { page->tried_k, page->tried, page->n_tried },
                               .dots = true, .mark_best = true, .x_label = "clusters" };
    fputs("<section id=\"choice\">\n<h2>How many clusters?</h2>\n<p>Each K was tried; the one with the largest silhouette "
          "(Rousseeuw 1987: how much nearer an image lies to its own cluster than to the next, from &#8722;1 to 1) was taken. Nearly equal "
          "peaks are equally good answers: ask for one of them with <code>--k</code>.</p>\n<div class=\"plots\"><figure "
          "class=\"plot\"><figcaption>Silhouette</figcaption>\n", out);
    protea_plot_write(out, &plot);
    fputs("</figure></div>\n</section>\n", out);
}

/* ---- the page */

static protea_status write_page(FILE *out, const protea_cluster_page *page)
{
    protea_page_open(out, page->name, "clusters");
    write_lede(out, page);
    write_figures(out, page);
    fputs("</header>\n", out);
    write_choice(out, page);
    PROTEA_TRY(write_sizes(out, page));
    PROTEA_TRY(protea_cluster_part_map(out, page));
    PROTEA_TRY(protea_cluster_part_sheets(out, page));
    PROTEA_TRY(protea_cluster_part_pairs(out, page));
    protea_page_close(out);
    return PROTEA_OK;
}

protea_status protea_cluster_page_write(const char *path, const protea_cluster_page *page)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    protea_status status = write_page(f.stream, page);
    if (status == PROTEA_OK)
        return protea_new_file_commit(&f);
    protea_new_file_abort(&f);
    return status;
}
