/* The rows that k-means is given: looking at them once, and taking a part of them. */
#include "cluster/kmeans_points.h"

#include <math.h>
#include <string.h>

enum { PARTS = 64 };
static const float LARGEST = 1e15f; /* its square, summed over many columns, fits in an f32 */

static const char *name_of(const protea_points *p)
{
    return p->name != NULL ? p->name : "k-means";
}

/* Fails with the first number that cannot be. */
static protea_status refuse(const protea_points *p)
{
    for (int64_t i = 0; i < p->n * p->d; i++)
        if (!(fabsf(p->x[i]) <= LARGEST))
            return protea_fail(PROTEA_ERR_INPUT, "%s: row %lld, column %lld holds %g; finite numbers of at most %g wanted",
                               name_of(p), (long long)(i / p->d), (long long)(i % p->d), (double)p->x[i], (double)LARGEST);
    return PROTEA_OK;
}

static protea_status check_weights(const protea_points *p)
{
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++) {
        if (!(p->weights[i] >= 0 && p->weights[i] <= LARGEST))
            return protea_fail(PROTEA_ERR_INPUT, "%s: the weight of row %lld is %g; 0 to %g wanted", name_of(p),
                               (long long)i, (double)p->weights[i], (double)LARGEST);
        sum += (double)p->weights[i];
    }
    if (!(sum > 0))
        return protea_fail(PROTEA_ERR_INPUT, "%s: every row has weight 0", name_of(p));
    return PROTEA_OK;
}

/* sum (d) += the rows of part; returns whether one of their numbers cannot be. */
static bool sum_part(double *restrict sum, const protea_points *p, int64_t part)
{
    int bad = 0;
    for (int64_t i = p->n * part / PARTS; i < p->n * (part + 1) / PARTS; i++) {
        const float *restrict row = p->x + i * p->d;
        for (int64_t j = 0; j < p->d; j++) {
            bad |= !(fabsf(row[j]) <= LARGEST);
            sum[j] += (double)row[j];
        }
    }
    return bad != 0;
}

protea_status protea_points_check(const protea_points *p, float *mean)
{
    double *sum; /* (PARTS,d) */
    int bad = 0;
    if (p->weights != NULL)
        PROTEA_TRY(check_weights(p));
    PROTEA_TRY(protea_new(&sum, PARTS, (size_t)p->d * sizeof *sum, "sums of columns"));
#pragma omp parallel for schedule(static) reduction(| : bad)
    for (int64_t part = 0; part < PARTS; part++)
        bad |= sum_part(sum + part * p->d, p, part);
    for (int64_t j = 0; j < p->d; j++) {
        for (int64_t part = 1; part < PARTS; part++)
            sum[j] += sum[part * p->d + j];
        mean[j] = (float)(sum[j] / (double)p->n);
    }
    protea_free(sum);
    return bad ? refuse(p) : PROTEA_OK;
}

protea_status protea_points_draw(protea_points *p, int64_t wanted, uint64_t seed)
{
    protea_rng rng = protea_rng_make(seed, PROTEA_RNG_KMEANS, 0, 0, 1);
    PROTEA_TRY(protea_new(&p->rows, (size_t)wanted, sizeof *p->rows, "rows to train on"));
    protea_draw_distinct(&rng, p->rows, wanted, p->n);
    p->n = wanted;
    return PROTEA_OK;
}
