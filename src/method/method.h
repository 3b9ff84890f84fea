/* The seam for methods: what one training step means. The trainer, the command, the checkpoint and the loader know
 * no method by name; a new method is one file here, one line in method_list.h, one recipe and one test. */
#ifndef PROTEA_METHOD_METHOD_H
#define PROTEA_METHOD_METHOD_H

#include <protea/options.h>

#include "data/batch.h"
#include "nn/module.h"

/* A number a method wants in the log, beside the loss: health (collapse), counts. */
enum { PROTEA_MAX_METRICS = 16 };
typedef struct protea_metric {
    const char *name;   /* constant */
    double value;
} protea_metric;

typedef struct protea_step_out {
    double loss;
    int n_metrics;
    protea_metric metric[PROTEA_MAX_METRICS];
} protea_step_out;

/* Where training stands; handed to epoch_begin and step. */
typedef struct protea_progress {
    int64_t epoch, n_epochs;            /* from 0 */
    int64_t step, steps_per_epoch;      /* over the whole run, from 0 */
    int64_t n_images;                   /* in the data set */
    int64_t batch_size;                 /* images per step over all ranks */
    int n_classes;                      /* of the labels, for methods with a classifier; else 0 */
    /* Runs an encoder over the data set on plain centred views, in the data set's order: z (n_images, D) heap memory
     * of the caller. For PCL's E-step. Collective. */
    protea_status (*features)(void *self, protea_module *encoder, float *z, int64_t dim);
    /* Hands out this epoch's training batches from the first, as step would get them; *out NULL at the end. For
     * DeepCluster-v2's first bank. */
    protea_status (*next_batch)(void *self, const protea_batch **out);
    /* Builds another backbone like the one that init is handed, weights drawn from rng; *out: owned by the caller. For
     * momentum encoders, in init. */
    protea_status (*new_backbone)(void *self, protea_module **out, protea_rng *rng);
    void *self;
} protea_progress;

/* What an option with PROTEA_OPT_SCALES says in steps or in epochs of this run. */
static inline double protea_in_steps(const protea_progress *now, int64_t field)
{
    return protea_length((double)field, (double)(now->n_epochs * now->steps_per_epoch));
}
static inline double protea_in_epochs(const protea_progress *now, int64_t field)
{
    return protea_length((double)field, (double)now->n_epochs);
}

typedef struct protea_method_ops {
    char name[24];                /* the word after `train`; an array, so that tables of names are constants */
    const char *summary, *paper;
    size_t size;                  /* of the method's struct: zeroed, then its options filled in, then init */
    const protea_opt *opts;       /* offsets into the method's struct */
    bool zero_init_residual;      /* wants a backbone whose last gamma of each block starts at 0 */
    /* Flags that stand for several options (MoCo's --aug-plus): sets those, with PROTEA_FROM_RECIPE, so that what is given
     * itself wins. Called when recipe and flags are read, before init. May be NULL. */
    protea_status (*settle)(protea_options *options);
    /* backbone (borrowed, feat_dim = backbone->out_dim) lives with the trainer. rng draws initial weights.
     * plan: batch_size, n_images, steps_per_epoch and new_backbone are set, so what cannot work is refused here
     * (PROTEA_ERR_USAGE). n_images 0: only the head is wanted, to be read from a checkpoint; what belongs to a data set (a
     * memory bank) is then neither made nor visited. */
    protea_status (*init)(protea_ctx *cx, void *self, protea_module *backbone, const protea_progress *plan, protea_rng *rng);
    protea_status (*epoch_begin)(protea_ctx *cx, void *self, const protea_progress *now);   /* may be NULL */
    /* Forward, loss, backward: gradients are left in the parameters (zero before). */
    protea_status (*step)(protea_ctx *cx, void *self, const protea_batch *batch, const protea_progress *now, protea_step_out *out);
    protea_status (*after_update)(protea_ctx *cx, void *self, const protea_progress *now);  /* may be NULL */
    /* Everything but the backbone: heads, prototypes, queue, target network. */
    protea_status (*visit)(void *self, const protea_visitor *v);
    /* What a healthy step looks like: writes a warning with its remedy into text (size bytes) and returns true when the
     * running means of the metrics say that the run has collapsed. May be NULL. */
    bool (*sick)(const void *self, const protea_step_out *mean, char *text, size_t size);
    /* Head features of images for `embed --features head`: rows (N, D) from pooled features. May be NULL. */
    protea_status (*head)(protea_ctx *cx, void *self, const protea_pass *pass, const protea_tensor *features, protea_tensor *y);
    int64_t (*head_dim)(const void *self);
    /* Of a method that learns classes: the linear layer (N, D) -> logits (N, n_classes) on pooled features, borrowed; visit
     * names it "fc". Images without labels are then refused, and the trainer keeps a model for use, RUN/model.safetensors.
     * NULL: labels are never read. */
    protea_module *(*classifier)(void *self);
    void (*free)(void *self);     /* also after a failed init: fields are zero */
} protea_method_ops;

/* NULL-terminated, alphabetical. */
const protea_method_ops *const *protea_methods(void);
/* Errors: PROTEA_ERR_USAGE with the nearest name. */
protea_status protea_method_find(const protea_method_ops **out, const char *name);

#endif
