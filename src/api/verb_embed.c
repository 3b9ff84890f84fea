/* protea embed MODEL DATA -o FILE.npy: the features of images, and a table of which row is which image. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/good_rows.h"
#include "api/output_guard.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "format/csv.h"
#include "format/npy.h"

typedef struct embed {
    protea_session_opts session;
    protea_images_opts images;
    int32_t features;            /* choice of "backbone|head" */
    /* while it runs */
    protea_session s;
    protea_model model;
    protea_source *source;
    protea_good_rows rows;
} embed;
enum { BACKBONE, HEAD };

static const protea_opt embed_table[] = {
    { .key = "features", .type = PROTEA_OPT_CHOICE, .offset = offsetof(embed, features), .def = "backbone",
      .choices = "backbone|head", .help = "pooled features of the backbone, or what the method's head makes of them" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    embed *e = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Embedding", embed_table, e));
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &e->images));
    return protea_options_add(options, "Machine", protea_session_table, &e->session);
}

/* What the table says of images of several classes: numbers and names, with ';' between them. */
typedef struct class_texts {
    char *numbers, *names; /* room for any image's: owned; NULL where images have one class */
    size_t numbers_size, names_size;
} class_texts;

static protea_status class_texts_new(class_texts *t, const protea_source *source)
{
    enum { DIGITS = 11 };
    *t = (class_texts){ .numbers_size = 1, .names_size = 1 };
    if (!protea_source_has_several(source))
        return PROTEA_OK;
    for (int64_t i = 0; i < protea_source_count(source); i++) {
        const int32_t *label;
        size_t n = (size_t)protea_source_labels(source, i, &label), size = 1;
        for (size_t k = 0; k < n; k++)
            size += strlen(protea_source_class(source, label[k])) + 1;
        t->numbers_size = t->numbers_size > n * DIGITS + 1 ? t->numbers_size : n * DIGITS + 1;
        t->names_size = t->names_size > size ? t->names_size : size;
    }
    PROTEA_TRY(protea_new(&t->numbers, t->numbers_size, 1, "labels"));
    return protea_new(&t->names, t->names_size, 1, "labels");
}

static void class_texts_fill(class_texts *t, const protea_source *source, int64_t i)
{
    const int32_t *label;
    size_t numbers = 0, names = 0;
    int n = protea_source_labels(source, i, &label);
    t->numbers[0] = t->names[0] = 0;
    for (int k = 0; k < n; k++) {
        const char *between = k > 0 ? ";" : "";
        numbers += (size_t)snprintf(t->numbers + numbers, t->numbers_size - numbers, "%s%d", between, (int)label[k]);
        names += (size_t)snprintf(t->names + names, t->names_size - names, "%s%s", between, protea_source_class(source, label[k]));
    }
}

static void class_texts_free(class_texts *t)
{
    protea_free(t->numbers);
    protea_free(t->names);
}

static void write_rows(FILE *stream, const embed *e, class_texts *texts)
{
    protea_csv_row(stream, PROTEA_IMAGE_COLUMNS, protea_image_columns);
    for (int64_t row = 0; row < e->rows.n; row++) {
        protea_image_row line;
        protea_image_row_fill(&line, e->source, e->rows.image[row], row);
        if (texts->numbers != NULL) {
            class_texts_fill(texts, e->source, e->rows.image[row]);
            line.field[2] = texts->numbers;
            line.field[3] = texts->names;
        }
        protea_csv_row(stream, PROTEA_IMAGE_COLUMNS, line.field);
    }
}

static protea_status write_files(const embed *e, const char *npy_path, const char *csv_path)
{
    protea_new_file table;
    const protea_tensor z = { .data = e->rows.z, .dtype = PROTEA_F32, .n_dims = 2, .dim = { e->rows.n, e->rows.dim } };
    class_texts texts;
    PROTEA_TRY(protea_new_file_open(&table, csv_path));
    protea_status status = class_texts_new(&texts, e->source);
    if (status == PROTEA_OK) {
        write_rows(table.stream, e, &texts);
        status = protea_npy_write(npy_path, &z);
    }
    class_texts_free(&texts);
    return protea_new_file_end(&table, status);
}

static protea_status compute(embed *e, const protea_call *call)
{
    protea_feature_kind kind = e->features == HEAD ? PROTEA_HEAD_FEATURES : PROTEA_BACKBONE_FEATURES;
    PROTEA_TRY(protea_session_open(&e->s, &e->session, call->hooks));
    PROTEA_TRY(protea_model_open(&e->s.cx, &e->model, call->arguments[0], (int)e->images.image_size));
    if (e->features == HEAD)
        PROTEA_TRY(protea_model_open_head(&e->s.cx, &e->model));
    e->images.several = PROTEA_SEVERAL_KEEP;
    PROTEA_TRY(protea_images_open(&e->source, call->arguments[1], &e->images, e->s.cx.seed));
    PROTEA_TRY(protea_model_fit(&e->model, e->source));
    return protea_good_rows_compute(&e->s.cx, &e->rows, &e->model, kind, e->source, call->arguments[1], "embed", call->hooks);
}

static protea_status run(void *self, const protea_call *call)
{
    embed *e = self;
    char csv_path[4096];
    double started = protea_seconds();
    if (!protea_feature_table_path(csv_path, sizeof csv_path, call->output))
        return protea_fail(PROTEA_ERR_USAGE, "-o %s: wanted the name of a file that ends in .npy", call->output);
    PROTEA_TRY(protea_output_guard(call, csv_path));
    PROTEA_TRY(compute(e, call));
    PROTEA_TRY(write_files(e, call->output, csv_path));
    json_object_set_new(call->result, "n", json_integer(e->rows.n));
    json_object_set_new(call->result, "dim", json_integer(e->rows.dim));
    json_object_set_new(call->result, "skipped", json_integer(protea_source_count(e->source) - e->rows.n));
    protea_put_text(call->result, "file", call->output);
    json_object_set_new(call->result, "seconds", json_real(protea_seconds() - started));
    return PROTEA_OK;
}

static void embed_free(void *self)
{
    embed *e = self;
    protea_good_rows_release(&e->rows);
    protea_source_close(e->source);
    protea_model_close(&e->model);
    protea_session_close(&e->s);
}

const protea_verb protea_verb_embed = {
    .info = { .name = "embed", .arguments = "MODEL DATA", .summary = "write the features of images as an .npy file",
              .min_arguments = 2, .max_arguments = 2, .output = 2, .output_name = "FILE.npy",
              .example = "protea embed runs/photos photos -o features.npy" },
    .size = sizeof(embed),
    .options = add_options,
    .run = run,
    .free = embed_free,
};
