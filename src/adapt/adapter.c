/* An adapter at work: what is the same for all of them. */
#include "adapt/adapter.h"

#include <string.h>

#include "adapt/network.h"
#include "adapt/snapshot.h"
#include "base/alloc.h"
#include "base/status.h"
#include "loss/entropy.h"
#include "tensor/ops.h"

/* The arenas that a call needs for images of one shape. */
typedef struct reservation {
    int64_t dim[4];
    size_t kept, scratch;
} reservation;

typedef enum call_kind { PREDICT, ADAPT, SOURCE, N_KINDS } call_kind;

struct protea_adapter {
    const protea_adapter_ops *ops;
    void *self;                         /* owned: the adapter's struct */
    protea_adapt_base base;
    protea_snapshot *start;             /* trained parameters and running statistics */
    protea_tensor updates;              /* (1) since the last reset; below 2^24, so exact */
    reservation reserved[N_KINDS];
};

/* ---- making and freeing */

void protea_adapt_settle(protea_adapt_opts *o, const protea_adapter_ops *ops)
{
    const protea_adapt_opts *own = &ops->own;
    o->lr = o->lr > 0 ? o->lr : own->lr;
    if (o->update_param == PROTEA_UPDATE_AUTO)
        o->update_param = own->update_param;
    if (o->optimizer == PROTEA_ADAPT_AUTO)
        o->optimizer = own->optimizer;
}

static protea_status new_optimizer(protea_adapt_base *base)
{
    const protea_adapt_opts *o = &base->opts;
    const protea_optim_opts rule = { .optimizer = o->optimizer == PROTEA_ADAPT_SGD ? PROTEA_OPTIM_SGD : PROTEA_OPTIM_ADAM,
                                     .lr = o->lr, .momentum = o->momentum, .beta1 = 0.9, .beta2 = 0.999, .adam_eps = 1e-8 };
    return protea_optim_new(&base->optim, &rule, protea_network_visit_trained, &base->model);
}

/* What a reset of the classifier puts back. */
static protea_status visit_changing(void *self, const protea_visitor *v)
{
    PROTEA_TRY(protea_network_visit_trained(self, &(protea_visitor){ .param = v->param, .self = v->self }));
    return protea_network_visit(self, &(protea_visitor){ .buffer = v->buffer, .self = v->self });
}

static protea_status check_shapes(const protea_adapter *a)
{
    const protea_classifier *m = &a->base.model;
    if (m->fc->out_dim >= 2)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: a classifier of %lld classes, at least 2 wanted", a->ops->name,
                       (long long)m->fc->out_dim);
}

static protea_status open_adapter(protea_adapter *a, protea_ctx *cx, const void *filled)
{
    static const int64_t one[1] = { 1 };
    protea_adapt_base *base = &a->base;
    bool trains = a->ops->own.lr > 0;
    PROTEA_TRY(check_shapes(a));
    protea_adapt_settle(&base->opts, a->ops);
    PROTEA_TRY(protea_new(&a->self, 1, a->ops->size, a->ops->name));
    memcpy(a->self, filled, a->ops->size);
    PROTEA_TRY(protea_network_freeze(&base->model, trains ? base->opts.update_param : PROTEA_UPDATE_AUTO));
    PROTEA_TRY(protea_tape_new(&base->tape));
    PROTEA_TRY(protea_tensor_new(&a->updates, 1, one, "a count"));
    PROTEA_TRY(a->ops->init(cx, a->self, base)); /* may freeze more, so what owns the rest comes after */
    if (trains)
        PROTEA_TRY(new_optimizer(base));
    PROTEA_TRY(protea_snapshot_new(&a->start, visit_changing, &base->model, true, true));
    PROTEA_TRY(protea_snapshot_new(&base->statistics, protea_network_visit, &base->model, false, true));
    return a->ops->reset != NULL ? a->ops->reset(cx, a->self) : PROTEA_OK;
}

protea_status protea_adapter_new(protea_adapter **out, protea_ctx *cx, const protea_adapter_ops *ops, const void *filled,
                                 const protea_classifier *model, const protea_adapt_opts *opts)
{
    protea_adapter *a;
    *out = NULL;
    PROTEA_TRY(protea_new(&a, 1, sizeof *a, "an adapter"));
    a->ops = ops;
    a->base = (protea_adapt_base){ .model = *model, .opts = *opts };
    protea_status status = open_adapter(a, cx, filled);
    if (status != PROTEA_OK) {
        protea_adapter_free(a);
        return status;
    }
    *out = a;
    return PROTEA_OK;
}

void protea_adapter_free(protea_adapter *a)
{
    if (a == NULL)
        return;
    if (a->ops->free != NULL && a->self != NULL)
        a->ops->free(a->self);
    protea_free(a->self);
    protea_network_unfreeze(&a->base.model);
    protea_optim_free(a->base.optim);
    protea_tape_free(a->base.tape);
    protea_snapshot_free(a->start);
    protea_snapshot_free(a->base.statistics);
    protea_tensor_release(&a->updates);
    protea_free(a);
}

/* ---- a call */

/* One call, on paper and for real. */
typedef struct call {
    protea_adapter *a;
    call_kind kind;
    const protea_tensor *x;
    protea_tensor *logits;
    protea_adapt_out *out;
} call;

static protea_status run(protea_ctx *cx, void *self)
{
    const call *c = self;
    const protea_adapter_ops *ops = c->a->ops;
    protea_tensor z;
    if (c->kind == SOURCE)
        return ops->source(cx, c->a->self, c->x);
    if (c->kind == ADAPT) {
        PROTEA_TRY(ops->adapt(cx, c->a->self, c->x, c->logits, c->out));
        return protea_mean_entropy(cx, &c->out->entropy, c->logits);
    }
    if (ops->predict != NULL)
        return ops->predict(cx, c->a->self, c->x, c->logits);
    return protea_network_forward(cx, &c->a->base, &(protea_pass){ 0 }, c->x, &z, c->logits);
}

/* Arenas large enough for this call; planned anew only when the shape is new or someone else has replaced the arenas. */
static protea_status reserve(protea_ctx *cx, const call *c)
{
    protea_adapt_out out = { 0 };
    protea_tensor logits;
    call paper = { c->a, c->kind, c->x, &logits, &out };
    reservation *r = &c->a->reserved[c->kind];
    bool known = memcmp(r->dim, c->x->dim, sizeof r->dim) == 0 && cx->kept != NULL && cx->scratch != NULL &&
                 protea_arena_size(cx->kept) >= r->kept && protea_arena_size(cx->scratch) >= r->scratch;
    if (known)
        return PROTEA_OK;
    PROTEA_TRY(protea_reserve_arenas(cx, run, &paper, &r->kept, &r->scratch));
    memcpy(r->dim, c->x->dim, sizeof r->dim);
    return PROTEA_OK;
}

static protea_status check_images(const protea_adapter *a, const protea_tensor *x)
{
    if (x->native || x->dtype != PROTEA_F32 || x->n_dims != 4)
        return protea_fail(PROTEA_ERR_INTERNAL, "%s: images (N,3,S,S), plain f32, wanted", a->ops->name);
    if (protea_all_finite(x))
        return PROTEA_OK;
    for (int64_t i = 0; i < x->dim[0]; i++) {
        protea_tensor row = protea_row_range(x, i, 1);
        if (!protea_all_finite(&row))
            return protea_fail(PROTEA_ERR_INPUT, "image %lld of the batch holds a number that is not finite", (long long)i);
    }
    return PROTEA_OK;
}

static protea_status run_call(protea_ctx *cx, call *c)
{
    PROTEA_TRY(check_images(c->a, c->x));
    PROTEA_TRY(reserve(cx, c));
    protea_arena_release(cx->kept, 0);
    protea_arena_release(cx->scratch, 0);
    return run(cx, c);
}

protea_status protea_adapter_source(protea_adapter *a, protea_ctx *cx, const protea_tensor *x)
{
    if (a->ops->source == NULL)
        return PROTEA_OK;
    return run_call(cx, &(call){ .a = a, .kind = SOURCE, .x = x });
}

protea_status protea_adapter_predict(protea_adapter *a, protea_ctx *cx, const protea_tensor *x, protea_tensor *logits)
{
    return run_call(cx, &(call){ .a = a, .kind = PREDICT, .x = x, .logits = logits });
}

static bool is_due(const protea_adapter *a)
{
    const protea_adapt_opts *o = &a->base.opts;
    return o->episodic || (o->reset_every > 0 && protea_f32(&a->updates)[0] >= (float)o->reset_every);
}

protea_status protea_adapter_adapt(protea_adapter *a, protea_ctx *cx, const protea_tensor *x, protea_tensor *logits,
                                   protea_adapt_out *out)
{
    call c = { a, ADAPT, x, logits, out };
    *out = (protea_adapt_out){ 0 };
    PROTEA_TRY(check_images(a, x));
    bool due = is_due(a);
    if (due)
        PROTEA_TRY(protea_adapter_reset(a, cx));
    PROTEA_TRY(run_call(cx, &c));
    if (out->updated && a->base.opts.reset_every > 0)
        protea_f32(&a->updates)[0] += 1;
    if (out->was_reset)
        PROTEA_TRY(protea_adapter_reset(a, cx));
    out->was_reset = out->was_reset || due;
    return PROTEA_OK;
}

/* ---- state */

static protea_status zero_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)self, (void)name;
    memset(t->data, 0, protea_bytes(t));
    return PROTEA_OK;
}

protea_status protea_adapter_reset(protea_adapter *a, protea_ctx *cx)
{
    protea_snapshot_restore(a->start);
    if (a->base.optim != NULL)
        PROTEA_TRY(protea_optim_visit(a->base.optim, &(protea_visitor){ .buffer = zero_buffer }));
    protea_f32(&a->updates)[0] = 0;
    return a->ops->reset != NULL ? a->ops->reset(cx, a->self) : PROTEA_OK;
}

protea_status protea_adapter_visit_model(void *self, const protea_visitor *v)
{
    return protea_network_visit(&((protea_adapter *)self)->base.model, v);
}

protea_status protea_adapter_visit_state(void *self, const protea_visitor *v)
{
    protea_adapter *a = self;
    PROTEA_TRY(protea_visit_buffer(v, "adapter", "updates", &a->updates));
    if (a->ops->visit != NULL)
        PROTEA_TRY(a->ops->visit(a->self, v));
    return a->base.optim != NULL ? protea_optim_visit(a->base.optim, v) : PROTEA_OK;
}

protea_status protea_adapter_visit(void *self, const protea_visitor *v)
{
    PROTEA_TRY(protea_adapter_visit_model(self, v));
    return protea_adapter_visit_state(self, v);
}

protea_status protea_adapter_loaded(protea_adapter *a)
{
    return a->ops->loaded != NULL ? a->ops->loaded(a->self) : PROTEA_OK;
}
