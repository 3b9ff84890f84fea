/* The seam for test-time adaptation: what an adapter does with one batch of images that have no labels. The command, the
 * public API and the streams know no adapter by name; a new one is one file here, one line in adapter_list.h, and a test.
 *
 * A classifier is a featurizer, images (N,3,S,S) -> rows z (N,D), and a linear layer fc, z -> logits p = W z + b (N,C).
 * An adapter changes it in place. What it knows besides (bank, moving means, optimiser) are tensors that its visit names, so
 * that saving, loading, going back and continuing need no code of its own. */
#ifndef PROTEA_ADAPT_ADAPTER_H
#define PROTEA_ADAPT_ADAPTER_H

#include <protea/options.h>

#include "nn/module.h"
#include "optim/optim.h"

typedef struct protea_snapshot protea_snapshot;

typedef struct protea_classifier {
    protea_module *featurizer;  /* borrowed; out_dim is D */
    protea_module *fc;          /* borrowed; out_dim is C; parameters "weight" (C,D) and perhaps "bias" (C) */
} protea_classifier;

/* ---- options that all adapters share */

enum { PROTEA_UPDATE_AUTO, PROTEA_UPDATE_ALL, PROTEA_UPDATE_AFFINE, PROTEA_UPDATE_BODY, PROTEA_UPDATE_HEAD };
enum { PROTEA_ADAPT_AUTO, PROTEA_ADAPT_ADAM, PROTEA_ADAPT_SGD };

typedef struct protea_adapt_opts {
    double lr;              /* 0: the adapter's own */
    double momentum;        /* of SGD */
    int64_t steps;          /* gradient steps on a batch */
    int64_t batch_size;     /* of the stream; whoever cuts it reads this, an adapter takes what it is given */
    int64_t reset_every;    /* updates after which all is reset; 0: never */
    int32_t episodic;       /* reset before every batch */
    int32_t update_param;   /* PROTEA_UPDATE_* */
    int32_t optimizer;      /* PROTEA_ADAPT_* */
} protea_adapt_opts;
extern const protea_opt protea_adapt_table[];

/* ---- one batch */

typedef struct protea_adapt_out {
    double loss;            /* of the last step; 0 where there is none */
    double entropy;         /* mean over the batch of the predictions' entropy, in nats */
    int64_t kept;           /* rows that the last loss was taken over; 0: no step was made */
    bool updated;           /* parameters moved */
    bool was_reset;         /* before this batch by reset_every or episodic, or after it because the adapter set this */
    int64_t bank_rows;      /* in the support bank, after this batch */
    size_t bank_bytes;      /* that the bank holds, full or not */
} protea_adapt_out;

/* What the adapter's functions work with. */
typedef struct protea_adapt_base {
    protea_classifier model;
    protea_adapt_opts opts;     /* settled: nothing left to "auto" */
    protea_tape *tape;
    protea_snapshot *statistics; /* the running statistics, to go back to within a call */
    protea_optim *optim;        /* NULL for adapters without gradients; owns the parameters that are not frozen */
} protea_adapt_base;

typedef struct protea_adapter_ops {
    char name[16];              /* an array, so that its address is a constant */
    const char *summary, *paper;
    size_t size;                /* of the adapter's struct: zeroed, then its options filled in, then init */
    const protea_opt *opts;     /* offsets into that struct */
    protea_adapt_opts own;      /* lr, update_param, optimizer where the caller leaves them open; lr 0: takes no gradient */
    /* base is borrowed for good; its optimiser is made afterwards, for what is not frozen then. Refuses what cannot work
     * (PROTEA_ERR_USAGE). reset follows. */
    protea_status (*init)(protea_ctx *cx, void *self, protea_adapt_base *base);
    /* One batch of images from the training data, before the first adapt (EATA's Fisher information). May be NULL. */
    protea_status (*source)(protea_ctx *cx, void *self, const protea_tensor *x);
    /* logits (N,C), in the kept arena, of each image by itself; changes nothing. NULL: the network with running statistics. */
    protea_status (*predict)(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits);
    /* logits (N,C), in the kept arena, from before the (last) update; then the steps. Also on paper, at its largest. */
    protea_status (*adapt)(protea_ctx *cx, void *self, const protea_tensor *x, protea_tensor *logits, protea_adapt_out *out);
    /* The adapter's own state as at the start; the classifier and the optimiser are at theirs already. May empty the arenas,
     * unless adapt asks for it by out->was_reset. May be NULL. */
    protea_status (*reset)(protea_ctx *cx, void *self);
    /* Buffers that are saved, besides classifier and optimiser. May be NULL. */
    protea_status (*visit)(void *self, const protea_visitor *v);
    /* What visit names was written from outside: brings what is derived from it in line. May be NULL. */
    protea_status (*loaded)(void *self);
    void (*free)(void *self);   /* also after a failed init: fields are zero. May be NULL */
} protea_adapter_ops;

/* NULL-terminated, in the order of tables: source and bn first. */
const protea_adapter_ops *const *protea_adapters(void);
/* Errors: PROTEA_ERR_USAGE with the nearest name. */
protea_status protea_adapter_find(const protea_adapter_ops **out, const char *name);
/* What is left open in *o becomes the adapter's own. */
void protea_adapt_settle(protea_adapt_opts *o, const protea_adapter_ops *ops);

/* ---- an adapter at work */

typedef struct protea_adapter protea_adapter;

/* filled: a struct of ops->size with the options of ops->opts filled in; copied. The classifier's modules are borrowed, and
 * their frozen flags are the adapter's until it is freed. Keeps a copy of what it will change, for reset. *out: owned.
 * Errors: PROTEA_ERR_USAGE (options that cannot be), PROTEA_ERR_MEMORY. */
protea_status protea_adapter_new(protea_adapter **out, protea_ctx *cx, const protea_adapter_ops *ops, const void *filled,
                                 const protea_classifier *model, const protea_adapt_opts *opts);
/* The classifier stays as it is, adapted. Accepts NULL. */
void protea_adapter_free(protea_adapter *a);

/* These three take x (N,3,S,S), plain f32, of any N and S; the arenas of cx are emptied, and grow where they must.
 * logits (N,C) are in cx->kept, good until the next call with this cx. LAME's logits are logarithms of its assignments.
 * Errors: PROTEA_ERR_INPUT when x is not finite, naming the row; then, and after any failure, the state is as before. */
protea_status protea_adapter_source(protea_adapter *a, protea_ctx *cx, const protea_tensor *x);
/* Each image by itself, whatever the batch: running statistics, which adapt moves towards the stream's. */
protea_status protea_adapter_predict(protea_adapter *a, protea_ctx *cx, const protea_tensor *x, protea_tensor *logits);
/* Predictions for the batch, from before the update (with several steps: before the last), and the update. A loss, logits or
 * a gradient that is not finite leaves the state as it was (out->updated false, out->kept 0). */
protea_status protea_adapter_adapt(protea_adapter *a, protea_ctx *cx, const protea_tensor *x, protea_tensor *logits,
                                   protea_adapt_out *out);
/* All as it was after protea_adapter_new (and protea_adapter_source), to the bit. */
protea_status protea_adapter_reset(protea_adapter *a, protea_ctx *cx);

/* The classifier under torchvision's names (conv1.weight ... fc.weight, fc.bias), then adapter.* and optimizer.*: written and
 * read back, the adapter continues as if never stopped. self: protea_adapter. After reading: protea_adapter_loaded. */
protea_status protea_adapter_visit(void *self, const protea_visitor *v);
protea_status protea_adapter_visit_model(void *self, const protea_visitor *v);
/* The second half alone: what is not the classifier. */
protea_status protea_adapter_visit_state(void *self, const protea_visitor *v);
protea_status protea_adapter_loaded(protea_adapter *a);

#endif
