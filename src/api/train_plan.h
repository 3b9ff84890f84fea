/* What a training run settles before it starts: recipe, sizes, colours. */
#ifndef PROTEA_API_TRAIN_PLAN_H
#define PROTEA_API_TRAIN_PLAN_H

#include "data/augment.h"
#include "data/source.h"
#include "train/trainer.h"

/* Reads the recipe, and settles image size, stem and crop sizes in the options (which fill o and a). What the user gave
 * stays. Errors: PROTEA_ERR_USAGE (no such recipe, crops that cannot be), PROTEA_ERR_INPUT (no usable image). */
protea_status protea_train_plan(protea_options *options, const protea_train_opts *o, const protea_augment_opts *a,
                                const char *method, protea_source *source);

/* Mean and deviation of colours by o->normalize, over values in 0..1. */
protea_status protea_train_colours(float mean[3], float std[3], const protea_train_opts *o, protea_source *source);

#endif
