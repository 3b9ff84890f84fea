/* Modules hold parameters, never activations: forward pushes on a tape what backward pops, in reverse order.
 * So one module may run many times in a step, and "no gradient" is a NULL tape. */
#ifndef PROTEA_NN_MODULE_H
#define PROTEA_NN_MODULE_H

#include "tensor/context.h"

/* A stack of records on the heap that grows in the first step and is reused ever after. */
typedef struct protea_tape protea_tape;
protea_status protea_tape_new(protea_tape **out);
void protea_tape_free(protea_tape *tape); /* accepts NULL */
/* Copies `size` bytes of record on the tape / takes the newest back (sizes must match: PROTEA_ERR_INTERNAL). */
protea_status protea_tape_push(protea_tape *tape, const void *record, size_t size);
protea_status protea_tape_pop(protea_tape *tape, void *record, size_t size);
void protea_tape_clear(protea_tape *tape);
bool protea_tape_is_empty(const protea_tape *tape);

/* Convolutions with their batch-norms folded in, for inference (nn/folds.h). */
typedef struct protea_folds protea_folds;

/* How a forward pass runs. Batch-norm's mode is apart from the tape on purpose: MoCo's key encoder uses batch
 * statistics without gradient; Tent takes gradients with batch statistics and moves no running ones. */
typedef struct protea_pass {
    protea_tape *tape;    /* NULL: no gradient */
    bool batch_stats;     /* normalise by the batch, else by the running statistics */
    bool update_stats;    /* move the running statistics (with batch_stats) */
    double mixed_share;   /* of the batch's statistics in a mixture with the running ones (with batch_stats, without a tape);
                           * 0: the batch's alone */
    int64_t bn_groups;    /* groups of samples with statistics of their own; 0 or 1: the whole batch */
    int64_t bn_run;       /* protea_groups.run; 0: contiguous parts */
    protea_folds *folds;  /* with neither tape nor batch_stats: batch-norm is folded into the convolutions; NULL: apart */
} protea_pass;

/* A trained tensor and its gradient (plain f32, heap). */
typedef struct protea_param {
    protea_tensor w, dw;
    bool frozen;     /* no gradient is worked out, and the optimiser skips it altogether: no decay, no momentum */
    bool no_decay;   /* 1-D parameters and biases: left out where an optimiser excludes them */
    bool fixed_lr;   /* keeps the initial learning rate (SimSiam's predictor) */
} protea_param;

/* Names every parameter and buffer once. name: full dotted name, valid during the call. */
typedef struct protea_visitor {
    protea_status (*param)(void *self, const char *name, protea_param *p);       /* optimised and saved; may be NULL */
    protea_status (*buffer)(void *self, const char *name, protea_tensor *t);     /* saved only; may be NULL */
    void *self;
} protea_visitor;

typedef struct protea_module protea_module;
typedef struct protea_module_ops {
    const char *kind;
    /* y is allocated by the module in the kept arena. x must stay until backward (with a tape) or until y is read. */
    protea_status (*forward)(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x, protea_tensor *y);
    /* Pops what the last forward pushed; adds to parameter gradients; dx NULL: not wanted.
     * dy may be overwritten, and dx may be dy's memory; else the module allocates dx in the scratch arena, perhaps with
     * temporaries below it. So who calls marks the scratch arena before, and releases it when dx has been used. */
    protea_status (*backward)(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx);
    protea_status (*visit)(protea_module *m, const char *prefix, const protea_visitor *v);
    void (*free)(protea_module *m);
} protea_module_ops;
struct protea_module {
    const protea_module_ops *ops;
    int64_t out_dim; /* features or channels of y */
};

protea_status protea_forward(protea_ctx *cx, protea_module *m, const protea_pass *pass, const protea_tensor *x, protea_tensor *y);
protea_status protea_backward(protea_ctx *cx, protea_module *m, protea_tape *tape, protea_tensor *dy, protea_tensor *dx);
/* prefix "" or "backbone"; names become prefix.name. */
protea_status protea_visit(protea_module *m, const char *prefix, const protea_visitor *v);
void protea_module_free(protea_module *m); /* accepts NULL */

/* What a module's visit is made of: hands over one tensor as prefix.name. */
protea_status protea_visit_param(const protea_visitor *v, const char *prefix, const char *name, protea_param *p);
protea_status protea_visit_buffer(const protea_visitor *v, const char *prefix, const char *name, protea_tensor *t);

/* Parameter with its gradient, zeroed; no_decay is set when it has one dimension. Also on failure: release it. */
protea_status protea_param_new(protea_param *p, int n_dims, const int64_t *dim);
void protea_param_release(protea_param *p);
/* "prefix.name" (or "name" with an empty prefix) into out; long names fail. */
protea_status protea_join_name(char out[static 256], const char *prefix, const char *name);
/* Total number of trained scalars. */
protea_status protea_param_count(protea_module *m, int64_t *out);
protea_status protea_zero_gradients(protea_module *m);

#endif
