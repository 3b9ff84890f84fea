/* Forces in a map, plainly. */
#include "backend/cpu/fill.h"

static void repel(const protea_backend *be, protea_map_sums *sums, const float *x, const float *y, const protea_map_points *from,
                  int64_t n)
{
    (void)be;
    for (int i = 0; i < PROTEA_MAP_GROUP; i++)
        for (int64_t j = 0; j < n; j++) {
            double dx = (double)x[i] - (double)from->x[j], dy = (double)y[i] - (double)from->y[j];
            double q = 1 / (1 + dx * dx + dy * dy), weight = (double)from->mass[j] * q;
            sums->x[i] += weight * q * dx;
            sums->y[i] += weight * q * dy;
            sums->q[i] += weight;
        }
}

static void attract(const protea_backend *be, float *force, const float *a, const int32_t *to, const float *p, int64_t n,
                    const float *x, const float *y)
{
    double sum[2] = { 0, 0 };
    (void)be;
    for (int64_t j = 0; j < n; j++) {
        double dx = (double)a[0] - (double)x[to[j]], dy = (double)a[1] - (double)y[to[j]];
        double weight = (double)p[j] / (1 + dx * dx + dy * dy);
        sum[0] += weight * dx;
        sum[1] += weight * dy;
    }
    force[0] = (float)sum[0];
    force[1] = (float)sum[1];
}

void protea_ref_fill_map(protea_kernels *k)
{
    k->repel = repel;
    k->attract = attract;
}
