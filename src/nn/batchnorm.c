/* Batch-norm, forward and backward. */
#include "nn/batchnorm.h"

#include <math.h>

#include "comm/comm.h"
#include "nn/batchnorm_stats.h"

static const double eps = 1e-5;

static void set_all(protea_tensor *t, float value)
{
    for (int64_t i = 0; i < protea_count(t); i++)
        protea_f32(t)[i] = value;
}

protea_status protea_bn_init(protea_bn *bn, int64_t channels, bool affine)
{
    *bn = (protea_bn){ .channels = channels, .affine = affine };
    if (affine) {
        PROTEA_TRY(protea_param_new(&bn->gamma, 1, &channels));
        PROTEA_TRY(protea_param_new(&bn->beta, 1, &channels));
        set_all(&bn->gamma.w, 1);
    }
    PROTEA_TRY(protea_tensor_new(&bn->running_mean, 1, &channels, "running statistics"));
    PROTEA_TRY(protea_tensor_new(&bn->running_var, 1, &channels, "running statistics"));
    set_all(&bn->running_var, 1);
    return protea_tensor_new(&bn->batches, 1, (const int64_t[]){ 1 }, "running statistics");
}

void protea_bn_release(protea_bn *bn)
{
    protea_param_release(&bn->gamma);
    protea_param_release(&bn->beta);
    protea_tensor_release(&bn->running_mean);
    protea_tensor_release(&bn->running_var);
    protea_tensor_release(&bn->batches);
}

protea_status protea_bn_visit(protea_bn *bn, const char *prefix, const protea_visitor *v)
{
    if (bn->affine) {
        PROTEA_TRY(protea_visit_param(v, prefix, "weight", &bn->gamma));
        PROTEA_TRY(protea_visit_param(v, prefix, "bias", &bn->beta));
    }
    PROTEA_TRY(protea_visit_buffer(v, prefix, "running_mean", &bn->running_mean));
    PROTEA_TRY(protea_visit_buffer(v, prefix, "running_var", &bn->running_var));
    return protea_visit_buffer(v, prefix, "num_batches_tracked", &bn->batches);
}

/* The pass's groups; with running statistics there is but one. */
static protea_status choose_groups(const protea_pass *pass, int64_t n, protea_groups *out)
{
    int64_t groups = pass->batch_stats && pass->bn_groups > 1 ? pass->bn_groups : 1;
    if (n % groups != 0)
        return protea_fail(PROTEA_ERR_INTERNAL, "batchnorm: %lld samples do not fall into %lld equal groups", (long long)n,
                           (long long)groups);
    int64_t contiguous = n / groups;
    *out = (protea_groups){ groups, groups > 1 && pass->bn_run > 0 ? pass->bn_run : contiguous };
    if (contiguous % out->run == 0)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "batchnorm: groups of %lld samples are not made of runs of %lld",
                       (long long)contiguous, (long long)out->run);
}

static protea_status check_channels(const protea_bn *bn, const protea_tensor *x)
{
    bool rows = !x->native && x->n_dims == 2 && x->dtype == PROTEA_F32;
    if ((x->native || rows) && x->dim[1] == bn->channels)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "batchnorm: %s of %lld channels, one of %lld is wanted",
                       x->native ? "an activation" : "a tensor", (long long)x->dim[1], (long long)bn->channels);
}

/* scale = gamma / sqrt(var + eps), shift = beta - mean scale. var comes in rstd's place. */
static void settle_affine(const protea_bn *bn, protea_bn_record *r)
{
    int64_t channels = bn->channels;
    for (int64_t i = 0; i < r->groups.groups * channels; i++) {
        double gamma = bn->affine ? protea_f32(&bn->gamma.w)[i % channels] : 1;
        double beta = bn->affine ? protea_f32(&bn->beta.w)[i % channels] : 0;
        double rstd = 1 / sqrt(r->rstd[i] + eps);
        r->rstd[i] = (float)rstd;
        r->scale[i] = (float)(gamma * rstd);
        r->shift[i] = (float)(beta - r->mean[i] * gamma * rstd);
    }
}

static void take_running(const protea_bn *bn, protea_bn_record *r)
{
    for (int64_t c = 0; c < bn->channels; c++) {
        r->mean[c] = protea_f32(&bn->running_mean)[c];
        r->rstd[c] = protea_f32(&bn->running_var)[c];
    }
}

/* mean = (1 - share) running + share batch, and so the variance, the batch's unbiased as the running one is (Schneider et al.
 * 2020, arXiv:2006.16971, eq. 3). values: that the batch's statistics are taken over. */
static void mix_running(const protea_bn *bn, protea_bn_record *r, double share, double values)
{
    double unbiased = values > 1 ? values / (values - 1) : 1;
    for (int64_t c = 0; c < bn->channels; c++) {
        r->mean[c] = (float)((1 - share) * protea_f32(&bn->running_mean)[c] + share * r->mean[c]);
        r->rstd[c] = (float)((1 - share) * protea_f32(&bn->running_var)[c] + share * unbiased * r->rstd[c]);
    }
}

static protea_status check_mixture(const protea_pass *pass, const protea_groups *groups)
{
    if (!(pass->mixed_share > 0) || (pass->batch_stats && pass->tape == NULL && groups->groups == 1))
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INTERNAL, "batchnorm: mixed statistics are of one batch, and have no gradient");
}

protea_status protea_bn_prepare(protea_ctx *cx, protea_bn *bn, const protea_pass *pass, const protea_tensor *x,
                                protea_bn_record *record)
{
    *record = (protea_bn_record){ .batch_stats = pass->batch_stats };
    PROTEA_TRY(check_channels(bn, x));
    PROTEA_TRY(choose_groups(pass, x->dim[0], &record->groups));
    PROTEA_TRY(check_mixture(pass, &record->groups));
    protea_where where = pass->tape != NULL ? PROTEA_KEPT : PROTEA_SCRATCH;
    protea_tensor part[4]; /* mean, rstd, scale, shift: (G,C) each */
    for (int i = 0; i < 4; i++)
        PROTEA_TRY(protea_tensor_rows(cx, &part[i], where, record->groups.groups, bn->channels));
    record->mean = protea_f32(&part[0]);
    record->rstd = protea_f32(&part[1]);
    record->scale = protea_f32(&part[2]);
    record->shift = protea_f32(&part[3]);
    if (pass->batch_stats)
        PROTEA_TRY(protea_bn_batch_stats(cx, &part[0], &part[1], x, &record->groups));
    if (cx->planning)
        return PROTEA_OK;
    if (pass->batch_stats && pass->update_stats)
        protea_bn_move_running(bn, &part[0], &part[1], protea_bn_values_per_group(cx, x, &record->groups));
    if (!pass->batch_stats)
        take_running(bn, record);
    else if (pass->mixed_share > 0)
        mix_running(bn, record, pass->mixed_share, protea_bn_values_per_group(cx, x, &record->groups));
    settle_affine(bn, record);
    return PROTEA_OK;
}

protea_status protea_bn_normalize(protea_ctx *cx, const protea_bn_record *record, protea_tensor *y, const protea_tensor *x,
                                  const protea_tensor *residual, protea_act act)
{
    protea_map m = protea_map_of(x);
    if (!cx->planning)
        cx->be->k.bn_apply(cx->be, y->data, x->data, residual ? residual->data : NULL, record->scale, record->shift, &m,
                           &record->groups, act);
    return PROTEA_OK;
}

/* dgamma += rstd sum(dz (x - mean)), dbeta += sum(dz); sums of this rank only: gradients are averaged over ranks later. */
static void add_gradients(protea_bn *bn, const protea_bn_record *r, const double *sum_dz, const double *sum_dz_x)
{
    int64_t channels = bn->channels;
    if (!bn->affine || bn->gamma.frozen)
        return;
    for (int64_t c = 0; c < channels; c++) {
        double dgamma = 0, dbeta = 0;
        for (int64_t g = 0; g < r->groups.groups; g++) {
            dgamma += r->rstd[g * channels + c] * sum_dz_x[g * channels + c];
            dbeta += sum_dz[g * channels + c];
        }
        protea_f32(&bn->gamma.dw)[c] += (float)dgamma;
        protea_f32(&bn->beta.dw)[c] += (float)dbeta;
    }
}

/* The coefficients (G,C) of dx = a dz + b x + k. With M values a group:
 *   dx = scale (dz - sum(dz)/M - (x - mean) rstd^2 sum(dz (x - mean))/M);
 * running statistics do not depend on x, so then dx = scale dz. */
typedef struct coefficients {
    float *a, *b, *k;
} coefficients;

static void solve_coefficients(coefficients *out, const protea_bn_record *r, int64_t n, const double *sum_dz,
                               const double *sum_dz_x, double values)
{
    double share = r->batch_stats ? 1 / values : 0;
    for (int64_t i = 0; i < n; i++) {
        double a = r->scale[i];
        double b = -a * r->rstd[i] * r->rstd[i] * sum_dz_x[i] * share;
        out->a[i] = (float)a;
        out->b[i] = (float)b;
        out->k[i] = (float)(-a * sum_dz[i] * share - b * r->mean[i]);
    }
}

protea_status protea_bn_backward(protea_ctx *cx, protea_bn *bn, const protea_bn_record *record, protea_tensor *dx,
                                 protea_tensor *d_residual, const protea_tensor *x, const protea_tensor *y,
                                 const protea_tensor *dy, protea_act act)
{
    size_t n = (size_t)(record->groups.groups * bn->channels), mark = protea_arena_mark(cx->scratch);
    double *sum; /* (2,G,C): sum_dz and sum_dz_x */
    coefficients co;
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &sum, 2 * n * sizeof *sum));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &co.a, n * sizeof(float)));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &co.b, n * sizeof(float)));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &co.k, n * sizeof(float)));
    protea_map m = protea_map_of(x);
    const void *out = y ? y->data : NULL;
    if (!cx->planning) {
        const protea_kernels *k = &cx->be->k;
        k->bn_backward_reduce(cx->be, sum, sum + n, x->data, out, dy->data, record->mean, record->scale, record->shift, &m,
                              &record->groups, act);
        add_gradients(bn, record, sum, sum + n);
        if (record->batch_stats && protea_bn_spans_ranks(cx, &record->groups))
            PROTEA_TRY(cx->comm->sum_f64(cx->comm, sum, 2 * n));
        solve_coefficients(&co, record, (int64_t)n, sum, sum + n, protea_bn_values_per_group(cx, x, &record->groups));
        k->bn_backward_apply(cx->be, dx->data, d_residual ? d_residual->data : NULL, x->data, out, dy->data, co.a, co.b, co.k,
                             record->scale, record->shift, &m, &record->groups, act);
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}
