/* protea predict MODEL DATA -o FILE.csv: the classes of images, and how sure the model is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/images.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "eval/classify.h"
#include "format/csv.h"
#include "loss/cross_entropy.h"

enum { MOST_GUESSES = 5 };

typedef struct predict {
    protea_session_opts session;
    protea_images_opts images;
    int64_t top;                 /* guesses in a row */
    /* while it runs */
    protea_session s;
    protea_model model;
    protea_source *source;
    int32_t *map;                /* the model's number of each of the data's classes; NULL: it has none */
    protea_classified result;
} predict;

static const protea_opt predict_table[] = {
    { .key = "top", .type = PROTEA_OPT_INT, .offset = offsetof(predict, top), .def = "1", .min = 1, .max = MOST_GUESSES,
      .unit = "classes", .help = "how many of the most probable classes a row names" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    predict *p = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Prediction", predict_table, p));
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &p->images));
    return protea_options_add(options, "Machine", protea_session_table, &p->session);
}

/* ---- the table */

typedef struct guesses {
    const char *class[MOST_GUESSES];
    char probability[MOST_GUESSES][16];
} guesses;

static double log_sum_exp(const float *logits, int n)
{
    double largest = logits[protea_largest(logits, n)], sum = 0;
    for (int c = 0; c < n; c++)
        sum += exp(logits[c] - largest);
    return largest + log(sum);
}

/* The most probable classes, best first; logits are used up. */
static void guess(guesses *g, const protea_class_names *classes, float *logits, int n)
{
    double log_sum = log_sum_exp(logits, classes->n);
    for (int i = 0; i < n; i++) {
        int32_t best = protea_largest(logits, classes->n);
        g->class[i] = classes->name[best];
        snprintf(g->probability[i], sizeof g->probability[i], "%.6f", exp(logits[best] - log_sum));
        logits[best] = -INFINITY;
    }
}

static void write_header(FILE *stream, int n)
{
    char name[2 * MOST_GUESSES][24];
    const char *field[PROTEA_IMAGE_COLUMNS + 2 * MOST_GUESSES];
    memcpy(field, protea_image_columns, sizeof protea_image_columns);
    for (int i = 0; i < 2 * n; i++) {
        const char *what = i % 2 == 0 ? "predicted" : "probability";
        snprintf(name[i], sizeof *name, i < 2 ? "%s" : "%s_%d", what, i / 2 + 1);
        field[PROTEA_IMAGE_COLUMNS + i] = name[i];
    }
    protea_csv_row(stream, PROTEA_IMAGE_COLUMNS + 2 * n, field);
}

static void write_rows(FILE *stream, const predict *p, int n)
{
    const char *field[PROTEA_IMAGE_COLUMNS + 2 * MOST_GUESSES];
    int64_t row = 0;
    for (int64_t i = 0; i < p->result.n; i++) {
        protea_image_row line;
        guesses g;
        if (protea_source_is_bad(p->source, i))
            continue;
        protea_image_row_fill(&line, p->source, i, row++);
        memcpy(field, line.field, sizeof line.field);
        guess(&g, &p->model.classes, p->result.logits + i * p->model.classes.n, n);
        for (int k = 0; k < n; k++) {
            field[PROTEA_IMAGE_COLUMNS + 2 * k] = g.class[k];
            field[PROTEA_IMAGE_COLUMNS + 2 * k + 1] = g.probability[k];
        }
        protea_csv_row(stream, PROTEA_IMAGE_COLUMNS + 2 * n, field);
    }
}

static protea_status write_table(const predict *p, const char *path)
{
    protea_new_file table;
    int n = p->top < p->model.classes.n ? (int)p->top : p->model.classes.n;
    PROTEA_TRY(protea_new_file_open(&table, path));
    write_header(table.stream, n);
    write_rows(table.stream, p, n);
    return protea_new_file_commit(&table);
}

/* ---- the run */

static protea_status compute(predict *p, const protea_call *call)
{
    const char *data = call->arguments[1];
    protea_watch watch;
    PROTEA_TRY(protea_session_open(&p->s, &p->session, call->hooks));
    PROTEA_TRY(protea_model_open_classifier(&p->s.cx, &p->model, call->arguments[0], (int)p->images.image_size));
    PROTEA_TRY(protea_images_open(&p->source, data, &p->images, p->s.cx.seed));
    if (protea_source_n_classes(p->source) > 0)
        PROTEA_TRY(protea_model_match_classes(&p->map, &p->model, p->source, data));
    protea_watch_start(&watch, call->hooks, "predict", p->source);
    PROTEA_TRY(protea_classify(&p->s.cx, &p->result, &p->model, p->source, p->map, protea_watch_features, &watch));
    return protea_images_check(&p->s.cx, p->source, data);
}

static protea_status run(void *self, const protea_call *call)
{
    predict *p = self;
    double started = protea_seconds();
    PROTEA_TRY(compute(p, call));
    PROTEA_TRY(write_table(p, call->output));
    int64_t skipped = protea_source_skipped(p->source, NULL);
    json_object_set_new(call->result, "n", json_integer(p->result.n - skipped));
    json_object_set_new(call->result, "classes", json_integer(p->model.classes.n));
    json_object_set_new(call->result, "skipped", json_integer(skipped));
    if (p->result.n_labelled > 0)
        json_object_set_new(call->result, "accuracy", json_real((double)p->result.n_correct / (double)p->result.n_labelled));
    protea_put_text(call->result, "file", call->output);
    json_object_set_new(call->result, "seconds", json_real(protea_seconds() - started));
    return PROTEA_OK;
}

static void predict_free(void *self)
{
    predict *p = self;
    protea_classified_release(&p->result);
    protea_free(p->map);
    protea_source_close(p->source);
    protea_model_close(&p->model);
    protea_session_close(&p->s);
}

const protea_verb protea_verb_predict = {
    .info = { .name = "predict", .arguments = "MODEL DATA", .summary = "write the classes a supervised model gives to images",
              .min_arguments = 2, .max_arguments = 2, .output = 2, .output_name = "FILE.csv",
              .example = "protea predict runs/classes photos -o classes.csv" },
    .size = sizeof(predict),
    .options = add_options,
    .run = run,
    .free = predict_free,
};
