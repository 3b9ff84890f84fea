/* What stands below the pictures is written to memory first, so that these can have what is left of the budget. */
#include "report/cluster_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "report/cluster_parts.h"
#include "report/cluster_script.h"
#include "report/html.h"
#include "report/page.h"
#include "report/plot.h"
#include "report/style.h"
#include "report/thumbs.h"

enum { MARGIN = 2000 }; /* bytes kept back for what is not counted: tags and the footer */

/* ---- head */

static void write_title(FILE *out, const protea_cluster_page *page)
{
    char kind[48] = "clusters";
    if (page->tree != NULL)
        snprintf(kind, sizeof kind, "clusters · K = %lld", (long long)page->c->k);
    protea_page_title(out, page->output, kind);
}

static void write_lede(FILE *out, const protea_cluster_page *page)
{
    fprintf(out, "<p class=\"lede\">%lld images of ", (long long)page->c->n);
    protea_html_tail(out, page->data, 120);
    fprintf(out, " in %lld clusters, by %s of ", (long long)page->c->used, page->rule);
    protea_html_tail(out, page->model, 120);
    fputs(".</p>\n", out);
    if (page->options != NULL)
        protea_page_command(out, page->options, page->output);
    fputs("<pre class=\"command\">protea assign ", out);
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

static void write_contents(FILE *out, const protea_cluster_page *page)
{
    const struct { const char *id, *title; bool there; } parts[] = {
        { "choice", "How many?", page->n_tried > 0 },
        { "map", "Map", page->xy != NULL },
        { "sizes", "Sizes", true },
        { "clusters", "Clusters", true },
        { "tree", "Tree", page->tree != NULL },
        { "outliers", "Outliers", page->n_outliers > 0 },
        { "pairs", "Near-duplicates", page->n_pairs > 0 },
        { "training", "Training", page->run != NULL },
        { "health", "Health", page->run != NULL },
        { "settings", "Settings", page->record != NULL },
        { "skipped", "Left out", page->record != NULL && page->record->n_skipped > 0 },
    };
    fputs("<nav class=\"contents\">", out);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].there)
            fprintf(out, "<a href=\"#%s\">%s</a>", parts[i].id, parts[i].title);
    if (page->tree != NULL)
        fputs("<a href=\"../report.html\">All K</a>", out);
    fputs("</nav>\n", out);
}

/* ---- sections that stand in no file of their own */

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

static void write_health(FILE *out, const protea_findings *f)
{
    fputs("<section id=\"health\">\n<h2>Health</h2>\n", out);
    if (f->n == 0)
        fputs("<p>Nothing is wrong with the model's run that its log would show.</p>\n", out);
    for (int i = 0; i < f->n; i++) {
        fputs("<div class=\"finding\"><b>", out);
        protea_html_text(out, f->item[i].what);
        fputs("</b><p>", out);
        protea_html_text(out, f->item[i].why);
        fputs(".</p><p>Try: ", out);
        protea_html_text(out, f->item[i].remedy);
        fputs(".</p></div>\n", out);
    }
    fputs("</section>\n", out);
}

static void write_run(FILE *out, const protea_cluster_page *page)
{
    if (page->run != NULL)
        protea_page_curves(out, page->run);
    if (page->run != NULL && page->findings != NULL)
        write_health(out, page->findings);
    if (page->record != NULL) {
        protea_page_settings(out, page->record);
        protea_page_skipped(out, page->record);
    }
}

/* ---- the page */

/* Pages come first: the one that is the target hides what follows it. */
static protea_status write_body(FILE *out, const protea_cluster_view *v)
{
    const protea_cluster_page *page = v->page;
    fputs("<main>\n", out);
    protea_cluster_part_pages(out, v);
    fputs("<div class=\"overview\">\n<header>\n", out);
    write_title(out, page);
    write_lede(out, page);
    write_figures(out, page);
    write_contents(out, page);
    fputs("</header>\n", out);
    write_choice(out, page);
    PROTEA_TRY(protea_cluster_part_map(out, v));
    protea_cluster_part_index(out, v);
    PROTEA_TRY(protea_cluster_part_tree(out, page));
    protea_cluster_part_checks(out, v);
    write_run(out, page);
    fputs("</div>\n", out);
    return PROTEA_OK;
}

static protea_status write_to_memory(char **body, size_t *len, const protea_cluster_view *v)
{
    FILE *out = open_memstream(body, len);
    if (out == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "a page of clusters: no memory");
    protea_status status = write_body(out, v);
    bool given = fclose(out) == 0 && *body != NULL; /* glibc closes well where it could not give the text */
    if (!given && status == PROTEA_OK)
        status = protea_fail(PROTEA_ERR_MEMORY, "a page of clusters: no memory");
    return status;
}

/* Of all images with a picture, in what the rest of the page leaves of the budget. */
static protea_status write_pictures(FILE *out, const protea_cluster_view *v, size_t body_len)
{
    size_t used = (size_t)ftell(out) + body_len + strlen(protea_cluster_script) + MARGIN;
    int64_t *image;
    PROTEA_TRY(protea_new(&image, (size_t)v->n_pictures, sizeof *image, "pictures of a page"));
    for (int i = 0; i < v->n_pictures; i++)
        image[i] = v->page->image[v->picture[i]];
    protea_status status = protea_thumbs_write(out, v->page->source, image, v->n_pictures,
                                               used < PROTEA_PAGE_BYTES ? PROTEA_PAGE_BYTES - used : 0);
    protea_free(image);
    return status;
}

static protea_status put_together(FILE *out, const protea_cluster_view *v, const char *body, size_t len)
{
    protea_page_begin(out, v->page->output, protea_cluster_style);
    fputs("<style>\n", out);
    PROTEA_TRY(write_pictures(out, v, len));
    fputs("</style>\n</head>\n<body>\n", out);
    fwrite(body, 1, len, out);
    fprintf(out, "<script>\n%s</script>\n", protea_cluster_script);
    protea_page_close(out);
    return PROTEA_OK;
}

static protea_status write_page(FILE *out, const protea_cluster_view *v)
{
    char *body = NULL;
    size_t len = 0;
    protea_status status = write_to_memory(&body, &len, v);
    if (status == PROTEA_OK)
        status = put_together(out, v, body, len);
    free(body);
    return status;
}

static protea_status write_file(const char *path, const protea_cluster_view *v)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    return protea_new_file_end(&f, write_page(f.stream, v));
}

protea_status protea_cluster_page_write(const char *path, const protea_cluster_page *page)
{
    protea_cluster_view view;
    protea_status status = protea_cluster_view_new(&view, page);
    if (status == PROTEA_OK)
        status = write_file(path, &view);
    protea_cluster_view_release(&view);
    return status;
}
