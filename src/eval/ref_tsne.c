/* t-SNE's objective and gradient as the paper has them, in double: what tsne_forces.c is tested against. */
#include <math.h>

#include "eval/tsne_forces.h"

static double q_of(const double *a, const double *b)
{
    double dx = a[0] - b[0], dy = a[1] - b[1];
    return 1 / (1 + dx * dx + dy * dy);
}

double protea_tsne_reference(double *gradient, const double *p, const double *y, int64_t n)
{
    double z = 0, kl = 0;
    for (int64_t i = 0; i < n * n; i++)
        z += i / n != i % n ? q_of(y + 2 * (i / n), y + 2 * (i % n)) : 0;
    for (int64_t i = 0; i < n; i++) {
        gradient[2 * i] = gradient[2 * i + 1] = 0;
        for (int64_t j = 0; j < n; j++) {
            double q = q_of(y + 2 * i, y + 2 * j), p_ij = p[i * n + j];
            for (int axis = 0; axis < 2; axis++)
                gradient[2 * i + axis] += 4 * (p_ij - q / z) * q * (y[2 * i + axis] - y[2 * j + axis]);
            kl += p_ij > 0 ? p_ij * log(p_ij * z / q) : 0;
        }
    }
    return kl;
}
