#include "api/train_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Up to here images are small: their recipe, their stem, their colours. */
enum { SMALL_SIDE = 64, LARGEST_DEFAULT = 224, N_PROBES = 16, N_COLOUR_IMAGES = 2000 };
enum { NORMALIZE_AUTO, NORMALIZE_IMAGENET, NORMALIZE_CIFAR, NORMALIZE_DATA };

static int by_value(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Bad images are; want of memory is not theirs. */
static bool is_passed_over(protea_status status)
{
    return status == PROTEA_OK || status == PROTEA_ERR_INPUT;
}

/* Median short side of a few images from all over the set; bad ones are passed over. */
static protea_status probe_side(int *side, protea_source *source)
{
    int sides[N_PROBES], n = 0;
    int64_t count = protea_source_count(source);
    protea_image image = { 0 };
    protea_status status = PROTEA_OK;
    for (int64_t i = 0; i < N_PROBES && i < count && is_passed_over(status); i++) {
        int64_t index = count < N_PROBES ? i : i * count / N_PROBES;
        status = protea_source_read(source, index, &image);
        if (status == PROTEA_OK)
            sides[n++] = image.w < image.h ? image.w : image.h;
    }
    protea_image_release(&image);
    if (!is_passed_over(status))
        return status;
    if (n == 0)
        return protea_fail(PROTEA_ERR_INPUT, "DATA: none of its first %d images can be decoded (%s)", N_PROBES,
                           protea_last_error());
    qsort(sides, (size_t)n, sizeof *sides, by_value);
    *side = sides[n / 2];
    return PROTEA_OK;
}

static protea_status set_number(protea_options *options, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return protea_options_set(options, key, text, PROTEA_FROM_RECIPE);
}

/* A recipe's first crop is the whole image; all of them keep their proportion to it. */
static protea_status scale_crops(protea_options *options, const protea_augment_opts *a, int64_t image_size)
{
    char text[32 * PROTEA_LIST_MAX] = "";
    double whole = a->size_crops.v[0];
    size_t used = 0;
    for (int i = 0; i < a->size_crops.n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.0f", i > 0 ? "," : "",
                                 round(a->size_crops.v[i] * (double)image_size / whole));
    return protea_options_set(options, "size_crops", text, PROTEA_FROM_RECIPE);
}

static protea_status choose_recipe(protea_options *options, const char *method, const char *given, int64_t side)
{
    char name[PROTEA_OPT_STRING_MAX];
    if (given[0] != 0)
        return protea_options_read_recipe(options, given);
    snprintf(name, sizeof name, "%s-%s", method, side <= SMALL_SIDE ? "small" : "photos");
    PROTEA_TRY(protea_options_read_recipe(options, name));
    return protea_options_set(options, "recipe", name, PROTEA_FROM_RECIPE);
}

protea_status protea_train_plan(protea_options *options, const protea_train_opts *o, const protea_augment_opts *a,
                                const char *method, protea_source *source)
{
    int side = 0;
    PROTEA_TRY(probe_side(&side, source));
    bool own_crops = protea_options_given(options, "size_crops") != 0;
    PROTEA_TRY(choose_recipe(options, method, o->recipe, o->image_size > 0 ? o->image_size : side));
    if (o->image_size == 0)
        PROTEA_TRY(set_number(options, "image_size", side < LARGEST_DEFAULT ? side : LARGEST_DEFAULT));
    if (!own_crops)
        PROTEA_TRY(scale_crops(options, a, o->image_size));
    if (o->stem == PROTEA_STEM_AUTO)
        PROTEA_TRY(protea_options_set(options, "stem", o->image_size <= SMALL_SIDE ? "small" : "large", PROTEA_FROM_FLAG));
    return protea_augment_check(a);
}

/* ---- colours */

typedef struct colour_sums {
    double n, sum[3], square[3];
} colour_sums;

static void add_image(colour_sums *s, const protea_image *image)
{
    size_t n = (size_t)image->w * (size_t)image->h;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            double v = image->px[3 * i + (size_t)c] / 255.0;
            s->sum[c] += v;
            s->square[c] += v * v;
        }
    s->n += (double)n;
}

/* Over at most N_COLOUR_IMAGES images from all over the set. */
static protea_status measure_colours(float mean[3], float std[3], protea_source *source)
{
    colour_sums s = { 0 };
    protea_image image = { 0 };
    int64_t count = protea_source_count(source), n = count < N_COLOUR_IMAGES ? count : N_COLOUR_IMAGES;
    protea_status status = PROTEA_OK;
    for (int64_t i = 0; i < n && is_passed_over(status); i++) {
        status = protea_source_read(source, i * count / n, &image);
        if (status == PROTEA_OK)
            add_image(&s, &image);
    }
    protea_image_release(&image);
    if (!is_passed_over(status))
        return status;
    if (s.n == 0)
        return protea_fail(PROTEA_ERR_INPUT, "--normalize data: no image can be decoded (%s)", protea_last_error());
    for (int c = 0; c < 3; c++) {
        double m = s.sum[c] / s.n, variance = s.square[c] / s.n - m * m;
        mean[c] = (float)m;
        std[c] = (float)fmax(sqrt(fmax(variance, 0)), 1.0 / 255); /* a set of one colour must not divide by zero */
    }
    return PROTEA_OK;
}

protea_status protea_train_colours(float mean[3], float std[3], const protea_train_opts *o, protea_source *source)
{
    /* torchvision's statistics of ImageNet; those of CIFAR-10's 50,000 training images. */
    static const float imagenet[2][3] = { { 0.485f, 0.456f, 0.406f }, { 0.229f, 0.224f, 0.225f } };
    static const float cifar[2][3] = { { 0.4914f, 0.4822f, 0.4465f }, { 0.2470f, 0.2435f, 0.2616f } };
    bool small = o->image_size <= SMALL_SIDE;
    if (o->normalize == NORMALIZE_DATA)
        return measure_colours(mean, std, source);
    bool like_cifar = o->normalize == NORMALIZE_CIFAR || (o->normalize == NORMALIZE_AUTO && small);
    memcpy(mean, like_cifar ? cifar[0] : imagenet[0], 3 * sizeof *mean);
    memcpy(std, like_cifar ? cifar[1] : imagenet[1], 3 * sizeof *std);
    return PROTEA_OK;
}
