#include "loss/log_softmax.h"

#include <math.h>

void protea_log_softmax_row(double *log_p, const float *x, int64_t c)
{
    double top = x[protea_argmax_row(x, c)], sum = 0;
    for (int64_t i = 0; i < c; i++)
        sum += exp(x[i] - top);
    double log_sum = log(sum);
    for (int64_t i = 0; i < c; i++)
        log_p[i] = x[i] - top - log_sum;
}

double protea_entropy_row(const double *log_p, int64_t c)
{
    double h = 0;
    for (int64_t i = 0; i < c; i++)
        h -= exp(log_p[i]) * log_p[i];
    return h;
}

int64_t protea_argmax_row(const float *x, int64_t c)
{
    int64_t best = 0;
    for (int64_t i = 1; i < c; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}
