/* Forces in a map: a group of points, one to a lane, meets everything that repels it; a point's neighbours, one to a lane, attract
 * it. */
#include "backend/cpu/fill.h"
#include "backend/cpu/simd.h"

enum { GROUP = PROTEA_MAP_GROUP, VECTORS = GROUP / LANES, CHUNK = 256 }; /* so many terms are added up in f32 */

typedef struct sums { vf x[VECTORS], y[VECTORS], q[VECTORS]; } sums;

SIMD_INLINE void add_one(sums *s, const vf *x, const vf *y, float from_x, float from_y, float mass)
{
    for (int v = 0; v < VECTORS; v++) {
        vf dx = x[v] - splat(from_x), dy = y[v] - splat(from_y);
        vf q = 1 / (1 + dx * dx + dy * dy), weight = splat(mass) * q, push = weight * q;
        s->x[v] += push * dx;
        s->y[v] += push * dy;
        s->q[v] += weight;
    }
}

static void add_to(double *sum, const vf *v)
{
    float lane[GROUP];
    memcpy(lane, v, sizeof lane);
    for (int i = 0; i < GROUP; i++)
        sum[i] += (double)lane[i];
}

static void repel(const protea_backend *be, protea_map_sums *total, const float *x, const float *y, const protea_map_points *from,
                  int64_t n)
{
    vf vx[VECTORS], vy[VECTORS];
    (void)be;
    memcpy(vx, x, sizeof vx);
    memcpy(vy, y, sizeof vy);
    for (int64_t first = 0; first < n; first += CHUNK) {
        sums s = { 0 };
        for (int64_t j = first; j < n && j < first + CHUNK; j++)
            add_one(&s, vx, vy, from->x[j], from->y[j], from->mass[j]);
        add_to(total->x, s.x);
        add_to(total->y, s.y);
        add_to(total->q, s.q);
    }
}

/* A tree, whose shape depends on nothing. */
static float sum_of(float *lane)
{
    for (int half = GROUP / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static void attract(const protea_backend *be, float *force, const float *a, const int32_t *restrict to, const float *restrict p,
                    int64_t n, const float *restrict x, const float *restrict y)
{
    float sum_x[GROUP] = { 0 }, sum_y[GROUP] = { 0 };
    const float ax = a[0], ay = a[1];
    (void)be;
    for (int64_t first = 0; first < n; first += GROUP)
        for (int j = 0; j < GROUP; j++) {
            float dx = ax - x[to[first + j]], dy = ay - y[to[first + j]];
            float weight = p[first + j] / (1 + dx * dx + dy * dy);
            sum_x[j] += weight * dx;
            sum_y[j] += weight * dy;
        }
    force[0] = sum_of(sum_x);
    force[1] = sum_of(sum_y);
}

void SIMD_NAME(protea_simd_fill_map)(protea_kernels *k)
{
    k->repel = repel;
    k->attract = attract;
}
