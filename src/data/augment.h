/* Views of an image: multi-crop augmentation. Random numbers are keyed by (seed, epoch, dataset index, view), so a view
 * does not depend on who computes it. */
#ifndef PROTEA_DATA_AUGMENT_H
#define PROTEA_DATA_AUGMENT_H

#include <protea/options.h>

#include "data/batch.h"
#include "image/image.h"

typedef struct protea_augment_opts {
    protea_list size_crops, nmb_crops, min_scale_crops, max_scale_crops; /* same n: an entry per kind of crop */
    double min_ratio, max_ratio;                     /* 3/4, 4/3 */
    double pad;                                      /* 0; else a shift instead of a random crop: share of the side */
    double flip_p;                                   /* 0.5 */
    double jitter_p, brightness, contrast, saturation, hue; /* 0.8; 0.8 0.8 0.8 0.2 */
    double gray_p;                                   /* 0.2 */
    double blur_p, blur_min, blur_max;               /* 0.5; 0.1 2.0 */
    double solarize_p;                               /* 0 */
} protea_augment_opts;
extern const protea_opt protea_augment_table[];

/* Errors: PROTEA_ERR_USAGE when lists differ in length or a scale range is empty. */
protea_status protea_augment_check(const protea_augment_opts *opts);
/* Entry of the lists that view v is made by, views numbered entry by entry. */
int protea_augment_group(const protea_augment_opts *opts, int view);
/* The batch that n_images give: groups, views and shapes, no data. Neighbouring entries of one size are one group, so that
 * a method runs the backbone once for them, as SwAV's reference code does. */
protea_batch protea_augment_batch(const protea_augment_opts *opts, int64_t n_images);

/* One view of an image, for training with labels: a random crop of 0.08 to 1 of its area (torchvision's RandomResizedCrop), or
 * the whole picture shifted by up to an eighth of the side (arXiv:1512.03385, sec. 4.2), each mirrored half the time; or that of
 * protea_plain_view. */
typedef enum protea_single_view { PROTEA_VIEW_CROP, PROTEA_VIEW_SHIFT, PROTEA_VIEW_PLAIN } protea_single_view;
protea_augment_opts protea_augment_single(protea_single_view kind, int size);
/* What options call them. */
#define PROTEA_SINGLE_VIEWS "crop|shift|none"
extern const char *const protea_single_view_name[];

/* Scratch of one worker. */
typedef struct protea_augment_buffer { protea_image view, tmp; } protea_augment_buffer;
void protea_augment_buffer_release(protea_augment_buffer *b);

/* One view: x (3,S,S) f32, (value/255 - mean) / std; S is the size of the view's group. */
protea_status protea_augment_view(float *x, const protea_image *image, const protea_augment_opts *opts, int view, protea_rng rng,
                                  const float mean[3], const float std[3], protea_augment_buffer *b);

/* The plain view for features: short side to size, central square, normalised. */
protea_status protea_plain_view(float *x, const protea_image *image, int size, const float mean[3], const float std[3],
                                protea_augment_buffer *b);

#endif
