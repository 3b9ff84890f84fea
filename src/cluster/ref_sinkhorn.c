/* Sinkhorn-Knopp as the paper's listing has it, in double: what sinkhorn.c is tested against. */
#include <math.h>

#include "cluster/sinkhorn.h"

/* Each of n sums, taken with stride `across` over m elements that lie `along` apart, becomes total. */
static void normalise(double *q, int64_t n, int64_t across, int64_t m, int64_t along, double total)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < m; j++)
            sum += q[i * across + j * along];
        for (int64_t j = 0; j < m; j++)
            q[i * across + j * along] *= total / sum;
    }
}

void protea_sinkhorn_reference(double *q, const double *s, int64_t b, int64_t k, double eps, int64_t iters)
{
    double max = s[0];
    for (int64_t i = 0; i < b * k; i++)
        max = s[i] > max ? s[i] : max;
    for (int64_t i = 0; i < b * k; i++)
        q[i] = exp((s[i] - max) / eps);
    for (int64_t sweep = 0; sweep < iters; sweep++) {
        normalise(q, k, 1, b, k, 1.0 / (double)k);
        normalise(q, b, k, k, 1, 1.0 / (double)b);
    }
    for (int64_t i = 0; i < b * k; i++)
        q[i] *= (double)b;
}
