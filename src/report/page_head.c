#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "report/html.h"
#include "report/page.h"
#include "report/plot.h"
#include "train/rundir.h"

static void write_duration(FILE *out, double seconds)
{
    if (seconds < 100)
        fprintf(out, "%.0f s", seconds);
    else if (seconds < 6000)
        fprintf(out, "%.0f min %02.0f s", floor(seconds / 60), fmod(floor(seconds), 60));
    else
        fprintf(out, "%.0f h %02.0f min", floor(seconds / 3600), fmod(floor(seconds / 60), 60));
}

/* ---- head of the page */

/* "20 epochs", or "3 of 20 epochs" of a run that was stopped. */
static void write_epochs(FILE *out, const protea_run_record *r)
{
    double planned = strtod(protea_run_setting(r, "epochs"), NULL);
    fprintf(out, "%.0f ", r->epochs);
    if (planned > r->epochs)
        fprintf(out, "of %.0f ", planned);
    fputs(r->epochs == 1 && !(planned > 1) ? "epoch" : "epochs", out);
}

static void write_lede(FILE *out, const protea_run_record *r)
{
    fputs("<p class=\"lede\">", out);
    protea_html_text(out, protea_run_setting(r, "arch"));
    if (r->steps > 0) {
        fputs(" trained for ", out);
        write_epochs(out, r);
        fprintf(out, " (%lld steps) on ", (long long)r->steps);
    } else {
        fputs(" initialised, not trained; for ", out);
    }
    protea_html_tail(out, protea_run_setting(r, "arguments"), 200);
    if (r->seconds > 0) {
        fputs(" in ", out);
        write_duration(out, r->seconds);
    }
    fputs(".</p>\n", out);
}

/* The command that repeats the run. */
static void write_command(FILE *out, const char *run_dir)
{
    char *config;
    if (protea_path_join(&config, run_dir, PROTEA_RUN_CONFIG) != PROTEA_OK)
        return; /* the page does without */
    fputs("<pre class=\"command\">protea train --config ", out);
    protea_page_word(out, config);
    fputs(" -o NEW-RUN</pre>\n", out);
    protea_free(config);
}

/* ---- key figures */

/* The last measurement of an accuracy, and the best. */
static void write_accuracy_figure(FILE *out, const protea_run_record *r, const char *key, const char *title)
{
    const protea_curve *curve = protea_run_curve(r, key);
    if (curve == NULL)
        return;
    int64_t best = 0;
    for (int64_t i = 1; i < curve->n; i++)
        best = curve->y[i] > curve->y[best] ? i : best;
    fprintf(out, "<div class=\"main\"><dt>%s</dt><dd>%.1f %%<small>", title, 100 * curve->y[curve->n - 1]);
    if (best == curve->n - 1)
        fputs("the best of the run", out);
    else
        fprintf(out, "best %.1f %% after epoch %.0f", 100 * curve->y[best], curve->x[best]);
    fputs("</small></dd></div>\n", out);
}

static void write_loss_figure(FILE *out, const protea_run_record *r)
{
    const protea_curve *loss = protea_run_curve(r, "loss");
    char now[32], first[32];
    if (loss != NULL)
        fprintf(out, "<div><dt>Loss</dt><dd>%s<small>from %s</small></dd></div>\n", protea_plot_number(now, loss->y[loss->n - 1]),
                protea_plot_number(first, loss->y[0]));
}

static void write_figures(FILE *out, const protea_run_record *r)
{
    const protea_curve *rate = protea_run_curve(r, "images_per_second");
    fputs("<dl class=\"figures\">\n", out);
    write_accuracy_figure(out, r, "val_accuracy", "Validation accuracy");
    write_accuracy_figure(out, r, "knn_top1", "kNN top-1");
    write_loss_figure(out, r);
    fprintf(out, "<div><dt>Epochs</dt><dd>%.0f<small>%lld steps</small></dd></div>\n", r->epochs, (long long)r->steps);
    fputs("<div><dt>Time</dt><dd>", out);
    write_duration(out, r->seconds);
    if (rate != NULL)
        fprintf(out, "<small>%.0f images a second</small>", rate->y[rate->n - 1]);
    fputs("</dd></div>\n<div><dt>Network</dt><dd class=\"word\">", out);
    protea_html_text(out, protea_run_setting(r, "arch"));
    fputs("<small>batches of ", out);
    protea_html_text(out, protea_run_setting(r, "batch_size"));
    fputs("</small></dd></div>\n", out);
    if (r->n_skipped > 0)
        fprintf(out, "<div><dt>Left out</dt><dd>%lld<small>images that could not be used</small></dd></div>\n",
                (long long)r->n_skipped);
    fputs("</dl>\n", out);
}

void protea_page_head(FILE *out, const protea_run_record *record, const char *run_dir)
{
    protea_page_open(out, run_dir, protea_run_setting(record, "kind"));
    write_lede(out, record);
    write_command(out, run_dir);
    if (record->warning != NULL) {
        fputs("<p class=\"warning\">", out);
        protea_html_text(out, record->warning);
        fputs("</p>\n", out);
    }
    write_figures(out, record);
    fputs("</header>\n", out);
}
