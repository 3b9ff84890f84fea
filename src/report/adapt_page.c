#include "report/adapt_page.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "image/corrupt.h"
#include "report/adapt_parts.h"
#include "report/html.h"
#include "report/page.h"

/* ---- head */

/* The one to look at: the only one that was asked for, else the best of them. */
static const protea_contender *chosen(const protea_adapt_run *run)
{
    const protea_contender *best = NULL;
    for (int k = 0; k < run->n_contenders; k++) {
        const protea_contender *c = &run->contender[k];
        if (!c->baseline && (best == NULL || protea_tally_mean(&c->tally) > protea_tally_mean(&best->tally)))
            best = c;
    }
    return best;
}

static void write_lede(FILE *out, const protea_adapt_page *page)
{
    const protea_adapt_run *run = page->run;
    fputs("<p class=\"lede\">", out);
    protea_html_tail(out, page->model, 120);
    fprintf(out, " met %lld images of ", (long long)run->stream->n);
    protea_html_tail(out, page->data, 120);
    if (run->n_corruptions > 1)
        fprintf(out, " under %d corruptions", run->n_corruptions);
    if (run->n_corruptions == 1)
        fprintf(out, " under %s", protea_corruption_name(run->corruption[0]));
    if (page->severity > 0)
        fprintf(out, " of severity %d", page->severity);
    fprintf(out, ", in batches of %lld; stream: %s.</p>\n", (long long)run->batch_size, page->stream);
}

static void write_command(FILE *out, const protea_adapt_page *page)
{
    fprintf(out, "<pre class=\"command\">protea %s ", page->kind);
    protea_page_word(out, page->model);
    fputc(' ', out);
    protea_page_word(out, page->data);
    fputs(" --config ", out);
    protea_page_word(out, page->name);
    fputs("/config.yaml -o NEW-DIR</pre>\n", out);
}

static void write_trouble(FILE *out, const protea_adapt_run *run)
{
    for (int k = 0; k < run->n_contenders; k++) {
        const protea_lane *lane = &run->contender[k].lane;
        if (lane->rollbacks == 0)
            continue;
        fprintf(out, "<p class=\"warning\">%s: the guard went back %lld time%s, last ", run->contender[k].name,
                (long long)lane->rollbacks, lane->rollbacks == 1 ? "" : "s");
        protea_html_text(out, lane->trouble);
        fputs("</p>\n", out);
    }
}

static void write_baseline(FILE *out, const protea_adapt_run *run, const char *name, const char *title, double accuracy,
                           const char *adapted)
{
    const protea_contender *c = protea_adapt_find(run, name);
    if (c == NULL)
        return;
    double gain = 100 * (accuracy - protea_tally_mean(&c->tally));
    fprintf(out, "<div><dt>%s</dt><dd>%.1f %%<small>%s: %.1f points %s</small></dd></div>\n", title,
            100 * protea_tally_mean(&c->tally), adapted, fabs(gain), gain < 0 ? "less" : "more");
}

static void write_accuracies(FILE *out, const protea_adapt_run *run, const protea_contender *c)
{
    double accuracy = protea_tally_mean(&c->tally);
    if (!isfinite(accuracy))
        return;
    fprintf(out, "<div class=\"main\"><dt>%s</dt><dd>%.1f %%<small>%s</small></dd></div>\n", c->name, 100 * accuracy,
            run->n_corruptions > 1 ? "mean accuracy over the corruptions" : "accuracy, before each update");
    if (strcmp(c->name, "source") != 0)
        write_baseline(out, run, "source", "Source model", accuracy, c->name);
    if (strcmp(c->name, "bn") != 0)
        write_baseline(out, run, "bn", "Batch statistics alone", accuracy, c->name);
}

static void write_figures(FILE *out, const protea_adapt_run *run)
{
    const protea_contender *c = chosen(run);
    double seconds = 0;
    for (int i = 0; i < c->tally.n_columns; i++)
        seconds += c->tally.cell[i].seconds;
    fputs("<dl class=\"figures\">\n", out);
    write_accuracies(out, run, c);
    if (seconds > 0)
        fprintf(out, "<div><dt>Speed of %s</dt><dd>%.0f<small>images a second</small></dd></div>\n", c->name,
                (double)run->stream->n / seconds);
    fprintf(out, "<div><dt>Updates</dt><dd>%lld<small>of %lld batches</small></dd></div>\n", (long long)c->tally.updates,
            (long long)c->tally.n_points);
    if (c->tally.bank_bytes > 0)
        fprintf(out, "<div><dt>Support bank</dt><dd>%lld<small>rows, %.1f MiB at most</small></dd></div>\n",
                (long long)c->tally.bank_rows, (double)c->tally.bank_bytes / 1048576);
    fputs("</dl>\n", out);
}

/* ---- the page */

static protea_status write_page(FILE *out, const protea_adapt_page *page)
{
    const protea_adapt_run *run = page->run;
    protea_page_open(out, page->name, page->kind);
    write_lede(out, page);
    write_command(out, page);
    write_trouble(out, run);
    write_figures(out, run);
    fputs("</header>\n", out);
    PROTEA_TRY(protea_adapt_part_time(out, run));
    if (run->class_map != NULL) {
        protea_adapt_part_table(out, run);
        PROTEA_TRY(protea_adapt_part_classes(out, run));
        protea_adapt_part_confusion(out, chosen(run));
    }
    protea_page_close(out);
    return PROTEA_OK;
}

protea_status protea_adapt_page_write(const char *path, const protea_adapt_page *page)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    return protea_new_file_end(&f, write_page(f.stream, page));
}
