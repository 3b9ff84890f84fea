/* The optimiser: which rule each parameter takes, and the state that goes with it. */
#include "optim/optim.h"

#include <stdio.h>
#include <string.h>

#include "optim/optim_rules.h"

enum { COUNT_HALF = 1 << 24 };
static const double NORM_EPS = 1e-8;

const protea_opt protea_optim_table[] = {
    { "optimizer", NULL, PROTEA_OPT_CHOICE, offsetof(protea_optim_opts, optimizer), "larc", 0, 0, "sgd|larc|lars|adam", NULL,
      "update rule; larc is SGD with a rate for each tensor", "SwAV: LARC", 0 },
    { "lr", "base_lr,learning_rate", PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, lr), "0.6", 0, 1e4, NULL, NULL,
      "learning rate after warm-up", "SwAV: 0.6 for 256 images a step, 4.8 for 4096", 0 },
    { "momentum", NULL, PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, momentum), "0.9", 0, 0.99999, NULL, NULL,
      "share of the last step kept in the next (not adam)", "SwAV", 0 },
    { "wd", "weight_decay", PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, wd), "1e-6", 0, 1, NULL, NULL,
      "weight decay, added to the gradient", "SwAV", 0 },
    { "beta1", NULL, PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, beta1), "0.9", 0, 0.99999, NULL, NULL,
      "adam: share of the mean gradient kept", "arXiv:1412.6980", 0 },
    { "beta2", NULL, PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, beta2), "0.999", 0, 0.9999999, NULL, NULL,
      "adam: share of the mean squared gradient kept", "arXiv:1412.6980", 0 },
    { "adam_eps", NULL, PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, adam_eps), "1e-8", 1e-30, 1, NULL, NULL,
      "adam: added to the root of the mean squared gradient", "arXiv:1412.6980", 0 },
    { "trust", "trust_coefficient", PROTEA_OPT_FLOAT, offsetof(protea_optim_opts, trust), "0", 0, 100, NULL, NULL,
      "larc, lars: length of a step against the tensor's; 0: 0.001 for larc, 0.02 for lars", "apex; solo-learn", 0 },
    { "exclude_1d", "exclude_bias_n_norm", PROTEA_OPT_BOOL, offsetof(protea_optim_opts, exclude_1d), "true", 0, 0, NULL, NULL,
      "lars: biases and batch-norm take plain SGD without decay", "solo-learn", 0 },
    { .key = NULL },
};

/* What is kept for one parameter. */
typedef struct optim_state {
    char *name;
    int64_t n;
    protea_tensor momentum; /* or Adam's m */
    protea_tensor v, count; /* Adam only */
} optim_state;

struct protea_optim {
    protea_optim_opts opts;
    protea_visit_fn visit_all;
    void *self;
    optim_state *state; /* (n) in the order of visit_all */
    int64_t n;
};

static bool is_adam(const protea_optim *optim)
{
    return optim->opts.optimizer == PROTEA_OPTIM_ADAM;
}

/* ---- making and freeing */

static protea_status add_state(void *self, const char *name, protea_param *p)
{
    static const int64_t two[1] = { 2 };
    protea_optim *optim = self;
    PROTEA_TRY(protea_grow(&optim->state, (size_t)optim->n + 1, sizeof *optim->state, "optimiser state"));
    optim_state *state = &optim->state[optim->n++];
    memset(state, 0, sizeof *state);
    state->n = protea_count(&p->w);
    PROTEA_TRY(protea_copy_string(&state->name, name));
    PROTEA_TRY(protea_tensor_new(&state->momentum, p->w.n_dims, p->w.dim, "optimiser state"));
    if (!is_adam(optim))
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_new(&state->v, p->w.n_dims, p->w.dim, "optimiser state"));
    return protea_tensor_new(&state->count, 1, two, "optimiser state");
}

protea_status protea_optim_new(protea_optim **out, const protea_optim_opts *opts, protea_visit_fn visit_all, void *self)
{
    protea_optim *optim;
    *out = NULL;
    PROTEA_TRY(protea_new(&optim, 1, sizeof *optim, "optimiser"));
    optim->opts = *opts;
    optim->visit_all = visit_all;
    optim->self = self;
    if (optim->opts.trust <= 0)
        optim->opts.trust = opts->optimizer == PROTEA_OPTIM_LARS ? 0.02 : 0.001;
    protea_visitor visitor = { .param = add_state, .self = optim };
    protea_status status = visit_all(self, &visitor);
    if (status != PROTEA_OK) {
        protea_optim_free(optim);
        return status;
    }
    *out = optim;
    return PROTEA_OK;
}

void protea_optim_free(protea_optim *optim)
{
    if (optim == NULL)
        return;
    for (int64_t i = 0; i < optim->n; i++) {
        protea_free(optim->state[i].name);
        protea_tensor_release(&optim->state[i].momentum);
        protea_tensor_release(&optim->state[i].v);
        protea_tensor_release(&optim->state[i].count);
    }
    protea_free(optim->state);
    protea_free(optim);
}

/* ---- one update */

typedef struct update {
    protea_optim *optim;
    double lr;
    int64_t next; /* state of the parameter to come */
} update;

static void sgd_step(const protea_optim_opts *o, optim_state *state, protea_param *p, double lr, double wd, double scale)
{
    protea_sgd_update(protea_f32(&p->w), protea_f32(&state->momentum), protea_f32(&p->dw), state->n, (float)lr,
                      (float)o->momentum, (float)wd, (float)scale);
}

/* LARC and, for what it does not exclude, LARS. */
static void scaled_step(const protea_optim_opts *o, optim_state *state, protea_param *p, double lr)
{
    double norm = protea_l2_norm(protea_f32(&p->w), state->n);
    double gradient_norm = protea_l2_norm(protea_f32(&p->dw), state->n);
    if (norm == 0 || gradient_norm == 0)
        sgd_step(o, state, p, lr, 0, 1);
    else
        sgd_step(o, state, p, lr, o->wd, o->trust * norm / (gradient_norm + o->wd * norm + NORM_EPS));
}

static int64_t count_up(protea_tensor *count)
{
    float *half = protea_f32(count); /* high, low */
    int64_t t = (int64_t)half[0] * COUNT_HALF + (int64_t)half[1] + 1;
    half[0] = (float)(t / COUNT_HALF);
    half[1] = (float)(t % COUNT_HALF);
    return t;
}

/* 1 - beta^t by repeated squaring: the same on every libm. */
static double bias_correction(double beta, int64_t t)
{
    double power = 1;
    for (double square = beta; t > 0; t /= 2, square *= square)
        if (t % 2)
            power *= square;
    return 1 - power;
}

static void adam_step(const protea_optim_opts *o, optim_state *state, protea_param *p, double lr)
{
    int64_t t = count_up(&state->count);
    protea_adam_rule rule = { lr, o->beta1, o->beta2, o->adam_eps, o->wd,
                              bias_correction(o->beta1, t), bias_correction(o->beta2, t) };
    protea_adam_update(protea_f32(&p->w), protea_f32(&state->momentum), protea_f32(&state->v), protea_f32(&p->dw),
                       state->n, &rule);
}

static protea_status update_param(void *self, const char *name, protea_param *p)
{
    update *now = self;
    const protea_optim_opts *o = &now->optim->opts;
    if (now->next >= now->optim->n)
        return protea_fail(PROTEA_ERR_INTERNAL, "optimiser: %s is not one of its %lld parameters", name,
                           (long long)now->optim->n);
    optim_state *state = &now->optim->state[now->next++];
    if (strcmp(state->name, name) != 0 || state->n != protea_count(&p->w))
        return protea_fail(PROTEA_ERR_INTERNAL, "optimiser: parameter %s found where %s was wanted", name, state->name);
    if (p->frozen)
        return PROTEA_OK;
    double lr = p->fixed_lr ? o->lr : now->lr;
    switch (o->optimizer) {
    case PROTEA_OPTIM_SGD: sgd_step(o, state, p, lr, o->wd, 1); break;
    case PROTEA_OPTIM_LARC: scaled_step(o, state, p, lr); break;
    case PROTEA_OPTIM_LARS:
        if (o->exclude_1d && p->no_decay)
            sgd_step(o, state, p, lr, 0, 1);
        else
            scaled_step(o, state, p, lr);
        break;
    case PROTEA_OPTIM_ADAM: adam_step(o, state, p, lr); break;
    }
    return PROTEA_OK;
}

protea_status protea_optim_step(protea_ctx *cx, protea_optim *optim, double lr)
{
    if (cx->planning)
        return PROTEA_OK;
    update now = { .optim = optim, .lr = lr };
    protea_visitor visitor = { .param = update_param, .self = &now };
    return optim->visit_all(optim->self, &visitor);
}

/* ---- around it */

static protea_status zero_gradient(void *self, const char *name, protea_param *p)
{
    (void)self, (void)name;
    memset(p->dw.data, 0, protea_bytes(&p->dw));
    return PROTEA_OK;
}

protea_status protea_zero_all_gradients(protea_visit_fn visit_all, void *self)
{
    protea_visitor visitor = { .param = zero_gradient };
    return visit_all(self, &visitor);
}

static protea_status visit_tensor(const protea_visitor *v, const char *kind, const char *name, protea_tensor *t)
{
    char prefix[64], full[256];
    snprintf(prefix, sizeof prefix, "optimizer.%s", kind);
    PROTEA_TRY(protea_join_name(full, prefix, name));
    return v->buffer(v->self, full, t);
}

protea_status protea_optim_visit(protea_optim *optim, const protea_visitor *v)
{
    if (v->buffer == NULL)
        return PROTEA_OK;
    for (int64_t i = 0; i < optim->n; i++) {
        optim_state *state = &optim->state[i];
        PROTEA_TRY(visit_tensor(v, is_adam(optim) ? "m" : "momentum", state->name, &state->momentum));
        if (!is_adam(optim))
            continue;
        PROTEA_TRY(visit_tensor(v, "v", state->name, &state->v));
        PROTEA_TRY(visit_tensor(v, "step", state->name, &state->count));
    }
    return PROTEA_OK;
}
