#include "eval/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/options_internal.h"
#include "eval/model_file.h"
#include "eval/recognise.h"
#include "eval/weights.h"
#include "nn/layers.h"
#include "train/checkpoint.h"

#define BACKBONE "backbone."
enum { LARGEST_PIXELS = 256 }; /* 3 x 256 x 256 numbers an image: beyond that, raw pixels need a size on purpose */

/* ---- which file */

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

protea_status protea_run_file_open(protea_st_file **file, const char *run, const char *name)
{
    char *path;
    PROTEA_TRY(protea_path_join(&path, run, name));
    protea_status status = access(path, F_OK) == 0 ? protea_st_open(file, path) : PROTEA_OK;
    protea_free(path);
    return status;
}

/* The classifier of a run, else its newest good checkpoint, or its encoder where the checkpoints were cleared away. */
static protea_status open_run(const protea_ctx *cx, protea_st_file **file, const char *run)
{
    PROTEA_TRY(protea_run_file_open(file, run, PROTEA_RUN_MODEL));
    if (*file == NULL)
        PROTEA_TRY(protea_checkpoint_open(cx, file, run));
    if (*file == NULL)
        PROTEA_TRY(protea_run_file_open(file, run, PROTEA_RUN_ENCODER));
    if (*file != NULL)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: a directory without %s or %s; wanted a run, a .safetensors file or the word pixels",
                       run, PROTEA_RUN_CHECKPOINT, PROTEA_RUN_ENCODER);
}

protea_status protea_model_file_open(const protea_ctx *cx, protea_st_file **file, const char *name)
{
    *file = NULL;
    return is_directory(name) ? open_run(cx, file, name) : protea_st_open(file, name);
}

static const char *prefix_of(const protea_st_file *file)
{
    return protea_st_find(file, BACKBONE "conv1.weight") != NULL ? BACKBONE : "";
}

/* ---- the backbone */

static protea_status visit_backbone(void *self, const protea_visitor *v)
{
    return protea_visit(self, "", v);
}

/* A classifier on top is no fault: torchvision's files end with one. */
static bool backbone_unexpected(const char *name)
{
    return strcmp(name, "fc.weight") != 0 && strcmp(name, "fc.bias") != 0;
}

/* A network like the model's. */
static protea_status new_backbone(void *self, protea_module **out, protea_rng *rng)
{
    const protea_model *model = self;
    protea_resnet_opts opts = { .small_stem = model->small_stem };
    memcpy(opts.arch, model->arch, sizeof opts.arch);
    return protea_resnet_new(out, &opts, rng);
}

static protea_status load_backbone(protea_model *model, const protea_st_file *file)
{
    const char *prefix = prefix_of(file);
    PROTEA_TRY(protea_recognise(model, file, prefix, model->path));
    PROTEA_TRY(new_backbone(model, &model->backbone, NULL)); /* every weight is read */
    model->dim = model->backbone->out_dim;
    const protea_weights_load load = { file, model->path, prefix, backbone_unexpected };
    return protea_weights_read(&load, visit_backbone, model->backbone);
}

static void set_pixels(protea_model *model, int size)
{
    model->image_size = size;
    model->dim = 3 * (int64_t)size * size;
}

protea_status protea_model_open(protea_ctx *cx, protea_model *model, const char *name, int image_size)
{
    *model = (protea_model){ .std = { 1, 1, 1 } };
    if (strcmp(name, "pixels") == 0) {
        model->pixels = true;
        snprintf(model->path, sizeof model->path, "pixels");
        set_pixels(model, image_size);
        return PROTEA_OK;
    }
    if (snprintf(model->path, sizeof model->path, "%s", name) >= (int)sizeof model->path)
        return protea_fail(PROTEA_ERR_INPUT, "%.200s...: the path is too long", name);
    protea_st_file *file;
    PROTEA_TRY(protea_model_file_open(cx, &file, name));
    protea_status status = load_backbone(model, file);
    protea_st_close(file);
    if (image_size > 0)
        model->image_size = image_size;
    return status;
}

void protea_model_close(protea_model *model)
{
    protea_module_free(model->backbone);
    protea_module_free(model->fc);
    protea_class_names_release(&model->classes);
    if (model->ops != NULL && model->method_self != NULL)
        model->ops->free(model->method_self);
    protea_free(model->method_self);
    *model = (protea_model){ 0 };
}

protea_status protea_model_fit(protea_model *model, protea_source *source)
{
    if (model->image_size > 0)
        return PROTEA_OK;
    protea_image image = { 0 };
    protea_status status = PROTEA_ERR_INPUT;
    for (int64_t i = 0; status == PROTEA_ERR_INPUT && i < protea_source_count(source); i++)
        status = protea_source_read(source, i, &image);
    int side = image.w < image.h ? image.w : image.h;
    protea_image_release(&image);
    PROTEA_TRY(status);
    if (side > LARGEST_PIXELS)
        return protea_fail(PROTEA_ERR_USAGE, "pixels: the first image's short side is %d; say --image-size, at most %d makes sense",
                           side, LARGEST_PIXELS);
    set_pixels(model, side);
    return PROTEA_OK;
}

/* ---- the head */

/* What the record of a run says to its method: the other keys are the trainer's, the optimiser's, the augmentation's. */
typedef struct method_record {
    protea_options *options;
    int64_t batch_size;
} method_record;

static protea_status note_option(void *self, int line, const char *key, const char *const *items, int n, bool is_list)
{
    method_record *record = self;
    char text[PROTEA_OPT_STRING_MAX] = "";
    (void)line;
    (void)is_list;
    if (strcmp(key, "batch_size") == 0 && n == 1)
        record->batch_size = strtoll(items[0], NULL, 10);
    if (protea_options_find(record->options, key) == NULL)
        return PROTEA_OK;
    for (int i = 0, len = 0; i < n && len < (int)sizeof text; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, i ? ",%s" : "%s", items[i]);
    return protea_options_set(record->options, key, text, PROTEA_FROM_CONFIG);
}

static protea_status read_record(method_record *record, protea_model *model, const char *yaml)
{
    record->options = protea_options_new();
    if (record->options == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options: memory could not be had");
    protea_status status = protea_options_add(record->options, model->method, model->ops->opts, model->method_self);
    if (status == PROTEA_OK)
        status = protea_yaml_walk(yaml, strlen(yaml), model->path, note_option, record);
    protea_options_free(record->options);
    return status;
}

typedef struct head_of { const protea_method_ops *ops; void *self; } head_of;

static protea_status visit_head(void *self, const protea_visitor *v)
{
    const head_of *h = self;
    return h->ops->visit(h->self, v);
}

static protea_status load_head(protea_ctx *cx, protea_model *model, const protea_st_file *file)
{
    const char *yaml = protea_st_metadata(file, "protea.config");
    if (*prefix_of(file) == 0 || yaml == NULL || model->method[0] == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: holds a backbone and no head; wanted the run or its checkpoint.safetensors",
                           model->path);
    PROTEA_TRY(protea_method_find(&model->ops, model->method));
    if (model->ops->head == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: the method %s has no head", model->path, model->method);
    PROTEA_TRY(protea_new(&model->method_self, 1, model->ops->size, "the method"));
    method_record record = { 0 };
    PROTEA_TRY(read_record(&record, model, yaml));
    const protea_progress plan = { .n_epochs = 1, .steps_per_epoch = 1, .batch_size = record.batch_size,
                                   .new_backbone = new_backbone, .self = model };
    protea_rng rng = protea_rng_make(0, PROTEA_RNG_INIT, 0, 0, 0);
    protea_ctx quiet = *cx; /* what init warns of concerns training */
    quiet.log = NULL;
    PROTEA_TRY(model->ops->init(&quiet, model->method_self, model->backbone, &plan, &rng));
    head_of head = { model->ops, model->method_self };
    const protea_weights_load load = { file, model->path, "", NULL };
    PROTEA_TRY(protea_weights_read(&load, visit_head, &head));
    model->head_dim = model->ops->head_dim(model->method_self);
    return PROTEA_OK;
}

protea_status protea_model_open_head(protea_ctx *cx, protea_model *model)
{
    if (model->pixels)
        return protea_fail(PROTEA_ERR_USAGE, "--features head: pixels have no head");
    protea_st_file *file;
    PROTEA_TRY(protea_model_file_open(cx, &file, model->path));
    protea_status status = load_head(cx, model, file);
    protea_st_close(file);
    return status;
}
