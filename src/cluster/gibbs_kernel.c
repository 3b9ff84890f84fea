/* E = exp(scores / eps) without overflow, in one of two ways.
 *
 * By rows: the largest score of a row is subtracted from it, which needs each score once. The alternation rescales rows whatever
 * their factors are; but it begins with the columns, whose sums must be those of rows without factors, so each row counts in
 * them by exp(largest / eps), relative to the largest of all. What fails is a prototype that is far from every sample: its sum
 * underflows.
 *
 * By columns, then: the largest score of a prototype, over all samples and ranks, is subtracted from its scores, which costs a
 * second reading. No column underflows, however small eps is, but the row of a sample that is far from what others are may. */
#include "cluster/gibbs_kernel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "comm/comm.h"

enum { MUCH = 4 << 20 }; /* elements of E that do not stay in cache from pass to pass */
static const double LEAST_SUM = 1e-30; /* of a column by rows; single terms below 1e-38 are lost in it */
static const char NOT_FINITE[] = "the scores are not all finite; a lower learning rate may help";

/* One part's E, its level and its column sums, relative to that level. Whether its scores are finite. */
static bool part_by_rows(sinkhorn *s, int64_t part)
{
    protea_backend *be = s->cx->be;
    int64_t k = s->k;
    float *sum = s->part_sum + part * k, inverse_eps = (float)(1 / s->eps), level = -FLT_MAX;
    bool finite = true;
    memset(sum, 0, (size_t)k * sizeof(float));
    for (int64_t b = part * SINKHORN_PART; b < sinkhorn_part_end(s, part); b++) {
        float top = be->k.largest(be, s->scores + b * k, k);
        finite = finite && isfinite(top);
        if (top > level) {
            float lower = expf((level - top) * inverse_eps);
            for (int64_t i = 0; i < k; i++)
                sum[i] *= lower;
            level = top;
        }
        be->k.exp_below(be, sinkhorn_row(s, b), sum, s->scores + b * k, top, inverse_eps, expf((top - level) * inverse_eps), k,
                        s->b * k > MUCH);
    }
    s->level[part] = (double)level;
    return finite;
}

/* The parts' column sums relative to the largest score of all. */
static void level_parts(sinkhorn *s, double top)
{
#pragma omp parallel for schedule(static)
    for (int64_t part = 0; part < s->n_parts; part++) {
        float lower = (float)exp((s->level[part] - top) / s->eps);
        for (int64_t i = 0; i < s->k; i++)
            s->part_sum[part * s->k + i] *= lower;
    }
}

static protea_status by_rows(sinkhorn *s)
{
    int bad = 0;
#pragma omp parallel for schedule(static) reduction(| : bad)
    for (int64_t part = 0; part < s->n_parts; part++)
        bad |= !part_by_rows(s, part);
    PROTEA_TRY(protea_sinkhorn_all_well(s, bad, NOT_FINITE));
    double top = s->level[0];
    for (int64_t part = 1; part < s->n_parts; part++)
        top = s->level[part] > top ? s->level[part] : top;
    PROTEA_TRY(s->cx->comm->max_f64(s->cx->comm, &top, 1));
    level_parts(s, top);
    return protea_sinkhorn_sum_columns(s);
}

/* shift[k] = largest score of prototype k over all rows and ranks. */
static protea_status find_shift(sinkhorn *s)
{
    protea_backend *be = s->cx->be;
    int64_t k = s->k;
#pragma omp parallel for schedule(static)
    for (int64_t part = 0; part < s->n_parts; part++) {
        float *max = s->part_sum + part * k;
        memcpy(max, s->scores + part * SINKHORN_PART * k, (size_t)k * sizeof(float));
        for (int64_t b = part * SINKHORN_PART; b < sinkhorn_part_end(s, part); b++)
            be->k.max_of(be, max, s->scores + b * k, k);
    }
    for (int64_t part = 1; part < s->n_parts; part++)
        be->k.max_of(be, s->part_sum, s->part_sum + part * k, k);
    for (int64_t i = 0; i < k; i++)
        s->column_sum[i] = s->part_sum[i];
    PROTEA_TRY(s->cx->comm->max_f64(s->cx->comm, s->column_sum, (size_t)k));
    for (int64_t i = 0; i < k; i++)
        s->shift[i] = (float)s->column_sum[i];
    return PROTEA_OK;
}

static protea_status by_columns(sinkhorn *s)
{
    protea_backend *be = s->cx->be;
    int64_t k = s->k;
    float inverse_eps = (float)(1 / s->eps);
    PROTEA_TRY(find_shift(s));
#pragma omp parallel for schedule(static)
    for (int64_t part = 0; part < s->n_parts; part++) {
        float *sum = s->part_sum + part * k;
        memset(sum, 0, (size_t)k * sizeof(float));
        for (int64_t b = part * SINKHORN_PART; b < sinkhorn_part_end(s, part); b++)
            be->k.exp_less(be, sinkhorn_row(s, b), sum, s->scores + b * k, s->shift, inverse_eps, k);
    }
    return protea_sinkhorn_sum_columns(s);
}

protea_status protea_gibbs_kernel(sinkhorn *s)
{
    PROTEA_TRY(by_rows(s));
    for (int64_t i = 0; i < s->k; i++)
        if (s->column_sum[i] < LEAST_SUM)
            return by_columns(s);
    return PROTEA_OK;
}
