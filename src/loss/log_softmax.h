/* One row of logits, in double. */
#ifndef PROTEA_LOSS_LOG_SOFTMAX_H
#define PROTEA_LOSS_LOG_SOFTMAX_H

#include <stdint.h>

/* log_p (C): x - max - ln sum exp(x - max). */
void protea_log_softmax_row(double *log_p, const float *x, int64_t c);
/* - sum p ln p. */
double protea_entropy_row(const double *log_p, int64_t c);
/* The first of the largest. */
int64_t protea_argmax_row(const float *x, int64_t c);

#endif
