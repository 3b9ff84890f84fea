#include "cluster/row_lengths.h"

#include <math.h>

static const double SHORTEST = 1e-18, LONGEST = 1e18;

static double length_of(const float *x, int64_t d)
{
    enum { SUMS = 8 };
    double square[SUMS] = { 0 };
    int64_t j = 0;
    for (; j + SUMS <= d; j += SUMS)
        for (int s = 0; s < SUMS; s++)
            square[s] += (double)x[j + s] * (double)x[j + s];
    for (int s = 0; j < d; j++, s++)
        square[s] += (double)x[j] * (double)x[j];
    return sqrt(((square[0] + square[1]) + (square[2] + square[3])) + ((square[4] + square[5]) + (square[6] + square[7])));
}

static protea_status refuse(const protea_some_rows *r, int64_t i, double length)
{
    long long row = (long long)protea_row_number(r, i);
    if (isfinite(length))
        return protea_fail(PROTEA_ERR_INPUT, "kNN: row %lld of the %s features has the length %g; wanted 0 or %g to %g", row,
                           r->name, length, SHORTEST, LONGEST);
    return protea_fail(PROTEA_ERR_INPUT, "kNN: row %lld of the %s features holds a value that is not finite", row, r->name);
}

protea_status protea_row_lengths(double *length, double *longest, const protea_some_rows *r, int64_t d)
{
    int64_t bad = -1;
    double most = *longest;
#pragma omp parallel for schedule(static) reduction(max : bad, most)
    for (int64_t i = 0; i < r->n; i++) {
        length[i] = length_of(protea_row_at(r, i, d), d);
        most = length[i] > most ? length[i] : most;
        if (length[i] != 0 && !(length[i] >= SHORTEST && length[i] <= LONGEST))
            bad = i;
    }
    *longest = most;
    return bad < 0 ? PROTEA_OK : refuse(r, bad, length[bad]);
}

void protea_row_centre(float *centre, const protea_some_rows *r, const double *scale, int64_t d)
{
    enum { MOST = 4096 };
    int64_t n = r->n < MOST ? r->n : MOST;
    for (int64_t at = 0; at < n; at++) {
        int64_t i = at * r->n / n;
        const float *x = protea_row_at(r, i, d);
        float weight = (float)(scale[i] / (double)n);
        for (int64_t j = 0; j < d; j++)
            centre[j] += weight * x[j];
    }
}
