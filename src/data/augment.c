/* One view: random resized crop, flip, colour jitter, gray, blur, solarise, normalise, as torchvision does it on PIL images. */
#include "data/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/pixels.h"

int protea_augment_group(const protea_augment_opts *opts, int view)
{
    int g = 0;
    for (; g < opts->nmb_crops.n - 1 && view >= (int)opts->nmb_crops.v[g]; g++)
        view -= (int)opts->nmb_crops.v[g];
    return g;
}

void protea_augment_buffer_release(protea_augment_buffer *b)
{
    protea_image_release(&b->view);
    protea_image_release(&b->tmp);
}

/* All of it that has an allowed ratio: what is left when ten tries did not fit. */
static protea_crop largest_centred(int w, int h, double min_ratio, double max_ratio)
{
    protea_crop r = { .w = w, .h = h };
    double ratio = (double)w / h;
    if (ratio < min_ratio)
        r.h = (int)rint(w / min_ratio);
    else if (ratio > max_ratio)
        r.w = (int)rint(h * max_ratio);
    r.h = r.h < 1 ? 1 : r.h > h ? h : r.h;
    r.w = r.w < 1 ? 1 : r.w > w ? w : r.w;
    r.x = (w - r.w) / 2;
    r.y = (h - r.h) / 2;
    return r;
}

/* torchvision's RandomResizedCrop.get_params. */
static protea_crop random_rectangle(int w, int h, double min_scale, double max_scale, const protea_augment_opts *opts,
                                  protea_rng *rng)
{
    double log_min = log(opts->min_ratio), log_max = log(opts->max_ratio);
    for (int attempt = 0; attempt < 10; attempt++) {
        double area = (double)w * h * (min_scale + (max_scale - min_scale) * protea_rng_uniform_double(rng));
        double ratio = exp(log_min + (log_max - log_min) * protea_rng_uniform_double(rng));
        double crop_w = rint(sqrt(area * ratio)), crop_h = rint(sqrt(area / ratio));
        if (crop_w < 1 || crop_h < 1 || crop_w > w || crop_h > h)
            continue;
        protea_crop r = { .w = (int)crop_w, .h = (int)crop_h };
        r.y = (int)protea_rng_below(rng, (uint64_t)(h - r.h) + 1);
        r.x = (int)protea_rng_below(rng, (uint64_t)(w - r.w) + 1);
        return r;
    }
    return largest_centred(w, h, opts->min_ratio, opts->max_ratio);
}

static bool happens(protea_rng *rng, double p)
{
    return protea_rng_uniform(rng) < p;
}

static protea_status crop_view(const protea_image *image, const protea_augment_opts *opts, int g, protea_rng *rng,
                               protea_augment_buffer *b)
{
    int size = (int)opts->size_crops.v[g];
    protea_crop r = random_rectangle(image->w, image->h, opts->min_scale_crops.v[g], opts->max_scale_crops.v[g], opts, rng);
    return protea_image_crop(&b->view, image, &r, size, size, happens(rng, opts->flip_p));
}

/* The central square, moved, and mirrored or not: what comes in from outside is black, as torchvision's RandomCrop with padding
 * has it. */
static protea_status shift_view(const protea_image *image, const protea_augment_opts *opts, int g, protea_rng *rng,
                                protea_augment_buffer *b)
{
    int size = (int)opts->size_crops.v[g], most = (int)(opts->pad * size + 0.5);
    PROTEA_TRY(protea_image_center(&b->tmp, image, size));
    PROTEA_TRY(protea_image_reserve(&b->view, size, size));
    int down = (int)protea_rng_below(rng, (uint64_t)(2 * most) + 1) - most;
    int right = (int)protea_rng_below(rng, (uint64_t)(2 * most) + 1) - most;
    int from = right < 0 ? -right : 0, to = right > 0 ? right : 0, wide = size - abs(right);
    memset(b->view.px, 0, (size_t)size * (size_t)size * 3);
    for (int y = 0; y < size; y++)
        if (y - down >= 0 && y - down < size)
            memcpy(b->view.px + 3 * (y * size + to), b->tmp.px + 3 * ((y - down) * size + from), 3 * (size_t)wide);
    if (happens(rng, opts->flip_p))
        protea_image_flip(&b->view);
    return PROTEA_OK;
}

static float factor(protea_rng *rng, double strength)
{
    double low = fmax(0, 1 - strength), high = 1 + strength;
    return (float)(low + (high - low) * protea_rng_uniform(rng));
}

/* Brightness, contrast, saturation and hue in a fresh random order. */
static void jitter(protea_image *view, const protea_augment_opts *opts, protea_rng *rng)
{
    int order[4] = { 0, 1, 2, 3 };
    for (int i = 3; i > 0; i--) {
        int j = (int)protea_rng_below(rng, (uint64_t)i + 1), swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    float brightness = factor(rng, opts->brightness), contrast = factor(rng, opts->contrast);
    float saturation = factor(rng, opts->saturation), hue = (float)(opts->hue * (2 * protea_rng_uniform_double(rng) - 1));
    for (int i = 0; i < 4; i++) {
        if (order[i] == 0 && opts->brightness > 0)
            protea_image_brightness(view, brightness);
        else if (order[i] == 1 && opts->contrast > 0)
            protea_image_contrast(view, contrast);
        else if (order[i] == 2 && opts->saturation > 0)
            protea_image_saturation(view, saturation);
        else if (order[i] == 3 && opts->hue > 0)
            protea_image_hue(view, hue);
    }
}

/* (h,w,3) bytes to (3,h,w) floats. */
static void normalise(float *x, const protea_image *view, const float mean[3], const float std[3])
{
    float scale[3], shift[3];
    for (int c = 0; c < 3; c++) {
        scale[c] = 1 / (255 * std[c]);
        shift[c] = -mean[c] / std[c];
    }
    protea_pixels()->colour->normalise(x, view->px, (size_t)view->w * (size_t)view->h, scale, shift);
}

protea_status protea_augment_view(float *x, const protea_image *image, const protea_augment_opts *opts, int view, protea_rng rng,
                                  const float mean[3], const float std[3], protea_augment_buffer *b)
{
    int g = protea_augment_group(opts, view);
    PROTEA_TRY(opts->pad > 0 ? shift_view(image, opts, g, &rng, b) : crop_view(image, opts, g, &rng, b));
    if (happens(&rng, opts->jitter_p))
        jitter(&b->view, opts, &rng);
    if (happens(&rng, opts->gray_p))
        protea_image_gray(&b->view);
    if (happens(&rng, opts->blur_p)) {
        double sigma = opts->blur_min + (opts->blur_max - opts->blur_min) * protea_rng_uniform_double(&rng);
        PROTEA_TRY(protea_image_blur(&b->view, (float)sigma));
    }
    if (happens(&rng, opts->solarize_p))
        protea_image_solarize(&b->view);
    normalise(x, &b->view, mean, std);
    return PROTEA_OK;
}

protea_status protea_plain_view(float *x, const protea_image *image, int size, const float mean[3], const float std[3],
                                protea_augment_buffer *b)
{
    PROTEA_TRY(protea_image_center(&b->view, image, size));
    normalise(x, &b->view, mean, std);
    return PROTEA_OK;
}
