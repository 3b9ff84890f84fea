/* What labels add to a training run: domains, validation on images held out, a pre-trained encoder to start from. */
#ifndef PROTEA_API_TRAIN_LABELS_H
#define PROTEA_API_TRAIN_LABELS_H

#include "data/domains.h"
#include "eval/model.h"
#include "train/trainer.h"

typedef struct protea_label_opts {
    double holdout;
    int64_t val_freq, steps_per_epoch;
    int32_t replacement;
    char encoder[PROTEA_OPT_STRING_MAX];
} protea_label_opts;
extern const protea_opt protea_labels_table[];

typedef struct protea_labels {
    protea_label_opts opts;
    protea_domains domains;
    protea_model encoder;  /* what --encoder names; zero without */
} protea_labels;

void protea_labels_close(protea_labels *l);

/* Settles in options how much is held out, and holds it out. domains: opened.
 * Errors: PROTEA_ERR_USAGE (no share), PROTEA_ERR_MEMORY. */
protea_status protea_labels_split(protea_labels *l, protea_options *options, uint64_t seed);

/* Opens the encoder, if there is to be one, and settles network and stem by it. Errors: those of protea_model_open,
 * PROTEA_ERR_USAGE when the user asks for another network. */
protea_status protea_labels_open_encoder(protea_labels *l, protea_options *options, const protea_train_opts *o);
/* The encoder's network with its weights: *out, owned by the caller; each time a fresh one. */
protea_status protea_labels_take_encoder(protea_labels *l, protea_ctx *cx, protea_module **out);

/* Sampling, classes, validation, and the colours of an encoder, which was trained with them. */
void protea_labels_fit(const protea_labels *l, protea_trainer *t);

/* Whether there are images to validate with. */
bool protea_labels_hold_out(const protea_labels *l);
/* Mean over the domains, which the log tells one by one where there are several, of the
 * share of their held-out images that the classifier gets right. */
protea_status protea_labels_validate(const protea_labels *l, protea_ctx *cx, const protea_model *model, double *accuracy);

#endif
