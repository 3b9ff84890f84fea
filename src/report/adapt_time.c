/* Accuracy along the stream. */
#include <string.h>

#include "base/alloc.h"
#include "report/adapt_parts.h"
#include "report/html.h"
#include "report/plot.h"

enum { WINDOWS = 24,     /* a point is the mean over this share of the stream: single batches are noise */
       MOST_MARKS = 32 };

typedef struct curve {
    double *x, *y;  /* (n) owned */
    int64_t n;
} curve;

static void curve_free(curve *c)
{
    protea_free(c->x);
    protea_free(c->y);
}

/* Means over a trailing window of batches; entropy where there are no labels. */
static protea_status curve_of(curve *out, const protea_tally *t, bool labelled)
{
    int64_t window = t->n_points / WINDOWS > 1 ? t->n_points / WINDOWS : 1;
    double sum = 0, weight = 0;
    PROTEA_TRY(protea_new(&out->x, (size_t)t->n_points, sizeof *out->x, "a curve"));
    PROTEA_TRY(protea_new(&out->y, (size_t)t->n_points, sizeof *out->y, "a curve"));
    for (int64_t i = 0; i < t->n_points; i++) {
        const protea_tally_point *in = &t->point[i], *gone = i >= window ? &t->point[i - window] : NULL;
        sum += labelled ? in->right : (double)in->entropy * in->n;
        weight += labelled ? in->labelled : in->n;
        if (gone != NULL) {
            sum -= labelled ? gone->right : (double)gone->entropy * gone->n;
            weight -= labelled ? gone->labelled : gone->n;
        }
        if (i + 1 < window || weight <= 0)
            continue; /* too few yet to say */
        out->x[out->n] = (double)in->seen;
        out->y[out->n++] = sum / weight;
    }
    return PROTEA_OK;
}

/* source and bn, where they are others than c. */
static protea_status add_beside(protea_beside *beside, curve *curves, int *n, const protea_adapt_run *run,
                                const protea_contender *c, bool labelled)
{
    static const char *const names[] = { "source", "bn" }, *const styles[] = { "first", "second" };
    for (int i = 0; i < 2; i++) {
        const protea_contender *other = protea_adapt_find(run, names[i]);
        if (other == NULL || other == c)
            continue;
        curve *line = &curves[(*n)++];
        PROTEA_TRY(curve_of(line, &other->tally, labelled));
        beside[*n - 1] = (protea_beside){ names[i], styles[i], { line->x, line->y, line->n } };
    }
    return PROTEA_OK;
}

static void write_legend(FILE *out, const protea_contender *c, const protea_plot *plot)
{
    fprintf(out, "<div class=\"legend\"><span><i></i>%s</span>", c->name);
    for (int i = 0; i < plot->n_beside; i++)
        fprintf(out, "<span><i class=\"%s\"></i>%s</span>", plot->beside[i].style, plot->beside[i].label);
    fputs("</div>", out);
}

static void write_figure(FILE *out, const protea_contender *c, const protea_plot *plot)
{
    fprintf(out, "<figure class=\"plot\"><figcaption>%s", plot->small ? c->name : plot->label);
    if (plot->percent)
        fprintf(out, "<span>%.1f %%</span>", 100 * protea_tally_mean(&c->tally));
    fputs("</figcaption>", out);
    if (!plot->small)
        write_legend(out, c, plot);
    protea_plot_write(out, plot);
    fputs("</figure>\n", out);
}

/* Where parts begin; none when they are too many to be told apart. */
static int part_marks(double mark[static MOST_MARKS], const protea_stream *stream)
{
    if (stream->n_parts > MOST_MARKS)
        return 0;
    for (int p = 1; p < stream->n_parts; p++)
        mark[p - 1] = (double)stream->part[p].first;
    return stream->n_parts - 1;
}

static protea_status write_plot(FILE *out, const protea_adapt_run *run, const protea_contender *c, bool labelled, bool small)
{
    curve own = { 0 }, others[2] = { { 0 } };
    protea_beside beside[2];
    double mark[MOST_MARKS];
    int n = 0;
    protea_status status = curve_of(&own, &c->tally, labelled);
    if (status == PROTEA_OK)
        status = add_beside(beside, others, &n, run, c, labelled);
    const protea_plot plot = { .label = labelled ? "Accuracy" : "Entropy of predictions",
                               .line = { own.x, own.y, own.n }, .percent = labelled, .small = small, .x_label = "images",
                               .beside = beside, .n_beside = n, .mark = mark, .n_marks = part_marks(mark, run->stream) };
    if (status == PROTEA_OK)
        write_figure(out, c, &plot);
    curve_free(&own);
    curve_free(&others[0]);
    curve_free(&others[1]);
    return status;
}

protea_status protea_adapt_part_time(FILE *out, const protea_adapt_run *run)
{
    int asked = 0;
    bool labelled = run->class_map != NULL;
    for (int k = 0; k < run->n_contenders; k++)
        asked += !run->contender[k].baseline;
    fprintf(out, "<section id=\"time\">\n<h2>Along the stream</h2>\n<p>Of predictions made before each update; a point is the mean "
            "over a %dth part of the stream.%s</p>\n<div class=\"plots%s\">\n", WINDOWS,
            asked > 1 ? " Grey: the source model; green: batch statistics alone." : "", asked > 1 ? " minor accent" : "");
    for (int k = 0; k < run->n_contenders; k++) {
        if (run->contender[k].baseline)
            continue;
        PROTEA_TRY(write_plot(out, run, &run->contender[k], labelled, asked > 1));
        if (asked == 1 && labelled)
            PROTEA_TRY(write_plot(out, run, &run->contender[k], false, false));
    }
    fputs("</div>\n</section>\n", out);
    return PROTEA_OK;
}
