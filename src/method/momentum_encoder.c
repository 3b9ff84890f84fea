/* The moving copy: parameters are paired once, so that an update is a loop over pairs. */
#include "method/momentum_encoder.h"

#include <string.h>

#include "nn/layers.h"

enum { PARALLEL_FROM = 1 << 15 };

/* ---- pairing */

static protea_status count_param(void *self, const char *name, protea_param *p)
{
    (void)name, (void)p;
    ++*(int64_t *)self;
    return PROTEA_OK;
}

/* Tensors of one encoder in the order of its visit. */
typedef struct gathering {
    protea_tensor **tensor; /* (most) */
    int64_t n, most;
} gathering;

static protea_status gather_param(void *self, const char *name, protea_param *p)
{
    gathering *g = self;
    if (g->n == g->most)
        return protea_fail(PROTEA_ERR_INTERNAL, "momentum encoder: %s is one parameter more than the %lld of the other encoder",
                           name, (long long)g->most);
    g->tensor[g->n++] = &p->w;
    return PROTEA_OK;
}

static protea_status check_pairs(const protea_momentum_encoder *m)
{
    for (int64_t i = 0; i < m->n; i++)
        if (m->to[i] == NULL || protea_count(m->from[i]) != protea_count(m->to[i]))
            return protea_fail(PROTEA_ERR_INTERNAL, "momentum encoder: parameter %lld of query and key differ in shape",
                               (long long)i);
    return PROTEA_OK;
}

static protea_status pair(protea_momentum_encoder *m, protea_module *backbone, protea_module *head)
{
    protea_visitor count = { .param = count_param, .self = &m->n };
    PROTEA_TRY(protea_visit(backbone, "", &count));
    PROTEA_TRY(protea_visit(head, "", &count));
    PROTEA_TRY(protea_new(&m->from, (size_t)m->n, sizeof *m->from, "the momentum encoder"));
    PROTEA_TRY(protea_new(&m->to, (size_t)m->n, sizeof *m->to, "the momentum encoder"));
    gathering from = { .tensor = (protea_tensor **)m->from, .most = m->n }, to = { .tensor = m->to, .most = m->n };
    protea_visitor query = { .param = gather_param, .self = &from }, key = { .param = gather_param, .self = &to };
    PROTEA_TRY(protea_visit(backbone, "", &query));
    PROTEA_TRY(protea_visit(head, "", &query));
    PROTEA_TRY(protea_visit(m->encoder, "", &key));
    return check_pairs(m);
}

/* ---- making and freeing */

/* What has no gradient needs no memory for one. */
static protea_status release_gradient(void *self, const char *name, protea_param *p)
{
    (void)self, (void)name;
    protea_tensor_release(&p->dw);
    return PROTEA_OK;
}

/* backbone, head, L2 norm; both parts are taken. */
static protea_status join(protea_module **out, protea_module *backbone, protea_module *head)
{
    static const char *const names[] = { "backbone", "fc", "" };
    protea_module *part[3] = { backbone, head, NULL };
    protea_status status = protea_l2norm_new(&part[2], head->out_dim);
    if (status == PROTEA_OK)
        return protea_sequential_new(out, 3, part, names);
    protea_module_free(backbone);
    protea_module_free(head);
    return status;
}

protea_status protea_momentum_encoder_init(protea_momentum_encoder *m, const protea_progress *plan, protea_module *backbone,
                                           protea_module *query_head, protea_module *key_head, protea_rng *rng)
{
    protea_module *copy;
    *m = (protea_momentum_encoder){ 0 };
    protea_status status = plan->new_backbone(plan->self, &copy, rng);
    if (status != PROTEA_OK) {
        protea_module_free(key_head);
        return status;
    }
    PROTEA_TRY(join(&m->encoder, copy, key_head));
    PROTEA_TRY(protea_visit(m->encoder, "", &(protea_visitor){ .param = release_gradient }));
    PROTEA_TRY(pair(m, backbone, query_head));
    protea_momentum_encoder_update(m, 0);
    return PROTEA_OK;
}

void protea_momentum_encoder_release(protea_momentum_encoder *m)
{
    protea_module_free(m->encoder);
    protea_free(m->from);
    protea_free(m->to);
    *m = (protea_momentum_encoder){ 0 };
}

/* ---- moving */

static void move_tensor(float *restrict to, const float *restrict from, int64_t n, float keep, float take)
{
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++)
        to[i] = keep * to[i] + take * from[i];
}

void protea_momentum_encoder_update(protea_momentum_encoder *m, double momentum)
{
    for (int64_t i = 0; i < m->n; i++)
        move_tensor(protea_f32(m->to[i]), protea_f32(m->from[i]), protea_count(m->to[i]), (float)momentum,
                    (float)(1 - momentum));
}

/* ---- keys */

/* order (N): a permutation. */
static void draw_order(const protea_ctx *cx, int64_t *order, int64_t n, int64_t step, uint32_t view)
{
    protea_rng rng = protea_rng_make(cx->seed, PROTEA_RNG_METHOD, 0, (uint64_t)step, view);
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    protea_rng_shuffle(&rng, order, n);
}

/* Row i of one is row order[i] of the other. */
static void shuffle_rows(protea_tensor *to, const protea_tensor *from, const int64_t *order)
{
    size_t bytes = protea_bytes(from) / (size_t)from->dim[0];
    for (int64_t i = 0; i < from->dim[0]; i++)
        memcpy((char *)to->data + (size_t)i * bytes, (const char *)from->data + (size_t)order[i] * bytes, bytes);
}

static void restore_rows(protea_tensor *to, const protea_tensor *from, const int64_t *order)
{
    size_t bytes = protea_bytes(from) / (size_t)from->dim[0];
    for (int64_t i = 0; i < from->dim[0]; i++)
        memcpy((char *)to->data + (size_t)order[i] * bytes, (const char *)from->data + (size_t)i * bytes, bytes);
}

protea_status protea_momentum_encoder_keys(protea_ctx *cx, protea_momentum_encoder *m, protea_tensor *keys,
                                           const protea_tensor *x, int64_t bn_groups, int64_t step, uint32_t view)
{
    const protea_pass pass = { .batch_stats = true, .update_stats = true, .bn_groups = bn_groups, .bn_run = 1 };
    int64_t n = x->dim[0], *order;
    protea_tensor shuffled, out;
    size_t mark = protea_arena_mark(cx->scratch), kept = protea_arena_mark(cx->kept);
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &order, (size_t)n * sizeof *order));
    PROTEA_TRY(protea_tensor_like(cx, &shuffled, PROTEA_SCRATCH, x));
    if (!cx->planning) {
        draw_order(cx, order, n, step, view);
        shuffle_rows(&shuffled, x, order);
    }
    PROTEA_TRY(protea_forward(cx, m->encoder, &pass, &shuffled, &out));
    if (!cx->planning)
        restore_rows(keys, &out, order);
    protea_arena_release(cx->kept, kept);
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

/* ---- names */

/* Parameters are handed on as buffers. */
static protea_status param_as_buffer(void *self, const char *name, protea_param *p)
{
    const protea_visitor *v = self;
    return v->buffer(v->self, name, &p->w);
}

static protea_status hand_on(void *self, const char *name, protea_tensor *t)
{
    const protea_visitor *v = self;
    return v->buffer(v->self, name, t);
}

protea_status protea_momentum_encoder_visit(protea_momentum_encoder *m, const protea_visitor *v)
{
    protea_visitor outer = *v;
    if (v->buffer == NULL)
        return PROTEA_OK;
    return protea_visit(m->encoder, "encoder_k", &(protea_visitor){ param_as_buffer, hand_on, &outer });
}
