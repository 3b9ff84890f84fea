#include "eval/guard.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "eval/answer.h"

static const double NOISE_MARGIN = 0.1; /* of ln C: a source model that is noise itself is no measure */

#define FIELD(name) offsetof(protea_guard_opts, name)
const protea_opt protea_guard_table[] = {
    { .key = "guard", .type = PROTEA_OPT_BOOL, .offset = FIELD(guard), .def = "false",
      .help = "watch the model while it adapts; when it goes wrong, go back to its last good state and say so" },
    { .key = "guard_diversity", .type = PROTEA_OPT_FLOAT, .offset = FIELD(diversity), .def = "0.7", .min = 0, .max = 1,
      .help = "wrong: answers fewer than this share of the classes that the source model answers (effective number)" },
    { .key = "guard_entropy", .type = PROTEA_OPT_FLOAT, .offset = FIELD(entropy), .def = "0.5", .min = 0, .max = 1,
      .help = "wrong: entropy of predictions this share of the way from the source model's to pure noise" },
    { .key = "guard_drift", .type = PROTEA_OPT_FLOAT, .offset = FIELD(drift), .def = "1", .min = 0, .max = 1e6,
      .help = "wrong: parameters further from the source's than this, relative to their norm" },
    { .key = "guard_window", .type = PROTEA_OPT_INT, .offset = FIELD(window), .def = "256", .min = 1, .max = 1e9,
      .unit = "images", .help = "how far back the guard looks" },
    { 0 },
};

protea_status protea_guard_init(protea_guard *g, const protea_guard_opts *opts, int n_classes)
{
    *g = (protea_guard){ .opts = *opts, .n_classes = n_classes };
    PROTEA_TRY(protea_new(&g->adapted.share, (size_t)n_classes, sizeof *g->adapted.share, "the guard"));
    return protea_new(&g->source.share, (size_t)n_classes, sizeof *g->source.share, "the guard");
}

void protea_guard_release(protea_guard *g)
{
    protea_free(g->adapted.share);
    protea_free(g->source.share);
    *g = (protea_guard){ 0 };
}

static void scale(protea_guard_side *side, int n_classes, double factor)
{
    side->entropy *= factor;
    for (int c = 0; c < n_classes; c++)
        side->share[c] *= factor;
}

void protea_guard_restart(protea_guard *g)
{
    g->weight = 0;
    scale(&g->adapted, g->n_classes, 0);
    scale(&g->source, g->n_classes, 0);
}

static void take_in(protea_guard_side *side, const float *p, int64_t n, int n_classes)
{
    for (int64_t i = 0; i < n; i++, p += n_classes) {
        side->entropy += (double)protea_answer_of(p, n_classes).entropy;
        for (int c = 0; c < n_classes; c++)
            side->share[c] += p[c];
    }
}

void protea_guard_watch(protea_guard *g, const float *adapted, const float *source, int64_t n)
{
    double keep = exp(-(double)n / (double)g->opts.window);
    scale(&g->adapted, g->n_classes, keep);
    scale(&g->source, g->n_classes, keep);
    take_in(&g->adapted, adapted, n, g->n_classes);
    take_in(&g->source, source, n, g->n_classes);
    g->weight = g->weight * keep + (double)n;
}

bool protea_guard_is_awake(const protea_guard *g)
{
    return g->weight >= (double)g->opts.window / 2;
}

/* exp of the entropy of the histogram: 1 when all answers are one class, C when all are equally common. */
static double classes_answered(const protea_guard *g, const protea_guard_side *side)
{
    double h = 0;
    for (int c = 0; c < g->n_classes; c++) {
        double p = side->share[c] / g->weight;
        h -= p > 0 ? p * log(p) : 0;
    }
    return exp(h);
}

static double monotony(const protea_guard *g, char *text, size_t size)
{
    double found = classes_answered(g, &g->adapted), source = classes_answered(g, &g->source);
    snprintf(text, size, "it answers %.1f classes where the source model answers %.1f", found, source);
    return (1 - found / source) / fmax(1 - g->opts.diversity, 1e-9);
}

static double noise(const protea_guard *g, char *text, size_t size)
{
    double found = g->adapted.entropy / g->weight, source = g->source.entropy / g->weight, most = log(g->n_classes);
    snprintf(text, size, "its predictions have an entropy of %.2f, the source model's %.2f of at most %.2f", found, source, most);
    return (found - source) / fmax(g->opts.entropy * (most - source), NOISE_MARGIN * most);
}

double protea_guard_strain(const protea_guard *g, double drift, char *text, size_t size)
{
    char other[PROTEA_GUARD_TEXT];
    double strain = drift / fmax(g->opts.drift, 1e-9);
    snprintf(text, size, "its parameters are %.2g of their norm away from the source's, at most %.2g wanted", drift, g->opts.drift);
    if (isnan(strain) || !protea_guard_is_awake(g))
        return strain;
    double (*const kinds[])(const protea_guard *, char *, size_t) = { monotony, noise };
    for (int i = 0; i < 2; i++) {
        double found = kinds[i](g, other, sizeof other);
        if (found <= strain)
            continue;
        strain = found;
        snprintf(text, size, "%s", other);
    }
    return strain;
}
