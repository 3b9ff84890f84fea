#include "api/train_labels.h"

#include <stdio.h>
#include <string.h>

#include "eval/classify.h"

#define FIELD(name) offsetof(protea_label_opts, name)
const protea_opt protea_labels_table[] = {
    { .key = "holdout", .type = PROTEA_OPT_FLOAT, .offset = FIELD(holdout), .def = "-1", .min = -1, .max = 0.9,
      .help = "share of each class of each DATA that chooses the best epoch; 0: none, the last epoch is the model; -1: a tenth, of "
              "each of several DATA a fifth",
      .source = "DomainBed: 0.2" },
    { .key = "val_freq", .aliases = "checkpoint_val", .type = PROTEA_OPT_INT, .offset = FIELD(val_freq), .def = "1", .min = 1,
      .max = 1e6, .unit = "epochs", .help = "epochs between validations; the last is always validated" },
    { .key = "steps_per_epoch", .type = PROTEA_OPT_INT, .offset = FIELD(steps_per_epoch), .def = "0", .min = 0, .max = 1e9,
      .unit = "steps", .help = "length of an epoch; 0: a pass over the images", .source = "DeepDG, TSD's code: 100" },
    { .key = "replacement", .type = PROTEA_OPT_BOOL, .offset = FIELD(replacement), .def = "false",
      .help = "draw every image from its whole domain anew, instead of walking through it", .source = "DomainBed: true" },
    { .key = "encoder", .type = PROTEA_OPT_STRING, .offset = FIELD(encoder), .def = "",
      .help = "a run or file whose backbone the training starts from; its network, stem and colours are taken over" },
    { 0 },
};

void protea_labels_close(protea_labels *l)
{
    protea_domains_close(&l->domains);
    protea_model_close(&l->encoder);
}

/* ---- the holdout */

protea_status protea_labels_split(protea_labels *l, protea_options *options, uint64_t seed)
{
    const double automatic = -1;
    if (l->opts.holdout < 0 && l->opts.holdout != automatic)
        return protea_fail(PROTEA_ERR_USAGE, "--holdout %g: wanted a share from 0 to 0.9, or -1", l->opts.holdout);
    if (l->opts.holdout < 0)
        PROTEA_TRY(protea_options_set(options, "holdout", l->domains.n > 1 ? "0.2" : "0.1", PROTEA_FROM_FLAG));
    return protea_domains_split(&l->domains, l->opts.holdout, seed);
}

/* ---- the encoder */

/* What the user asked for must be what the encoder is; a recipe's choice gives way to it. */
static protea_status settle(protea_options *options, const char *key, const char *asked, const char *is, const char *encoder)
{
    if (protea_options_given(options, key) && strcmp(asked, is) != 0)
        return protea_fail(PROTEA_ERR_USAGE, "--%s %s: the encoder %s has %s; leave --%s out", key, asked, encoder, is, key);
    return protea_options_set(options, key, is, PROTEA_FROM_FLAG);
}

protea_status protea_labels_open_encoder(protea_labels *l, protea_options *options, const protea_train_opts *o)
{
    static const char *const stems[] = { "auto", "small", "large" };
    protea_ctx quiet = { 0 };
    if (l->opts.encoder[0] == 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_model_open(&quiet, &l->encoder, l->opts.encoder, 0));
    if (l->encoder.pixels)
        return protea_fail(PROTEA_ERR_USAGE, "--encoder pixels: raw images have no weights; wanted a run or a file");
    PROTEA_TRY(settle(options, "arch", o->arch, l->encoder.arch, l->opts.encoder));
    return settle(options, "stem", stems[o->stem], l->encoder.small_stem ? "small" : "large", l->opts.encoder);
}

protea_status protea_labels_take_encoder(protea_labels *l, protea_ctx *cx, protea_module **out)
{
    protea_model again;
    protea_status status = protea_model_open(cx, &again, l->opts.encoder, 0);
    *out = again.backbone;
    again.backbone = NULL;
    protea_model_close(&again);
    return status;
}

/* ---- the run */

void protea_labels_fit(const protea_labels *l, protea_trainer *t)
{
    t->sampling = (protea_sampling){ .n_domains = l->domains.n, .first = l->domains.first, .steps = l->opts.steps_per_epoch,
                                     .replacement = l->opts.replacement != 0 };
    t->classes = &l->domains.classes;
    t->val_freq = l->opts.val_freq;
    if (l->encoder.backbone == NULL)
        return;
    memcpy(t->mean, l->encoder.mean, sizeof t->mean);
    memcpy(t->std, l->encoder.std, sizeof t->std);
}

/* ---- validation */

bool protea_labels_hold_out(const protea_labels *l)
{
    for (int d = 0; d < l->domains.n; d++)
        if (l->domains.held_out[d] != NULL)
            return true;
    return false;
}

static protea_status accuracy_of(protea_ctx *cx, const protea_model *model, protea_source *source, double *accuracy)
{
    protea_classified c;
    protea_status status = protea_classify(cx, &c, model, source, NULL, NULL, NULL);
    *accuracy = c.n_labelled > 0 ? (double)c.n_correct / (double)c.n_labelled : 0;
    protea_classified_release(&c);
    return status;
}

protea_status protea_labels_validate(const protea_labels *l, protea_ctx *cx, const protea_model *model, double *accuracy)
{
    double sum = 0, of_domain;
    char each[16 * PROTEA_MAX_DOMAINS] = "";
    int measured = 0, len = 0;
    for (int d = 0; d < l->domains.n; d++) {
        if (l->domains.held_out[d] == NULL)
            continue;
        PROTEA_TRY(accuracy_of(cx, model, l->domains.held_out[d], &of_domain));
        len += snprintf(each + len, sizeof each - (size_t)len, " %.4f", of_domain);
        sum += of_domain;
        measured++;
    }
    if (measured > 1)
        protea_log(cx, PROTEA_LOG_INFO, "val accuracy of each DATA:%s", each);
    *accuracy = sum / measured;
    return PROTEA_OK;
}
