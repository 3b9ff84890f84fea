/* The linear classifier of a model: read beside its backbone, matched with a data set's classes, written as a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "eval/model_file.h"
#include "eval/weights.h"
#include "nn/layers.h"
#include "train/checkpoint.h"

/* ---- reading */

static protea_status number_classes(protea_class_names *names, int64_t n)
{
    for (int64_t c = 0; c < n; c++) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)c);
        PROTEA_TRY(protea_class_names_add(names, text));
    }
    return PROTEA_OK;
}

static protea_status name_classes(protea_model *model, const protea_st_file *file, int64_t n)
{
    const char *names = protea_st_metadata(file, PROTEA_META_CLASSES);
    model->classes_named = names != NULL;
    if (names == NULL)
        return number_classes(&model->classes, n);
    PROTEA_TRY(protea_class_names_read(&model->classes, names, model->path, PROTEA_META_CLASSES));
    if (model->classes.n != n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: fc.weight has %lld classes, " PROTEA_META_CLASSES " names %d", model->path,
                           (long long)n, model->classes.n);
    return PROTEA_OK;
}

static protea_status visit_fc(void *self, const protea_visitor *v)
{
    return protea_visit(self, "fc", v);
}

static protea_status load_fc(protea_model *model, const protea_st_file *file)
{
    const protea_tensor *weight = protea_st_find(file, "fc.weight");
    if (weight == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: holds no classifier (fc.weight, fc.bias); wanted a model that train supervised "
                           "or adapt wrote, or one of torchvision's", model->path);
    if (weight->n_dims != 2 || weight->dim[0] < 1 || weight->dim[0] > PROTEA_MAX_CLASSES || weight->dim[1] != model->dim)
        return protea_fail(PROTEA_ERR_INPUT, "%s: fc.weight: shape (%lld, %lld), wanted (classes, %lld)", model->path,
                           (long long)weight->dim[0], (long long)(weight->n_dims > 1 ? weight->dim[1] : 0),
                           (long long)model->dim);
    PROTEA_TRY(protea_linear_new(&model->fc, model->dim, weight->dim[0], true, NULL)); /* every weight is read */
    const protea_weights_load load = { file, model->path, "", NULL };
    PROTEA_TRY(protea_weights_read(&load, visit_fc, model->fc));
    return name_classes(model, file, weight->dim[0]);
}

protea_status protea_model_open_classifier(protea_ctx *cx, protea_model *model, const char *name, int image_size)
{
    protea_st_file *file;
    PROTEA_TRY(protea_model_open(cx, model, name, image_size));
    if (model->pixels)
        return protea_fail(PROTEA_ERR_INPUT, "pixels: raw images have no classifier; wanted a model that train supervised wrote");
    PROTEA_TRY(protea_model_file_open(cx, &file, name));
    protea_status status = load_fc(model, file);
    protea_st_close(file);
    return status;
}

/* ---- the classes of others */

/* Sets whose labels have no names (CIFAR-10-C's .npy) call their classes by number: those are the model's numbers. */
static bool match_numbers(int32_t *map, const protea_model *model, const protea_source *source)
{
    for (int c = 0; c < protea_source_n_classes(source); c++) {
        const char *class = protea_source_class(source, c);
        size_t digits = strspn(class, "0123456789");
        if (digits == 0 || digits > 6 || class[digits] != 0 || strtol(class, NULL, 10) >= model->classes.n)
            return false;
        map[c] = (int32_t)strtol(class, NULL, 10);
    }
    return true;
}

static protea_status match(int32_t *map, const protea_model *model, const protea_source *source, const char *name)
{
    int n = protea_source_n_classes(source);
    if (!model->classes_named && n != model->classes.n)
        return protea_fail(PROTEA_ERR_INPUT, "%s: has %d classes, the model %s has %d without names: as many wanted", name, n,
                           model->path, model->classes.n);
    for (int c = 0; c < n; c++) {
        const char *class = protea_source_class(source, c);
        map[c] = model->classes_named ? protea_class_names_find(&model->classes, class) : c;
        if (map[c] < 0 && match_numbers(map, model, source))
            return PROTEA_OK;
        if (map[c] < 0)
            return protea_fail(PROTEA_ERR_INPUT, "%s: its class %s is not among the %d that %s knows (--no-labels takes the images "
                               "without)", name, class, model->classes.n, model->path);
    }
    return PROTEA_OK;
}

protea_status protea_model_match_classes(int32_t **map, const protea_model *model, const protea_source *source,
                                         const char *name)
{
    PROTEA_TRY(protea_new(map, (size_t)protea_source_n_classes(source), sizeof **map, "classes"));
    protea_status status = match(*map, model, source, name);
    if (status == PROTEA_OK)
        return PROTEA_OK;
    protea_free(*map);
    *map = NULL;
    return status;
}

/* ---- writing */

static protea_status visit_model(void *self, const protea_visitor *v)
{
    const protea_model *model = self;
    PROTEA_TRY(protea_visit(model->backbone, "", v));
    return model->fc != NULL ? protea_visit(model->fc, "fc", v) : PROTEA_OK;
}

void protea_model_notes_of(protea_model_notes *out, const protea_model *model)
{
    snprintf(out->size, sizeof out->size, "%d", model->image_size);
    snprintf(out->mean, sizeof out->mean, "%.9g,%.9g,%.9g", model->mean[0], model->mean[1], model->mean[2]);
    snprintf(out->std, sizeof out->std, "%.9g,%.9g,%.9g", model->std[0], model->std[1], model->std[2]);
    const protea_note note[PROTEA_MODEL_NOTES] = {
        { "protea.format", "1" }, { "protea.arch", model->arch }, { "protea.stem", model->small_stem ? "small" : "large" },
        { "protea.image_size", out->size }, { "protea.mean", out->mean }, { "protea.std", out->std },
        { "protea.method", model->method },
    };
    memcpy(out->note, note, sizeof note);
}

static protea_status write_model(const protea_model *model, const char *path, const char *classes)
{
    protea_model_notes notes;
    protea_note note[PROTEA_MODEL_NOTES + 1];
    protea_model_notes_of(&notes, model);
    memcpy(note, notes.note, sizeof notes.note);
    note[PROTEA_MODEL_NOTES] = (protea_note){ PROTEA_META_CLASSES, classes };
    return protea_checkpoint_write(path, NULL, visit_model, (void *)model, note, /* only read */
                                   PROTEA_MODEL_NOTES + (classes != NULL));
}

protea_status protea_model_save(const protea_model *model, const char *path)
{
    char *classes = NULL;
    if (model->backbone == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: a model without a network is not saved", path);
    if (model->classes_named)
        PROTEA_TRY(protea_class_names_write(&classes, &model->classes));
    protea_status status = write_model(model, path, classes);
    free(classes);
    return status;
}
