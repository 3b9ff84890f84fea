/* Batch-norm's statistics: of the batch, over ranks, and running. */
#include "nn/batchnorm_stats.h"

#include <math.h>

#include "comm/comm.h"

static const double momentum = 0.1; /* of the running statistics: new = 0.9 old + 0.1 batch */

bool protea_bn_spans_ranks(const protea_ctx *cx, const protea_groups *groups)
{
    return cx->comm->size > 1 && groups->groups == 1;
}

double protea_bn_values_per_group(const protea_ctx *cx, const protea_tensor *x, const protea_groups *groups)
{
    protea_map m = protea_map_of(x);
    double values = (double)(m.n / groups->groups) * (double)(m.h * m.w);
    return protea_bn_spans_ranks(cx, groups) ? values * cx->comm->size : values;
}

/* Mean over ranks of n numbers, in double. */
static protea_status mean_over_ranks(protea_ctx *cx, double *x, int64_t n)
{
    PROTEA_TRY(cx->comm->sum_f64(cx->comm, x, (size_t)n));
    for (int64_t i = 0; i < n; i++)
        x[i] /= cx->comm->size;
    return PROTEA_OK;
}

/* Ranks hold equally many values: the mean of all is the mean of means, and the variance the mean of
 * var + (mean - mean of all)^2, which does not cancel as a difference of squares would. sum: room for 2n. */
static protea_status merge_values(protea_ctx *cx, float *mean, float *var, double *sum, int64_t n)
{
    double *spread = sum + n;
    for (int64_t i = 0; i < n; i++)
        sum[i] = mean[i];
    PROTEA_TRY(mean_over_ranks(cx, sum, n));
    for (int64_t i = 0; i < n; i++)
        spread[i] = var[i] + (mean[i] - sum[i]) * (mean[i] - sum[i]);
    PROTEA_TRY(mean_over_ranks(cx, spread, n));
    for (int64_t i = 0; i < n; i++) {
        mean[i] = (float)sum[i];
        var[i] = (float)spread[i];
    }
    return PROTEA_OK;
}

static protea_status merge_ranks(protea_ctx *cx, protea_tensor *mean, protea_tensor *var)
{
    double *sum; /* (2,G,C) */
    int64_t n = protea_count(mean);
    size_t mark = protea_arena_mark(cx->scratch);
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &sum, 2 * (size_t)n * sizeof *sum));
    if (!cx->planning)
        PROTEA_TRY(merge_values(cx, protea_f32(mean), protea_f32(var), sum, n));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_bn_batch_stats(protea_ctx *cx, protea_tensor *mean, protea_tensor *var, const protea_tensor *x,
                                    const protea_groups *groups)
{
    protea_map m = protea_map_of(x);
    if (!cx->planning)
        cx->be->k.bn_stats(cx->be, protea_f32(mean), protea_f32(var), x->data, &m, groups);
    return protea_bn_spans_ranks(cx, groups) ? merge_ranks(cx, mean, var) : PROTEA_OK;
}

/* A step that is not finite is left out by the trainer; it must not stay in what is saved. */
static void move(float *running, double batch)
{
    float moved = (float)((1 - momentum) * *running + momentum * batch);
    if (isfinite(moved))
        *running = moved;
}

void protea_bn_move_running(protea_bn *bn, const protea_tensor *mean, const protea_tensor *var, double values)
{
    int64_t groups = mean->dim[0], channels = bn->channels;
    double unbiased = values > 1 ? values / (values - 1) : 1;
    float *running_mean = protea_f32(&bn->running_mean), *running_var = protea_f32(&bn->running_var);
    for (int64_t c = 0; c < channels; c++) {
        double mean_sum = 0, var_sum = 0;
        for (int64_t g = 0; g < groups; g++) {
            mean_sum += protea_f32(mean)[g * channels + c];
            var_sum += protea_f32(var)[g * channels + c];
        }
        double batch_mean = mean_sum / (double)groups, batch_var = unbiased * var_sum / (double)groups;
        move(&running_mean[c], batch_mean);
        move(&running_var[c], batch_var);
    }
    protea_f32(&bn->batches)[0] += 1;
}
