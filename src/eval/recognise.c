#include "eval/recognise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/layers.h"

/* torchvision's ResNets by what can be seen in a file: width of the first stage, blocks of the four stages. */
typedef struct resnet_shape {
    const char *arch;
    bool bottleneck;
    int64_t width;
    int depth[4];
} resnet_shape;

static const resnet_shape resnet_shapes[] = {
    { "resnet18", false, 64, { 2, 2, 2, 2 } },     { "resnet18-w16", false, 16, { 2, 2, 2, 2 } },
    { "resnet18-w32", false, 32, { 2, 2, 2, 2 } }, { "resnet34", false, 64, { 3, 4, 6, 3 } },
    { "resnet50", true, 64, { 3, 4, 6, 3 } },      { "resnet50w2", true, 128, { 3, 4, 6, 3 } },
    { "resnet50w4", true, 256, { 3, 4, 6, 3 } },   { "resnet50w5", true, 320, { 3, 4, 6, 3 } },
    { "resnet101", true, 64, { 3, 4, 23, 3 } },
};
enum { N_SHAPES = sizeof resnet_shapes / sizeof *resnet_shapes, MOST_BLOCKS = 64 };

static const protea_tensor *find(const protea_st_file *file, const char *prefix, const char *name)
{
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return protea_st_find(file, full);
}

static int count_blocks(const protea_st_file *file, const char *prefix, int stage)
{
    char name[64];
    int n = 0;
    do
        snprintf(name, sizeof name, "layer%d.%d.conv1.weight", stage, n);
    while (n < MOST_BLOCKS && find(file, prefix, name) != NULL && ++n);
    return n;
}

static protea_status recognise_shapes(protea_model *model, const protea_st_file *file, const char *prefix, const char *path)
{
    const protea_tensor *stem = find(file, prefix, "conv1.weight");
    if (stem == NULL || stem->n_dims != 4 || stem->dim[1] != 3 || (stem->dim[2] != 7 && stem->dim[2] != 3))
        return protea_fail(PROTEA_ERR_INPUT,
                           "%s: no metadata, and no conv1.weight of shape (C, 3, 7, 7) or (C, 3, 3, 3); wanted a model of "
                           "Protea or a ResNet with torchvision's names", path);
    resnet_shape seen = { NULL, find(file, prefix, "layer1.0.conv3.weight") != NULL, stem->dim[0], { 0 } };
    for (int stage = 0; stage < 4; stage++)
        seen.depth[stage] = count_blocks(file, prefix, stage + 1);
    for (int i = 0; i < N_SHAPES; i++) {
        const resnet_shape *known = &resnet_shapes[i];
        if (known->bottleneck != seen.bottleneck || known->width != seen.width ||
            memcmp(known->depth, seen.depth, sizeof seen.depth))
            continue;
        snprintf(model->arch, sizeof model->arch, "%s", known->arch);
        model->small_stem = stem->dim[2] == 3;
        return PROTEA_OK;
    }
    return protea_fail(PROTEA_ERR_INPUT, "%s: a ResNet of %d, %d, %d, %d %s blocks and width %lld is none of the known ones", path,
                       seen.depth[0], seen.depth[1], seen.depth[2], seen.depth[3], seen.bottleneck ? "bottleneck" : "basic",
                       (long long)seen.width);
}

static protea_status bad_metadata(const char *path, const char *key, const char *found, const char *wanted)
{
    return protea_fail(PROTEA_ERR_INPUT, "%s: %s: %s found, %s wanted", path, key, found ? found : "nothing", wanted);
}

static protea_status read_three(float out[3], const protea_st_file *file, const char *key, const char *path)
{
    const char *text = protea_st_metadata(file, key);
    char *end = NULL;
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        double value = at ? strtod(at, &end) : 0;
        if (at == NULL || end == at || *end != (i < 2 ? ',' : 0) || !(value > -1e3 && value < 1e3))
            return bad_metadata(path, key, text, "three numbers r,g,b");
        out[i] = (float)value;
        at = end + 1;
    }
    return PROTEA_OK;
}

static protea_status read_metadata(protea_model *model, const protea_st_file *file, const char *path)
{
    const char *format = protea_st_metadata(file, "protea.format"), *arch = protea_st_metadata(file, "protea.arch");
    const char *stem = protea_st_metadata(file, "protea.stem"), *size = protea_st_metadata(file, "protea.image_size");
    const char *method = protea_st_metadata(file, "protea.method");
    if (strcmp(format, "1") != 0)
        return bad_metadata(path, "protea.format", format, "1");
    if (arch == NULL || strlen(arch) >= sizeof model->arch)
        return bad_metadata(path, "protea.arch", arch, "the name of a network");
    if (stem == NULL || (strcmp(stem, "small") != 0 && strcmp(stem, "large") != 0))
        return bad_metadata(path, "protea.stem", stem, "small or large");
    long pixels = size ? strtol(size, NULL, 10) : 0;
    if (pixels < 1 || pixels > 4096)
        return bad_metadata(path, "protea.image_size", size, "1 to 4096");
    snprintf(model->arch, sizeof model->arch, "%s", arch);
    snprintf(model->method, sizeof model->method, "%s", method ? method : "");
    model->small_stem = *stem == 's';
    model->image_size = (int)pixels;
    PROTEA_TRY(read_three(model->mean, file, "protea.mean", path));
    PROTEA_TRY(read_three(model->std, file, "protea.std", path));
    for (int i = 0; i < 3; i++)
        if (!(model->std[i] > 0))
            return bad_metadata(path, "protea.std", protea_st_metadata(file, "protea.std"), "numbers above 0");
    return PROTEA_OK;
}

protea_status protea_recognise(protea_model *model, const protea_st_file *file, const char *prefix, const char *path)
{
    if (protea_st_metadata(file, "protea.format") != NULL)
        return read_metadata(model, file, path);
    PROTEA_TRY(recognise_shapes(model, file, prefix, path));
    /* What torchvision's own weights are used with (ImageNet), and what CIFAR networks are. */
    static const float mean[2][3] = { { 0.485f, 0.456f, 0.406f }, { 0.4914f, 0.4822f, 0.4465f } };
    static const float std[2][3] = { { 0.229f, 0.224f, 0.225f }, { 0.2470f, 0.2435f, 0.2616f } };
    memcpy(model->mean, mean[model->small_stem], sizeof model->mean);
    memcpy(model->std, std[model->small_stem], sizeof model->std);
    model->image_size = model->small_stem ? 32 : 224;
    return PROTEA_OK;
}
