#include "report/report.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <protea/version.h>

#include "base/alloc.h"
#include "base/file.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/run_record.h"
#include "report/sheets.h"
#include "report/style.h"
#include "train/rundir.h"

#define SHEETS_BEGIN "<!-- sheets -->\n"
#define SHEETS_END "<!-- end of sheets -->\n"
enum { MOST_SKIPPED = 200, MOST_REPORT_BYTES = 64 << 20 };

/* ---- words */

/* The run's name: the last part of its path. */
static void write_run_name(FILE *out, const char *run_dir)
{
    size_t len = strlen(run_dir);
    while (len > 1 && run_dir[len - 1] == '/')
        len--;
    size_t start = len;
    while (start > 0 && run_dir[start - 1] != '/')
        start--;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(len - start), run_dir + start);
    protea_html_text(out, name);
}

static void write_duration(FILE *out, double seconds)
{
    if (seconds < 100)
        fprintf(out, "%.0f s", seconds);
    else if (seconds < 6000)
        fprintf(out, "%.0f min %02.0f s", floor(seconds / 60), fmod(floor(seconds), 60));
    else
        fprintf(out, "%.0f h %02.0f min", floor(seconds / 3600), fmod(floor(seconds / 60), 60));
}

/* "embedding_std" -> "Embedding std". */
static void title_of(char *out, size_t size, const char *key)
{
    snprintf(out, size, "%s", strcmp(key, "lr") == 0 ? "learning rate" : key);
    for (char *c = out; *c; c++)
        if (*c == '_')
            *c = ' ';
    out[0] = (char)toupper((unsigned char)out[0]);
}

/* A word of a command line, quoted where a shell would take it apart. */
static void write_word(FILE *out, const char *word)
{
    bool plain = *word != 0 && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")] == 0;
    fputs(plain ? "" : "&#39;", out);
    protea_html_text(out, word);
    fputs(plain ? "" : "&#39;", out);
}

/* ---- head of the page */

static void write_lede(FILE *out, const protea_run_record *r)
{
    fputs("<p class=\"lede\">", out);
    protea_html_text(out, protea_run_setting(r, "arch"));
    fprintf(out, " trained for %.0f epoch%s (%lld steps) on ", r->epochs, r->epochs == 1 ? "" : "s", (long long)r->steps);
    protea_html_tail(out, protea_run_setting(r, "arguments"), 200);
    if (r->seconds > 0) {
        fputs(" in ", out);
        write_duration(out, r->seconds);
    }
    fputs(".</p>\n", out);
}

static void write_head(FILE *out, const protea_run_record *r, const char *run_dir)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", out);
    write_run_name(out, run_dir);
    fprintf(out, " · Protea</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>\n", protea_report_style);
    fputs("<p class=\"over\">Protea · ", out);
    protea_html_text(out, protea_run_setting(r, "kind"));
    fputs("</p>\n<h1>", out);
    write_run_name(out, run_dir);
    fputs("</h1>\n", out);
    write_lede(out, r);
    fputs("<pre class=\"command\">protea train --config ", out);
    char *config;
    if (protea_path_join(&config, run_dir, PROTEA_RUN_CONFIG) == PROTEA_OK)
        write_word(out, config);
    protea_free(config);
    fputs("</pre>\n", out);
    if (r->warning != NULL) {
        fputs("<p class=\"warning\">", out);
        protea_html_text(out, r->warning);
        fputs("</p>\n", out);
    }
}

/* ---- key figures */

static const protea_curve *curve_with_points(const protea_run_record *r, const char *name)
{
    const protea_curve *curve = protea_run_curve(r, name);
    return curve != NULL && curve->n > 0 ? curve : NULL;
}

static void write_knn_figure(FILE *out, const protea_run_record *r)
{
    const protea_curve *knn = curve_with_points(r, "knn_top1");
    if (knn == NULL)
        return;
    int64_t best = 0;
    for (int64_t i = 1; i < knn->n; i++)
        best = knn->y[i] > knn->y[best] ? i : best;
    fprintf(out, "<div class=\"main\"><dt>kNN top-1</dt><dd>%.1f %%<small>", 100 * knn->y[knn->n - 1]);
    if (best == knn->n - 1)
        fputs("the best of the run", out);
    else
        fprintf(out, "best %.1f %% after epoch %.0f", 100 * knn->y[best], knn->x[best]);
    fputs("</small></dd></div>\n", out);
}

static void write_loss_figure(FILE *out, const protea_run_record *r)
{
    const protea_curve *loss = curve_with_points(r, "loss");
    char now[32], first[32];
    if (loss != NULL)
        fprintf(out, "<div><dt>Loss</dt><dd>%s<small>from %s</small></dd></div>\n", protea_plot_number(now, loss->y[loss->n - 1]),
                protea_plot_number(first, loss->y[0]));
}

static void write_figures(FILE *out, const protea_run_record *r)
{
    const protea_curve *rate = curve_with_points(r, "images_per_second");
    fputs("<dl class=\"figures\">\n", out);
    write_knn_figure(out, r);
    write_loss_figure(out, r);
    fprintf(out, "<div><dt>Epochs</dt><dd>%.0f<small>%lld steps</small></dd></div>\n", r->epochs, (long long)r->steps);
    fputs("<div><dt>Time</dt><dd>", out);
    write_duration(out, r->seconds);
    if (rate != NULL)
        fprintf(out, "<small>%.0f images a second</small>", rate->y[rate->n - 1]);
    fputs("</dd></div>\n<div><dt>Network</dt><dd>", out);
    protea_html_text(out, protea_run_setting(r, "arch"));
    fputs("<small>batches of ", out);
    protea_html_text(out, protea_run_setting(r, "batch_size"));
    fputs("</small></dd></div>\n", out);
    if (r->n_skipped > 0)
        fprintf(out, "<div><dt>Left out</dt><dd>%lld<small>images that could not be used</small></dd></div>\n", (long long)r->n_skipped);
    fputs("</dl>\n</header>\n", out);
}

/* ---- curves */

static void write_plot(FILE *out, const protea_run_record *r, const char *key, const char *title, protea_plot plot, const char *class)
{
    static const protea_curve nothing = { 0 };
    const protea_curve *curve = protea_run_curve(r, key) ? protea_run_curve(r, key) : &nothing;
    char last[32];
    plot.label = title;
    plot.line = (protea_series){ curve->x, curve->y, curve->n };
    plot.x_label = r->in_epochs ? "epoch" : "step";
    fprintf(out, "<figure class=\"plot%s\"><figcaption>", class);
    protea_html_text(out, title);
    if (curve->n > 0 && plot.percent)
        fprintf(out, "<span>%.1f %%</span>", 100 * curve->y[curve->n - 1]);
    else if (curve->n > 0)
        fprintf(out, "<span>%s</span>", protea_plot_number(last, curve->y[curve->n - 1]));
    fputs("</figcaption>", out);
    protea_plot_write(out, &plot);
    fputs("</figure>\n", out);
}

/* The loss of an encoder that tells nothing apart: every prototype equally likely. */
static void write_loss_plot(FILE *out, const protea_run_record *r)
{
    double prototypes = strtod(protea_run_setting(r, "nmb_prototypes"), NULL);
    protea_plot plot = { 0 };
    char label[48];
    if (prototypes > 1) {
        plot.reference = log(prototypes);
        snprintf(label, sizeof label, "ln K = %.2f: uniform", plot.reference);
        plot.reference_label = label;
    }
    write_plot(out, r, "loss", "Loss", plot, "");
}

static void write_curves(FILE *out, const protea_run_record *r)
{
    fputs("<section id=\"training\">\n<h2>Training</h2>\n<div class=\"plots\">\n", out);
    write_loss_plot(out, r);
    if (curve_with_points(r, "knn_top1") != NULL)
        write_plot(out, r, "knn_top1", "kNN top-1", (protea_plot){ .dots = true, .percent = true, .mark_best = true }, " knn");
    fputs("</div>\n<div class=\"plots minor\">\n", out);
    for (int i = 0; i < r->n_curves; i++) {
        const char *key = r->curve[i].name;
        char title[128];
        if (strcmp(key, "loss") == 0 || strcmp(key, "knn_top1") == 0)
            continue;
        title_of(title, sizeof title, key);
        write_plot(out, r, key, title, (protea_plot){ .small = true }, "");
    }
    fputs("</div>\n</section>\n", out);
}

/* ---- neighbours */

/* Copies what lies between the marks of the report that is there. */
static protea_status keep_old_sheets(FILE *out, const char *path)
{
    char *old = NULL;
    size_t len;
    if (access(path, F_OK) != 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_file_read(&old, &len, path, MOST_REPORT_BYTES));
    const char *begin = strstr(old, SHEETS_BEGIN);
    const char *end = begin ? strstr(begin, SHEETS_END) : NULL;
    if (end != NULL) {
        begin += strlen(SHEETS_BEGIN);
        fwrite(begin, 1, (size_t)(end - begin), out);
    }
    protea_free(old);
    return PROTEA_OK;
}

static protea_status write_sheets(protea_ctx *cx, FILE *out, const protea_report_args *args, const char *path)
{
    fputs(SHEETS_BEGIN, out);
    if (args->model != NULL && args->source != NULL)
        PROTEA_TRY(protea_sheets_write(cx, out, args->model, args->source));
    else
        PROTEA_TRY(keep_old_sheets(out, path));
    fputs(SHEETS_END, out);
    return PROTEA_OK;
}

/* ---- tables */

static void write_settings(FILE *out, const protea_run_record *r)
{
    fputs("<section id=\"settings\">\n<h2>Settings</h2>\n<div class=\"scroll\"><table>\n<tbody>\n", out);
    for (int i = 0; i < r->n_settings; i++) {
        const protea_setting *s = &r->setting[i];
        fputs("<tr><th scope=\"row\">", out);
        protea_html_text(out, s->key);
        fputs("</th><td class=\"value\">", out);
        protea_html_text(out, s->value[0] ? s->value : "–");
        fputs("</td><td class=\"help\">", out);
        protea_html_text(out, s->help);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}

static void write_skipped(FILE *out, const protea_run_record *r)
{
    if (r->n_skipped == 0)
        return;
    fprintf(out, "<section id=\"skipped\">\n<h2>Images left out</h2>\n<p>%lld image%s could not be used", (long long)r->n_skipped,
            r->n_skipped == 1 ? "" : "s");
    if (r->n_skipped > MOST_SKIPPED)
        fprintf(out, "; the first %d are listed, skipped.tsv has all", MOST_SKIPPED);
    fputs(".</p>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Image</th><th scope=\"col\">Reason</th></tr></thead>\n<tbody>\n", out);
    for (int64_t i = 0; i < r->n_skipped && i < MOST_SKIPPED; i++) {
        fputs("<tr><td class=\"path\">", out);
        protea_html_text(out, r->skipped[2 * i]);
        fputs("</td><td class=\"help\">", out);
        protea_html_text(out, r->skipped[2 * i + 1]);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}

static protea_status write_page(protea_ctx *cx, FILE *out, const protea_run_record *r, const protea_report_args *args,
                                const char *path)
{
    write_head(out, r, args->run_dir);
    write_figures(out, r);
    write_curves(out, r);
    PROTEA_TRY(write_sheets(cx, out, args, path));
    write_settings(out, r);
    write_skipped(out, r);
    fprintf(out, "<footer>Written by Protea %s. This page stands alone: nothing is loaded from elsewhere.</footer>\n</main>\n</body>\n"
            "</html>\n", PROTEA_VERSION);
    return PROTEA_OK;
}

static protea_status write_report(protea_ctx *cx, const protea_run_record *r, const protea_report_args *args, const char *path)
{
    protea_new_file f;
    PROTEA_TRY(protea_new_file_open(&f, path));
    protea_status status = write_page(cx, f.stream, r, args, path);
    if (status == PROTEA_OK)
        return protea_new_file_commit(&f);
    protea_new_file_abort(&f);
    return status;
}

protea_status protea_report_run(protea_ctx *cx, const protea_report_args *args)
{
    protea_run_record record;
    char *path;
    PROTEA_TRY(protea_path_join(&path, args->run_dir, PROTEA_RUN_REPORT));
    protea_status status = protea_run_record_read(&record, args->run_dir);
    if (status == PROTEA_OK)
        status = write_report(cx, &record, args, path);
    protea_run_record_release(&record);
    protea_free(path);
    return status;
}
