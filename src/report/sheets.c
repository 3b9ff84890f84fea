#include "report/sheets.h"

#include <string.h>

#include "eval/features.h"
#include "report/html.h"

enum { MOST_IMAGES = 2048, SIDE = 160 };

typedef struct sheets {
    const protea_model *model;
    protea_source *source;
    int64_t n, dim, n_queries;
    int64_t *index;       /* (n) images of the source */
    float *z;             /* (n,dim) */
    float *query_z;       /* (PROTEA_SHEETS,dim) */
    int64_t *neighbour;   /* (PROTEA_SHEETS,PROTEA_SHEET_NEIGHBOURS) rows, -1: none */
    float *similarity;
    int64_t query[PROTEA_SHEETS]; /* rows */
    protea_image image;
} sheets;

static void sheets_free(sheets *s)
{
    protea_free(s->index);
    protea_free(s->z);
    protea_free(s->query_z);
    protea_free(s->neighbour);
    protea_free(s->similarity);
    protea_image_release(&s->image);
}

/* Images spread evenly over the set, bad ones left out. */
static protea_status choose_gallery(sheets *s)
{
    int64_t count = protea_source_count(s->source), most = count < MOST_IMAGES ? count : MOST_IMAGES;
    PROTEA_TRY(protea_new(&s->index, (size_t)most, sizeof *s->index, "neighbour sheets"));
    for (int64_t i = 0; i < most; i++) {
        int64_t image = i * count / most;
        if (!protea_source_is_bad(s->source, image))
            s->index[s->n++] = image;
    }
    return PROTEA_OK;
}

/* Rows found bad while their features were made go, too. */
static void drop_bad_rows(sheets *s)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (protea_source_is_bad(s->source, s->index[i]))
            continue;
        s->index[kept] = s->index[i];
        memmove(s->z + kept * s->dim, s->z + i * s->dim, (size_t)s->dim * sizeof *s->z);
        kept++;
    }
    s->n = kept;
}

/* Row number `turn` of `turns`, spread evenly over the rows with this label (any row when it is -1); -1: there is none. */
static int64_t pick_row(const sheets *s, int32_t label, int turn, int turns)
{
    int64_t members = 0;
    for (int64_t i = 0; i < s->n; i++)
        members += label < 0 || protea_source_label(s->source, s->index[i]) == label;
    int64_t wanted = (2 * turn + 1) * members / (2 * turns);
    for (int64_t i = 0, seen = 0; i < s->n; i++)
        if ((label < 0 || protea_source_label(s->source, s->index[i]) == label) && seen++ == wanted)
            return i;
    return -1;
}

/* Classes take turns; with more classes than queries, some are passed over. */
static void choose_queries(sheets *s)
{
    int classes = protea_source_n_classes(s->source);
    int turns = classes > 0 ? (PROTEA_SHEETS + classes - 1) / classes : PROTEA_SHEETS;
    for (int q = 0; q < PROTEA_SHEETS && q < s->n; q++) {
        int32_t label = classes == 0 ? -1 : classes > PROTEA_SHEETS ? q * classes / PROTEA_SHEETS : q % classes;
        int turn = classes == 0 ? q : classes > PROTEA_SHEETS ? 0 : q / classes;
        int64_t row = pick_row(s, label, turn, turns);
        if (row >= 0)
            s->query[s->n_queries++] = row;
    }
}

static protea_status find_neighbours(protea_ctx *cx, sheets *s)
{
    size_t cells = (size_t)PROTEA_SHEETS * PROTEA_SHEET_NEIGHBOURS;
    PROTEA_TRY(protea_new(&s->z, (size_t)s->n, (size_t)s->dim * sizeof *s->z, "neighbour sheets"));
    PROTEA_TRY(protea_new(&s->query_z, PROTEA_SHEETS, (size_t)s->dim * sizeof *s->query_z, "neighbour sheets"));
    PROTEA_TRY(protea_new(&s->neighbour, cells, sizeof *s->neighbour, "neighbour sheets"));
    PROTEA_TRY(protea_new(&s->similarity, cells, sizeof *s->similarity, "neighbour sheets"));
    PROTEA_TRY(protea_model_features_of(cx, s->model, PROTEA_BACKBONE_FEATURES, s->source, s->index, s->n, s->z, NULL, NULL));
    drop_bad_rows(s);
    choose_queries(s);
    if (s->n < 2)
        return PROTEA_OK;
    for (int64_t q = 0; q < s->n_queries; q++)
        memcpy(s->query_z + q * s->dim, s->z + s->query[q] * s->dim, (size_t)s->dim * sizeof *s->z);
    return protea_nearest_rows(cx, s->neighbour, s->similarity, s->z, s->n, s->query_z, s->query, s->n_queries, s->dim,
                               PROTEA_SHEET_NEIGHBOURS);
}

/* ---- the page */

static const char *class_of_row(const sheets *s, int64_t row)
{
    int32_t label = protea_source_label(s->source, s->index[row]);
    return label >= 0 ? protea_source_class(s->source, label) : NULL;
}

static bool same_class(const sheets *s, int64_t a, int64_t b)
{
    return protea_source_label(s->source, s->index[a]) == protea_source_label(s->source, s->index[b]);
}

static protea_status write_image(FILE *out, sheets *s, int64_t row, const char *note)
{
    const char *class = class_of_row(s, row);
    PROTEA_TRY(protea_source_read(s->source, s->index[row], &s->image));
    fputs("<img alt=\"\" title=\"", out);
    protea_html_tail(out, protea_source_name(s->source, s->index[row]), 120);
    if (class != NULL) {
        fputs(" · ", out);
        protea_html_text(out, class);
    }
    fprintf(out, "%s\" ", note);
    protea_status status = protea_html_thumbnail(out, &s->image, SIDE);
    fputs(">", out);
    return status;
}

static protea_status write_sheet(FILE *out, sheets *s, int64_t q)
{
    const char *class = class_of_row(s, s->query[q]);
    fputs("<figure class=\"sheet\"><div class=\"query\">", out);
    PROTEA_TRY(write_image(out, s, s->query[q], ""));
    fputs("</div><div class=\"near\">", out);
    for (int i = 0; i < PROTEA_SHEET_NEIGHBOURS; i++) {
        int64_t at = q * PROTEA_SHEET_NEIGHBOURS + i, row = s->neighbour[at];
        char note[48];
        if (row < 0)
            break;
        snprintf(note, sizeof note, " · similarity %.3f", (double)s->similarity[at]);
        fputs(same_class(s, row, s->query[q]) ? "<span>" : "<span class=\"other\">", out);
        PROTEA_TRY(write_image(out, s, row, note));
        fputs("</span>", out);
    }
    fputs("</div>", out);
    if (class != NULL) {
        fputs("<figcaption>", out);
        protea_html_text(out, class);
        fputs("</figcaption>", out);
    }
    fputs("</figure>\n", out);
    return PROTEA_OK;
}

static void write_intro(FILE *out, const sheets *s)
{
    int64_t shown = 0, same = 0;
    for (int64_t i = 0; i < s->n_queries * PROTEA_SHEET_NEIGHBOURS; i++) {
        if (s->neighbour[i] < 0)
            continue;
        shown++;
        same += same_class(s, s->neighbour[i], s->query[i / PROTEA_SHEET_NEIGHBOURS]);
    }
    fprintf(out, "<h2>Nearest neighbours</h2>\n<p>Beside each image stand the %d whose features are most like its own among "
            "%lld, best first.", PROTEA_SHEET_NEIGHBOURS, (long long)s->n);
    if (protea_source_n_classes(s->source) > 0)
        fprintf(out, " A bar below marks another class: %lld of %lld neighbours share that of their query. Labels were not used "
                "to find them.", (long long)same, (long long)shown);
    fputs("</p>\n", out);
}

static protea_status write_section(FILE *out, sheets *s)
{
    fputs("<section id=\"neighbours\">\n", out);
    write_intro(out, s);
    fputs("<div class=\"sheets\">\n", out);
    for (int64_t q = 0; q < s->n_queries; q++)
        PROTEA_TRY(write_sheet(out, s, q));
    fputs("</div>\n</section>\n", out);
    return PROTEA_OK;
}

protea_status protea_sheets_write(protea_ctx *cx, FILE *out, const protea_model *model, protea_source *source)
{
    sheets s = { .model = model, .source = source, .dim = model->dim };
    protea_status status = choose_gallery(&s);
    if (status == PROTEA_OK)
        status = find_neighbours(cx, &s);
    if (status == PROTEA_OK && s.n >= 2)
        status = write_section(out, &s);
    sheets_free(&s);
    return status;
}
