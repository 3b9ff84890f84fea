#include "adapt/gradient_step.h"

#include "adapt/network.h"
#include "adapt/snapshot.h"
#include "tensor/ops.h"

protea_status protea_adapt_forward(protea_ctx *cx, protea_adapt_base *base, const protea_tensor *x, bool tape,
                                   bool update_stats, protea_adapt_pass *pass, bool *finite)
{
    const protea_pass mode = { .tape = tape ? base->tape : NULL, .batch_stats = true, .update_stats = update_stats };
    if (!cx->planning && update_stats)
        protea_snapshot_take(base->statistics);
    *pass = (protea_adapt_pass){ 0 };
    PROTEA_TRY(protea_network_forward(cx, base, &mode, x, &pass->z, &pass->logits));
    *finite = cx->planning || (protea_all_finite(&pass->z) && protea_all_finite(&pass->logits) &&
                               protea_snapshot_is_finite(base->statistics));
    if (!*finite && update_stats)
        protea_snapshot_restore(base->statistics);
    if (!tape)
        return PROTEA_OK;
    PROTEA_TRY(protea_tensor_like(cx, &pass->d_logits, PROTEA_KEPT, &pass->logits));
    PROTEA_TRY(protea_tensor_like(cx, &pass->d_z, PROTEA_KEPT, &pass->z));
    return protea_fill(cx, &pass->d_z, 0);
}

static protea_status check_gradient(void *self, const char *name, protea_param *p)
{
    bool *finite = self;
    (void)name;
    *finite = *finite && protea_all_finite(&p->dw);
    return PROTEA_OK;
}

protea_status protea_adapt_backward(protea_ctx *cx, protea_adapt_base *base, protea_adapt_pass *pass, bool *finite)
{
    *finite = true;
    PROTEA_TRY(protea_zero_all_gradients(protea_network_visit_trained, &base->model));
    PROTEA_TRY(protea_network_backward(cx, base, &pass->d_logits, pass->to_z ? &pass->d_z : NULL));
    if (cx->planning)
        return PROTEA_OK;
    return protea_network_visit_trained(&base->model, &(protea_visitor){ .param = check_gradient, .self = finite });
}

static protea_status one_step(protea_ctx *cx, protea_adapt_base *base, const protea_tensor *x, const protea_adapt_loss *loss,
                              protea_tensor *logits, protea_adapt_out *out)
{
    protea_adapt_pass pass;
    bool finite;
    out->kept = 0;
    PROTEA_TRY(protea_adapt_forward(cx, base, x, true, true, &pass, &finite));
    *logits = pass.logits;
    if (!finite)
        return PROTEA_OK;
    PROTEA_TRY(loss->loss(cx, loss->self, &pass, out));
    if (out->kept == 0 && !cx->planning)
        return PROTEA_OK;
    PROTEA_TRY(protea_adapt_backward(cx, base, &pass, &finite));
    if (!finite) {
        protea_snapshot_restore(base->statistics);
        out->kept = 0;
        return PROTEA_OK;
    }
    if (loss->penalty != NULL && !cx->planning)
        PROTEA_TRY(loss->penalty(loss->self, out));
    out->updated = true;
    return protea_optim_step(cx, base->optim, base->opts.lr);
}

protea_status protea_gradient_steps(protea_ctx *cx, protea_adapt_base *base, const protea_tensor *x,
                                    const protea_adapt_loss *loss, protea_tensor *logits, protea_adapt_out *out)
{
    for (int64_t step = 0; step < base->opts.steps; step++) {
        size_t mark = protea_arena_mark(cx->kept);
        PROTEA_TRY(one_step(cx, base, x, loss, logits, out));
        if (step + 1 < base->opts.steps && (out->kept > 0 || cx->planning))
            protea_arena_release(cx->kept, mark);
        else
            break;
    }
    return PROTEA_OK;
}
