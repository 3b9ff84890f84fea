/* The page of several K: their tree, and the way to the page of each. */
#include "base/file.h"
#include "report/cluster_page.h"
#include "report/cluster_parts.h"
#include "report/html.h"
#include "report/page.h"
#include "report/style.h"

static void write_head(FILE *out, const protea_cluster_page *page)
{
    int n = page->tree->n_levels;
    fputs("<main>\n<header>\n", out);
    protea_page_title(out, page->output, "clusters");
    fprintf(out, "<p class=\"lede\">%lld images of ", (long long)page->c->n);
    protea_html_tail(out, page->data, 120);
    fputs(" in ", out);
    for (int l = 0; l < n; l++)
        fprintf(out, "%s%lld", l == 0 ? "" : l + 1 < n ? ", " : " and ", (long long)page->tree->level[l].k);
    fprintf(out, " clusters, by %s of ", page->rule);
    protea_html_tail(out, page->model, 120);
    fputs(".</p>\n", out);
    protea_page_command(out, page->options, page->output);
    fputs("</header>\n", out);
}

static void write_row(FILE *out, const protea_tree_level *level, const char *folder)
{
    int64_t used = 0, largest = 0;
    for (int64_t j = 0; j < level->k; j++) {
        used += level->node[j].size > 0;
        largest = level->node[j].size > largest ? level->node[j].size : largest;
    }
    fprintf(out, "<tr><th scope=\"row\"><a href=\"%s/report.html\">K = %lld</a></th><td>%lld</td><td>%lld</td><td class=\"path\">"
            "%s/report.html</td></tr>\n", folder, (long long)level->k, (long long)used, (long long)largest, folder);
}

static void write_pages(FILE *out, const protea_cluster_page *page)
{
    fputs("<section id=\"pages\">\n<h2>Pages</h2>\n<p>Each K has a page of its own, with map, clusters and outliers, in a folder "
          "beside this one.</p>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Page</th><th scope=\"col\">Clusters "
          "with images</th><th scope=\"col\">Largest</th><th scope=\"col\">File</th></tr></thead>\n<tbody>\n", out);
    for (int l = 0; l < page->tree->n_levels; l++)
        write_row(out, &page->tree->level[l], page->levels[l].folder);
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}

static protea_status write_page(FILE *out, const protea_cluster_page *page)
{
    protea_page_begin(out, page->output, protea_cluster_style);
    fputs("</head>\n<body>\n", out);
    write_head(out, page);
    PROTEA_TRY(protea_cluster_part_tree(out, page));
    write_pages(out, page);
    protea_page_settings(out, page->record);
    protea_page_skipped(out, page->record);
    protea_page_close(out);
    return PROTEA_OK;
}

protea_status protea_cluster_family_write(const char *path, const protea_cluster_page *page)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    return protea_new_file_end(&f, write_page(f.stream, page));
}
