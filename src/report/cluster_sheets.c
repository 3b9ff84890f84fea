/* Pictures of clusters and of pairs. */
#include <stdlib.h>

#include "base/alloc.h"
#include "report/cluster_parts.h"
#include "report/html.h"

enum { TYPICAL = 8, BORDERLINE = 4, FAR = 4, SIDE = 112, MOST_SHEETS = 100, MOST_PAIRS = 24 };

typedef struct member { int64_t row; float key; } member;

typedef struct sheets {
    const protea_cluster_page *page;
    member *member;      /* (n) of one cluster; owned */
    protea_image image;
} sheets;

static int rising(const void *a, const void *b)
{
    const member *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->row > y->row) - (x->row < y->row);
}

/* Fills member with those rows of cluster j, sorted by key rising; outliers: only these, or none of them. */
static int64_t gather(sheets *s, int64_t j, const float *key, float sign, bool outliers)
{
    const protea_clustering *c = s->page->c;
    int64_t n = 0;
    for (int64_t i = 0; i < c->n; i++)
        if (c->cluster[i] == j && (s->page->outlier[i] != 0) == outliers)
            s->member[n++] = (member){ i, sign * key[i] };
    qsort(s->member, (size_t)n, sizeof *s->member, rising);
    return n;
}

static protea_status write_row(FILE *out, sheets *s, const char *title, int64_t n, int64_t most)
{
    const protea_clustering *c = s->page->c;
    if (n == 0)
        return PROTEA_OK;
    fprintf(out, "<h4>%s</h4><div class=\"row\">", title);
    for (int64_t i = 0; i < n && i < most; i++) {
        int64_t row = s->member[i].row;
        char note[96];
        snprintf(note, sizeof note, " · similarity %.3f, margin %.3f, confidence %.2f", (double)c->similarity[row],
                 (double)c->margin[row], (double)c->confidence[row]);
        PROTEA_TRY(protea_cluster_picture(out, s->page, row, note, SIDE, &s->image));
    }
    fputs("</div>\n", out);
    return PROTEA_OK;
}

static void write_title(FILE *out, const sheets *s, int64_t j)
{
    fprintf(out, "<figure class=\"cluster\" id=\"c%lld\" style=\"--h:%.0f\"><h3>", (long long)j, protea_cluster_hue(j));
    protea_html_text(out, s->page->names->name[j]);
    fprintf(out, "<small>%lld image%s · number %lld</small></h3>\n", (long long)s->page->c->size[j],
            s->page->c->size[j] == 1 ? "" : "s", (long long)j);
}

static protea_status write_sheet(FILE *out, sheets *s, int64_t j)
{
    const protea_clustering *c = s->page->c;
    write_title(out, s, j);
    int64_t n = gather(s, j, c->similarity, -1, false);
    PROTEA_TRY(write_row(out, s, "Most typical", n, TYPICAL));
    if (n > TYPICAL)
        PROTEA_TRY(write_row(out, s, "Borderline", gather(s, j, c->margin, 1, false), BORDERLINE));
    PROTEA_TRY(write_row(out, s, "Outliers", gather(s, j, c->similarity, 1, true), FAR));
    fputs("</figure>\n", out);
    return PROTEA_OK;
}

static protea_status write_sheets(FILE *out, sheets *s, const int64_t *order)
{
    int64_t used = s->page->c->used, shown = used < MOST_SHEETS ? used : MOST_SHEETS;
    fputs("<section id=\"clusters\">\n<h2>Clusters</h2>\n<p>Typical images lie nearest to their cluster's middle; borderline ones "
          "are nearly as near to another cluster; outliers are unusually far from their own.", out);
    if (shown < used)
        fprintf(out, " The %lld largest of %lld are shown.", (long long)shown, (long long)used);
    fputs("</p>\n<div class=\"clusters\">\n", out);
    for (int64_t i = 0; i < shown; i++)
        PROTEA_TRY(write_sheet(out, s, order[i]));
    fputs("</div>\n</section>\n", out);
    return PROTEA_OK;
}

protea_status protea_cluster_part_sheets(FILE *out, const protea_cluster_page *page)
{
    sheets s = { .page = page };
    int64_t *order = NULL;
    protea_status status = protea_new(&s.member, (size_t)page->c->n, sizeof *s.member, "sheets of clusters");
    if (status == PROTEA_OK)
        status = protea_cluster_order(&order, page->c);
    if (status == PROTEA_OK)
        status = write_sheets(out, &s, order);
    protea_free(s.member);
    protea_free(order);
    protea_image_release(&s.image);
    return status;
}

/* ---- pairs */

static protea_status write_pair(FILE *out, const protea_cluster_page *page, const protea_near_pair *pair, protea_image *image)
{
    fputs("<figure class=\"pair\"><div>", out);
    PROTEA_TRY(protea_cluster_picture(out, page, pair->a, "", SIDE, image));
    PROTEA_TRY(protea_cluster_picture(out, page, pair->b, "", SIDE, image));
    fprintf(out, "</div><figcaption>%.4f</figcaption></figure>\n", (double)pair->similarity);
    return PROTEA_OK;
}

protea_status protea_cluster_part_pairs(FILE *out, const protea_cluster_page *page)
{
    protea_image image = { 0 };
    protea_status status = PROTEA_OK;
    if (page->n_pairs == 0)
        return PROTEA_OK;
    fprintf(out, "<section id=\"pairs\">\n<h2>Near-duplicates</h2>\n<p>%lld pair%s of images whose features have a cosine of %g or "
            "more, the most alike first.</p>\n<div class=\"pairs\">\n", (long long)page->n_pairs, page->n_pairs == 1 ? "" : "s",
            page->pair_similarity);
    for (int64_t i = 0; status == PROTEA_OK && i < page->n_pairs && i < MOST_PAIRS; i++)
        status = write_pair(out, page, &page->pair[i], &image);
    fputs("</div>\n</section>\n", out);
    protea_image_release(&image);
    return status;
}
