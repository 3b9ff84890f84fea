#include "cluster/concentration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation between the sorted values, as numpy.percentile's default. */
static double percentile(const double *sorted, int64_t n, double share)
{
    double at = share * (double)(n - 1);
    int64_t below = (int64_t)at, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

/* phi (K) of clusters with more than one row, 0 for the others; returns the largest. count (K): zeroed, becomes the sizes. */
static double raw_phi(double *phi, int64_t *count, const int32_t *assign, const float *distances, int64_t n, int64_t k)
{
    double most = 0;
    memset(phi, 0, (size_t)k * sizeof *phi);
    for (int64_t i = 0; i < n; i++) {
        phi[assign[i]] += sqrt((double)distances[i]);
        count[assign[i]]++;
    }
    for (int64_t j = 0; j < k; j++) {
        phi[j] = count[j] > 1 ? phi[j] / (double)count[j] / log((double)count[j] + 10) : 0;
        most = fmax(most, phi[j]);
    }
    return most;
}

/* Clips phi to its percentiles and scales it to the mean wanted. sorted (K): room. */
static void clip_and_scale(double *phi, double *sorted, int64_t k, double temperature)
{
    double mean = 0;
    memcpy(sorted, phi, (size_t)k * sizeof *phi);
    qsort(sorted, (size_t)k, sizeof *sorted, by_value);
    double low = percentile(sorted, k, 0.1), high = percentile(sorted, k, 0.9);
    for (int64_t j = 0; j < k; j++) {
        phi[j] = fmin(fmax(phi[j], low), high);
        mean += phi[j] / (double)k;
    }
    for (int64_t j = 0; j < k; j++)
        phi[j] = mean > 0 ? temperature * phi[j] / mean : temperature;
}

protea_status protea_concentration(double *phi, const int32_t *assign, const float *distances, int64_t n, int64_t k,
                                   double temperature)
{
    int64_t *count;
    double *sorted;
    PROTEA_TRY(protea_new(&count, (size_t)k, sizeof *count, "cluster sizes"));
    protea_status status = protea_new(&sorted, (size_t)k, sizeof *sorted, "concentrations");
    if (status == PROTEA_OK) {
        double most = raw_phi(phi, count, assign, distances, n, k);
        for (int64_t j = 0; j < k; j++)
            phi[j] = phi[j] > 0 ? phi[j] : most;
        clip_and_scale(phi, sorted, k, temperature);
        protea_free(sorted);
    }
    protea_free(count);
    return status;
}
