/* The update rules, one parameter tensor at a time: pointers and a count, no names. */
#ifndef PROTEA_OPTIM_OPTIM_RULES_H
#define PROTEA_OPTIM_OPTIM_RULES_H

#include <stdint.h>

/* sqrt(sum x^2) in double; equal bits for any number of threads. */
double protea_l2_norm(const float *x, int64_t n);

/* p -= lr v with v = momentum v + scale (g + wd p). */
void protea_sgd_update(float *p, float *v, const float *g, int64_t n, float lr, float momentum, float wd, float scale);

typedef struct protea_adam_rule {
    double lr, beta1, beta2, eps, wd;
    double correction1, correction2; /* 1 - beta^t, t counted from 1 */
} protea_adam_rule;
void protea_adam_update(float *p, float *m, float *v, const float *g, int64_t n, const protea_adam_rule *rule);

#endif
