#include "eval/answer.h"

#include <math.h>

protea_answer protea_answer_of(const float *p, int n_classes)
{
    int32_t best = 0;
    double entropy = 0;
    for (int32_t c = 0; c < n_classes; c++) {
        best = p[c] > p[best] ? c : best;
        entropy -= p[c] > 0 ? (double)p[c] * log((double)p[c]) : 0;
    }
    return (protea_answer){ best, p[best], (float)entropy };
}
