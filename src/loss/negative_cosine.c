#include "loss/negative_cosine.h"

#include "tensor/check.h"
#include "tensor/ops.h"

/* Loss of rows of length 1, and its gradient -weight/N z with respect to them. */
static void dot_and_gradient(double *loss, float *dp, const protea_tensor *p, const protea_tensor *z, double weight)
{
    double sum = 0, scale = -weight / (double)p->dim[0];
    for (int64_t i = 0; i < protea_count(p); i++) {
        sum += (double)protea_f32(p)[i] * protea_f32(z)[i];
        dp[i] = (float)(scale * protea_f32(z)[i]);
    }
    *loss = scale * sum;
}

protea_status protea_negative_cosine(protea_ctx *cx, double *loss, protea_tensor *dp, const protea_tensor *p,
                                     const protea_tensor *z, double weight)
{
    protea_tensor unit, norm;
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_check_same("negative cosine", p, z));
    PROTEA_TRY(protea_check_same("negative cosine", p, dp));
    PROTEA_TRY(protea_tensor_like(cx, &unit, PROTEA_SCRATCH, p));
    PROTEA_TRY(protea_tensor_rows(cx, &norm, PROTEA_SCRATCH, p->dim[0], 1));
    PROTEA_TRY(protea_l2norm(cx, &unit, &norm, p));
    if (!cx->planning)
        dot_and_gradient(loss, protea_f32(dp), &unit, z, weight);
    PROTEA_TRY(protea_l2norm_backward(cx, dp, &unit, &norm, dp));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
