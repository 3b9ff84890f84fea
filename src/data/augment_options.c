/* The options of the augmentation, and what they must fulfil together. */
#include "base/status.h"
#include "data/augment.h"

#define AT(field) offsetof(protea_augment_opts, field)
static const char swav[] = "SwAV (Caron et al. 2020), official scripts";
static const char torchvision[] = "torchvision RandomResizedCrop";

const protea_opt protea_augment_table[] = {
    { .key = "size_crops", .type = PROTEA_OPT_LIST, .offset = AT(size_crops), .def = "224,96", .min = 4, .max = 4096,
      .unit = "pixels", .help = "size of the crops of each resolution", .source = swav },
    { .key = "nmb_crops", .type = PROTEA_OPT_LIST, .offset = AT(nmb_crops), .def = "2,6", .min = 1, .max = 64,
      .unit = "crops", .help = "how many crops of each resolution", .source = swav },
    { .key = "min_scale_crops", .type = PROTEA_OPT_LIST, .offset = AT(min_scale_crops), .def = "0.14,0.05", .min = 1e-4,
      .max = 1, .unit = "of the area", .help = "smallest share of the picture a crop takes", .source = swav },
    { .key = "max_scale_crops", .type = PROTEA_OPT_LIST, .offset = AT(max_scale_crops), .def = "1,0.14", .min = 1e-4, .max = 1,
      .unit = "of the area", .help = "largest share of the picture a crop takes", .source = swav },
    { .key = "min_ratio", .type = PROTEA_OPT_FLOAT, .offset = AT(min_ratio), .def = "0.75", .min = 0.05, .max = 20,
      .help = "narrowest crop, width by height", .source = torchvision },
    { .key = "max_ratio", .type = PROTEA_OPT_FLOAT, .offset = AT(max_ratio), .def = "1.3333333333333333", .min = 0.05, .max = 20,
      .help = "widest crop, width by height", .source = torchvision },
    { .key = "pad", .type = PROTEA_OPT_FLOAT, .offset = AT(pad), .def = "0", .min = 0, .max = 0.5, .unit = "of the side",
      .help = "a view is the whole picture, shifted by up to this share each way, black outside, instead of a random crop; 0: no",
      .source = "arXiv:1512.03385: 4 of 32 pixels" },
    { .key = "flip_p", .type = PROTEA_OPT_FLOAT, .offset = AT(flip_p), .def = "0.5", .min = 0, .max = 1,
      .help = "probability of a mirror image", .source = swav },
    { .key = "jitter_p", .type = PROTEA_OPT_FLOAT, .offset = AT(jitter_p), .def = "0.8", .min = 0, .max = 1,
      .help = "probability of colour jitter", .source = swav },
    { .key = "brightness", .type = PROTEA_OPT_FLOAT, .offset = AT(brightness), .def = "0.8", .min = 0, .max = 10,
      .help = "jitter: factor drawn from 1 - x to 1 + x", .source = swav },
    { .key = "contrast", .type = PROTEA_OPT_FLOAT, .offset = AT(contrast), .def = "0.8", .min = 0, .max = 10,
      .help = "jitter: factor drawn from 1 - x to 1 + x", .source = swav },
    { .key = "saturation", .type = PROTEA_OPT_FLOAT, .offset = AT(saturation), .def = "0.8", .min = 0, .max = 10,
      .help = "jitter: factor drawn from 1 - x to 1 + x", .source = swav },
    { .key = "hue", .type = PROTEA_OPT_FLOAT, .offset = AT(hue), .def = "0.2", .min = 0, .max = 0.5, .unit = "turns",
      .help = "jitter: shift drawn from -x to x", .source = swav },
    { .key = "gray_p", .type = PROTEA_OPT_FLOAT, .offset = AT(gray_p), .def = "0.2", .min = 0, .max = 1,
      .help = "probability of a gray view", .source = swav },
    { .key = "blur_p", .type = PROTEA_OPT_FLOAT, .offset = AT(blur_p), .def = "0.5", .min = 0, .max = 1,
      .help = "probability of Gaussian blur", .source = swav },
    { .key = "blur_min", .type = PROTEA_OPT_FLOAT, .offset = AT(blur_min), .def = "0.1", .min = 0, .max = 100,
      .unit = "pixels", .help = "smallest sigma of the blur", .source = swav },
    { .key = "blur_max", .type = PROTEA_OPT_FLOAT, .offset = AT(blur_max), .def = "2", .min = 0, .max = 100, .unit = "pixels",
      .help = "largest sigma of the blur", .source = swav },
    { .key = "solarize_p", .type = PROTEA_OPT_FLOAT, .offset = AT(solarize_p), .def = "0", .min = 0, .max = 1,
      .help = "probability of solarisation", .source = "BYOL (Grill et al. 2020); SwAV uses none" },
    { 0 },
};

static protea_status check_group(const protea_augment_opts *o, int g)
{
    double size = o->size_crops.v[g], crops = o->nmb_crops.v[g];
    if (size != (double)(int)size || crops != (double)(int)crops)
        return protea_fail(PROTEA_ERR_USAGE, "--size-crops, --nmb-crops: found %g and %g, wanted whole numbers", size, crops);
    if (!(o->min_scale_crops.v[g] <= o->max_scale_crops.v[g]))
        return protea_fail(PROTEA_ERR_USAGE, "--min-scale-crops %g is above --max-scale-crops %g", o->min_scale_crops.v[g],
                           o->max_scale_crops.v[g]);
    return PROTEA_OK;
}

protea_status protea_augment_check(const protea_augment_opts *o)
{
    int n = o->size_crops.n;
    if (n < 1 || n > PROTEA_MAX_GROUPS || o->nmb_crops.n != n || o->min_scale_crops.n != n || o->max_scale_crops.n != n)
        return protea_fail(PROTEA_ERR_USAGE,
                           "--size-crops, --nmb-crops, --min-scale-crops, --max-scale-crops have %d, %d, %d, %d entries, wanted "
                           "equally many, 1 to %d",
                           n, o->nmb_crops.n, o->min_scale_crops.n, o->max_scale_crops.n, PROTEA_MAX_GROUPS);
    for (int g = 0; g < n; g++)
        PROTEA_TRY(check_group(o, g));
    if (!(o->min_ratio <= o->max_ratio))
        return protea_fail(PROTEA_ERR_USAGE, "--min-ratio %g is above --max-ratio %g", o->min_ratio, o->max_ratio);
    if (!(o->blur_min <= o->blur_max))
        return protea_fail(PROTEA_ERR_USAGE, "--blur-min %g is above --blur-max %g", o->blur_min, o->blur_max);
    return PROTEA_OK;
}

protea_batch protea_augment_batch(const protea_augment_opts *o, int64_t n_images)
{
    protea_batch b = { .n_images = n_images };
    for (int i = 0; i < o->size_crops.n; i++) {
        int64_t size = (int64_t)o->size_crops.v[i];
        if (i == 0 || size != b.group[b.n_groups - 1].size)
            b.group[b.n_groups++].size = size;
        b.group[b.n_groups - 1].n_views += (int)o->nmb_crops.v[i];
        b.n_views += (int)o->nmb_crops.v[i];
    }
    for (int g = 0; g < b.n_groups; g++) {
        protea_view_group *group = &b.group[g];
        group->x = (protea_tensor){ .dtype = PROTEA_F32, .n_dims = 4,
                                    .dim = { n_images * group->n_views, 3, group->size, group->size } };
    }
    return b;
}

const char *const protea_single_view_name[] = { "crop", "shift", "none" };

protea_augment_opts protea_augment_single(protea_single_view kind, int size)
{
    protea_augment_opts o = { .size_crops = { 1, { size } }, .nmb_crops = { 1, { 1 } }, .min_scale_crops = { 1, { 0.08 } },
                              .max_scale_crops = { 1, { 1 } }, .min_ratio = 3.0 / 4, .max_ratio = 4.0 / 3, .flip_p = 0.5 };
    if (kind == PROTEA_VIEW_SHIFT)
        o.pad = 0.125;
    if (kind == PROTEA_VIEW_PLAIN) {
        o.pad = 1e-9; /* a shift by no pixel */
        o.flip_p = 0;
    }
    return o;
}
