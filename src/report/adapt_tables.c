/* Tables of an adaptation: algorithms by corruptions, accuracy per class, confusion. Cells are tinted by what they say. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "image/corrupt.h"
#include "report/adapt_parts.h"
#include "report/html.h"

enum { MOST_CLASSES = 60, MOST_CONFUSED = 30, MOST_UPRIGHT = 5, MOST_ROOMY = 10 };

static double cell_accuracy(const protea_contender *c, int column)
{
    const protea_tally_cell *cell = &c->tally.cell[column];
    return protea_tally_accuracy(cell->right, cell->labelled);
}

/* A percentage, tinted by how far it lies from the source model's: 30 points are as strong as it gets. */
static void write_cell(FILE *out, double accuracy, double source, bool best, const char *class)
{
    double gain = isfinite(source) && isfinite(accuracy) ? accuracy - source : 0;
    if (!isfinite(accuracy)) {
        fprintf(out, "<td class=\"%s\">–</td>", class);
        return;
    }
    fprintf(out, "<td class=\"%s%s%s\" style=\"--v:%.0f\">%.1f</td>", class, best ? " best" : "", gain < 0 ? " worse" : "",
            55 * fmin(1, fabs(gain) / 0.3), 100 * accuracy);
}

/* ---- algorithms by corruptions */

static void write_table_head(FILE *out, const protea_adapt_run *run)
{
    fputs("<thead><tr><th scope=\"col\">Algorithm</th>", out);
    for (int i = 0; i < run->n_corruptions && run->n_corruptions > 1; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s", protea_corruption_name(run->corruption[i]));
        for (char *c = name; *c != 0; c++)
            *c = *c == '_' ? ' ' : *c;
        fprintf(out, "<th scope=\"col\"%s><span>%s</span></th>", run->n_corruptions > MOST_UPRIGHT ? " class=\"tall\"" : "", name);
    }
    fprintf(out, "<th scope=\"col\" class=\"mean\">%s</th><th scope=\"col\">Images/s</th></tr></thead>\n",
            run->n_corruptions > 1 ? "Mean" : "Accuracy");
}

/* The best of a column, all within half an image of it counted as such; column -1: of the means. */
static double best_of(const protea_adapt_run *run, int column)
{
    double best = 0;
    for (int k = 0; k < run->n_contenders; k++) {
        const protea_contender *c = &run->contender[k];
        best = fmax(best, column < 0 ? protea_tally_mean(&c->tally) : cell_accuracy(c, column));
    }
    return best;
}

static void write_table_row(FILE *out, const protea_adapt_run *run, const protea_contender *c)
{
    const protea_contender *source = protea_adapt_find(run, "source");
    double seconds = 0, mean = protea_tally_mean(&c->tally);
    fprintf(out, "<tr><th scope=\"row\">%s%s%s</th>", c->name, c->mode[0] ? " · " : "", c->mode);
    for (int i = 0; i < c->tally.n_columns; i++) {
        seconds += c->tally.cell[i].seconds;
        if (run->n_corruptions > 1)
            write_cell(out, cell_accuracy(c, i), source ? cell_accuracy(source, i) : (double)NAN,
                       cell_accuracy(c, i) >= best_of(run, i), "");
    }
    write_cell(out, mean, source ? protea_tally_mean(&source->tally) : (double)NAN, mean >= best_of(run, -1), "mean");
    fprintf(out, "<td>%.0f</td></tr>\n", seconds > 0 ? (double)run->stream->n / seconds : 0);
}

void protea_adapt_part_table(FILE *out, const protea_adapt_run *run)
{
    fputs("<section id=\"table\">\n<h2>Accuracy</h2>\n<p>In percent; green is better than the source model, orange worse, bold "
          "the best.</p>\n<div class=\"scroll\">", out);
    fprintf(out, "<table class=\"grid%s\">\n", run->n_corruptions > MOST_ROOMY ? " dense" : "");
    write_table_head(out, run);
    fputs("<tbody>\n", out);
    for (int k = 0; k < run->n_contenders; k++)
        write_table_row(out, run, &run->contender[k]);
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}

/* ---- per class */

static void write_class_row(FILE *out, const protea_adapt_run *run, const protea_tally_cell *total, int class)
{
    int source = -1;
    double best = 0;
    for (int k = 0; k < run->n_contenders; k++) {
        source = strcmp(run->contender[k].name, "source") == 0 ? k : source;
        best = fmax(best, protea_tally_accuracy(total[k].class_right[class], total[k].class_n[class]));
    }
    fputs("<tr><th scope=\"row\">", out);
    protea_html_text(out, run->contender[0].lane.model.classes.name[class]);
    fprintf(out, "</th><td>%lld</td>", (long long)total[0].class_n[class]);
    for (int k = 0; k < run->n_contenders; k++) {
        double accuracy = protea_tally_accuracy(total[k].class_right[class], total[k].class_n[class]);
        double before = source < 0 ? (double)NAN
                                   : protea_tally_accuracy(total[source].class_right[class], total[source].class_n[class]);
        write_cell(out, accuracy, before, accuracy >= best, "");
    }
    fputs("</tr>\n", out);
}

static void write_classes(FILE *out, const protea_adapt_run *run, const protea_tally_cell *total)
{
    fputs("<section id=\"classes\">\n<h2>Accuracy per class</h2>\n<div class=\"scroll\"><table class=\"grid\">\n"
          "<thead><tr><th scope=\"col\">Class</th><th scope=\"col\">Images</th>", out);
    for (int k = 0; k < run->n_contenders; k++)
        fprintf(out, "<th scope=\"col\">%s</th>", run->contender[k].name);
    fputs("</tr></thead>\n<tbody>\n", out);
    for (int c = 0; c < run->contender[0].tally.n_classes; c++)
        if (total[0].class_n[c] > 0)
            write_class_row(out, run, total, c);
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}

protea_status protea_adapt_part_classes(FILE *out, const protea_adapt_run *run)
{
    protea_tally_cell *total;
    protea_status status = PROTEA_OK;
    if (run->contender[0].tally.n_classes > MOST_CLASSES)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&total, (size_t)run->n_contenders, sizeof *total, "a table"));
    for (int k = 0; k < run->n_contenders && status == PROTEA_OK; k++)
        status = protea_tally_total(&total[k], &run->contender[k].tally);
    if (status == PROTEA_OK)
        write_classes(out, run, total);
    for (int k = 0; k < run->n_contenders; k++) {
        protea_free(total[k].class_n);
        protea_free(total[k].class_right);
    }
    protea_free(total);
    return status;
}

/* ---- confusion */

static void write_confusion_row(FILE *out, const protea_contender *c, int class)
{
    int n = c->tally.n_classes;
    const int64_t *row = c->tally.confusion + (int64_t)class * n;
    int64_t sum = 0;
    for (int j = 0; j < n; j++)
        sum += row[j];
    fputs("<tr><th scope=\"row\">", out);
    protea_html_text(out, c->lane.model.classes.name[class]);
    fputs("</th>", out);
    for (int j = 0; j < n; j++) {
        double share = sum > 0 ? (double)row[j] / (double)sum : 0;
        fprintf(out, "<td class=\"%s\" style=\"--v:%.0f\">", j == class ? "hit" : "miss", j == class ? 60 * share : 90 * share);
        if (row[j] > 0)
            fprintf(out, "%lld", (long long)row[j]);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

void protea_adapt_part_confusion(FILE *out, const protea_contender *c)
{
    if (c->tally.n_classes > MOST_CONFUSED)
        return;
    fprintf(out, "<section id=\"confusion\">\n<h2>What was taken for what</h2>\n<p>%s: a row for each true class, a column for "
            "each answer; all images of the stream.</p>\n", c->name);
    fputs("<div class=\"scroll\"><table class=\"grid confusion\">\n<thead><tr><th></th>", out);
    for (int j = 0; j < c->tally.n_classes; j++) {
        fputs("<th scope=\"col\" class=\"tall\"><span>", out);
        protea_html_text(out, c->lane.model.classes.name[j]);
        fputs("</span></th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (int i = 0; i < c->tally.n_classes; i++)
        write_confusion_row(out, c, i);
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}
