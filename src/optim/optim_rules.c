/* Loops over the elements of one parameter. Small tensors stay on the calling thread. */
#include "optim/optim_rules.h"

#include <math.h>

enum { PART = 8192, LANES = 8, PARALLEL_FROM = 1 << 15 };

static double sum_of_squares(const float *x, int64_t n)
{
    double lane[LANES] = { 0 };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j] * x[i + j];
    for (; i < n; i++)
        lane[0] += (double)x[i] * x[i];
    double sum = 0;
    for (int j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

double protea_l2_norm(const float *x, int64_t n)
{
    enum { MAX_PARTS = 256 };
    double part_sum[MAX_PARTS] = { 0 };
    int64_t n_parts = (n + PART - 1) / PART;
    n_parts = n_parts < MAX_PARTS ? n_parts : MAX_PARTS;
#pragma omp parallel for schedule(static) if (n >= PARALLEL_FROM)
    for (int64_t part = 0; part < n_parts; part++) {
        int64_t first = n * part / n_parts, last = n * (part + 1) / n_parts;
        part_sum[part] = sum_of_squares(x + first, last - first);
    }
    double sum = 0;
    for (int64_t part = 0; part < n_parts; part++)
        sum += part_sum[part];
    return sqrt(sum);
}

void protea_sgd_update(float *p, float *v, const float *g, int64_t n, float lr, float momentum, float wd, float scale)
{
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++) {
        float step = momentum * v[i] + scale * (g[i] + wd * p[i]);
        v[i] = step;
        p[i] -= lr * step;
    }
}

void protea_adam_update(float *p, float *m, float *v, const float *g, int64_t n, const protea_adam_rule *rule)
{
    const float beta1 = (float)rule->beta1, beta2 = (float)rule->beta2, wd = (float)rule->wd, eps = (float)rule->eps;
    const float rest1 = (float)(1 - rule->beta1), rest2 = (float)(1 - rule->beta2); /* in float, 1 - 0.999 is 5e-5 off */
    const float rate = (float)(rule->lr / rule->correction1), root = (float)sqrt(rule->correction2);
#pragma omp parallel for simd schedule(static) if (n >= PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++) {
        float grad = g[i] + wd * p[i];
        m[i] = beta1 * m[i] + rest1 * grad;
        v[i] = beta2 * v[i] + rest2 * grad * grad;
        p[i] -= rate * m[i] / (sqrtf(v[i]) / root + eps);
    }
}
