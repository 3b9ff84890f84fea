#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/page.h"
#include "report/plot.h"

/* What the commonest measures are called, and what to look for. Others go by their key. */
static const struct measure { const char *key, *title, *hint; } measures[] = {
    { "loss", "Loss", "" },
    { "knn_top1", "kNN top-1", "" },
    { "val_accuracy", "Validation accuracy", "of the images held out" },
    { "train_accuracy", "Training accuracy", "of augmented images" },
    { "lr", "Learning rate", "" },
    { "code_entropy", "Entropy of codes", "0 hard, 1 uniform" },
    { "code_max", "Largest code", "1: hard assignment" },
    { "usage_entropy", "Evenness of use", "1: all prototypes alike" },
    { "prototypes_used", "Prototypes used", "by a batch" },
    { "embedding_std", "Embedding spread", "1 healthy, 0 collapsed" },
    { "grad_norm", "Gradient norm", "" },
    { "images_per_second", "Images a second", "" },
    { "wait_share", "Waiting for data", "share of the time" },
};
enum { N_MEASURES = sizeof measures / sizeof *measures };

/* "embedding_std" -> "Embedding std". */
static void title_of(char *out, size_t size, const char *key)
{
    snprintf(out, size, "%s", key);
    for (char *c = out; *c; c++)
        if (*c == '_')
            *c = ' ';
    out[0] = (char)toupper((unsigned char)out[0]);
}

static struct measure measure_of(const char *key, char *title, size_t size)
{
    for (int i = 0; i < N_MEASURES; i++)
        if (strcmp(measures[i].key, key) == 0)
            return measures[i];
    title_of(title, size, key);
    return (struct measure){ key, title, "" };
}

static void write_plot(FILE *out, const protea_run_record *r, const char *key, protea_plot plot, const char *class)
{
    static const protea_curve nothing = { 0 };
    const protea_curve *curve = protea_run_curve(r, key) ? protea_run_curve(r, key) : &nothing;
    char last[32], title[128];
    struct measure measure = measure_of(key, title, sizeof title);
    plot.label = measure.title;
    plot.line = (protea_series){ curve->x, curve->y, curve->n };
    plot.x_label = r->in_epochs ? "epoch" : "step";
    fprintf(out, "<figure class=\"plot%s\"><figcaption>", class);
    protea_html_text(out, measure.title);
    if (curve->n > 0 && plot.percent)
        fprintf(out, "<span>%.1f %%</span>", 100 * curve->y[curve->n - 1]);
    else if (curve->n > 0)
        fprintf(out, "<span>%s</span>", protea_plot_number(last, curve->y[curve->n - 1]));
    fputs("</figcaption>", out);
    if (measure.hint[0])
        fprintf(out, "<p class=\"hint\">%s</p>", measure.hint);
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
    write_plot(out, r, "loss", plot, "");
}

static void write_accuracy_plot(FILE *out, const protea_run_record *r, const char *key)
{
    if (protea_run_curve(r, key) != NULL)
        write_plot(out, r, key, (protea_plot){ .dots = true, .percent = true, .mark_best = true }, " knn");
}

/* The loss has its line at ln K, so the quotient would say nothing new. */
static bool has_own_plot(const char *key)
{
    return strcmp(key, "loss") == 0 || strcmp(key, "knn_top1") == 0 || strcmp(key, "val_accuracy") == 0 ||
           strcmp(key, "loss_over_ln_k") == 0;
}

/* Time spent waiting for data is worth a plot only when there is some. */
static bool is_dull(const protea_curve *curve)
{
    double most = 0;
    for (int64_t i = 0; i < curve->n; i++)
        most = fmax(most, curve->y[i]);
    return strcmp(curve->name, "wait_share") == 0 && most < 0.05;
}

void protea_page_curves(FILE *out, const protea_run_record *record)
{
    fputs("<section id=\"training\">\n<h2>Training</h2>\n<div class=\"plots\">\n", out);
    write_loss_plot(out, record);
    write_accuracy_plot(out, record, "val_accuracy");
    write_accuracy_plot(out, record, "knn_top1");
    fputs("</div>\n<div class=\"plots minor\">\n", out);
    for (int i = 0; i < record->n_curves; i++) {
        const char *key = record->curve[i].name;
        if (has_own_plot(key) || is_dull(&record->curve[i]))
            continue;
        write_plot(out, record, key, (protea_plot){ .small = true }, "");
    }
    fputs("</div>\n</section>\n", out);
}
