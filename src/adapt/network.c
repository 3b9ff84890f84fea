#include "adapt/network.h"

#include "tensor/ops.h"

protea_status protea_network_forward(protea_ctx *cx, const protea_adapt_base *base, const protea_pass *pass,
                                     const protea_tensor *x, protea_tensor *z, protea_tensor *logits)
{
    if (pass->tape != NULL)
        protea_tape_clear(pass->tape); /* an earlier batch may have ended before its backward */
    PROTEA_TRY(protea_forward(cx, base->model.featurizer, pass, x, z));
    return protea_forward(cx, base->model.fc, pass, z, logits);
}

static bool trains_body(const protea_adapt_base *base)
{
    return base->opts.update_param != PROTEA_UPDATE_HEAD;
}

protea_status protea_network_backward(protea_ctx *cx, const protea_adapt_base *base, protea_tensor *d_logits,
                                      const protea_tensor *d_z)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor d_features;
    PROTEA_TRY(protea_backward(cx, base->model.fc, base->tape, d_logits, trains_body(base) ? &d_features : NULL));
    if (trains_body(base)) {
        if (d_z != NULL)
            PROTEA_TRY(protea_add(cx, &d_features, &d_features, d_z));
        PROTEA_TRY(protea_backward(cx, base->model.featurizer, base->tape, &d_features, NULL));
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* ---- parameters */

protea_status protea_network_visit(void *self, const protea_visitor *v)
{
    const protea_classifier *model = self;
    PROTEA_TRY(protea_visit(model->featurizer, "", v));
    return protea_visit(model->fc, "fc", v);
}

typedef struct trained_walk {
    const protea_visitor *visitor; /* of the caller */
} trained_walk;

static protea_status trained_param(void *self, const char *name, protea_param *p)
{
    const protea_visitor *v = ((trained_walk *)self)->visitor;
    return p->frozen ? PROTEA_OK : v->param(v->self, name, p);
}

protea_status protea_network_visit_trained(void *self, const protea_visitor *v)
{
    trained_walk walk = { v };
    if (v->param == NULL)
        return PROTEA_OK;
    return protea_network_visit(self, &(protea_visitor){ .param = trained_param, .self = &walk });
}

static protea_status set_frozen(void *self, const char *name, protea_param *p)
{
    (void)name;
    p->frozen = *(const bool *)self;
    return PROTEA_OK;
}

/* Batch-norm's weight and bias are the parameters that come with running statistics: both are freed again when these are
 * met, which is right after them. */
typedef struct affine_walk {
    protea_param *last, *before; /* the two parameters met last */
} affine_walk;

static protea_status note_param(void *self, const char *name, protea_param *p)
{
    affine_walk *walk = self;
    (void)name;
    walk->before = walk->last;
    walk->last = p;
    return PROTEA_OK;
}

static protea_status free_affine(void *self, const char *name, protea_tensor *t)
{
    affine_walk *walk = self;
    (void)name;
    protea_param *pair[2] = { walk->before, walk->last };
    for (int i = 0; i < 2; i++)
        if (pair[i] != NULL && pair[i]->w.n_dims == 1 && pair[i]->w.dim[0] == t->dim[0])
            pair[i]->frozen = false;
    walk->before = walk->last = NULL; /* done; the other statistics of this layer find none */
    return PROTEA_OK;
}

static protea_status freeze_all(protea_module *m, bool frozen)
{
    return protea_visit(m, "", &(protea_visitor){ .param = set_frozen, .self = &frozen });
}

protea_status protea_network_freeze(const protea_classifier *model, int32_t update_param)
{
    bool body = update_param == PROTEA_UPDATE_ALL || update_param == PROTEA_UPDATE_BODY;
    bool head = update_param == PROTEA_UPDATE_ALL || update_param == PROTEA_UPDATE_HEAD;
    affine_walk walk = { 0 };
    PROTEA_TRY(freeze_all(model->featurizer, !body));
    PROTEA_TRY(freeze_all(model->fc, !head));
    if (update_param != PROTEA_UPDATE_AFFINE)
        return PROTEA_OK;
    return protea_visit(model->featurizer, "", &(protea_visitor){ note_param, free_affine, &walk });
}

void protea_network_unfreeze(const protea_classifier *model)
{
    freeze_all(model->featurizer, false);
    freeze_all(model->fc, false);
}
