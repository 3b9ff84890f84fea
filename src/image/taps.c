/* Pillow 9's weights: filters as wide as the down-scaling asks, the sum made 1, then whole numbers. */
#include "image/taps.h"

#include <math.h>

static const double half_width[] = { [PROTEA_FILTER_BOX] = 0.5, [PROTEA_FILTER_BILINEAR] = 1, [PROTEA_FILTER_BICUBIC] = 2 };

static double box_at(double x)
{
    return x > -0.5 && x <= 0.5;
}

static double triangle_at(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Keys 1981 with a = -0.5. */
static double cubic_at(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double filter_at(protea_filter filter, double x)
{
    switch (filter) {
    case PROTEA_FILTER_BOX: return box_at(x);
    case PROTEA_FILTER_BILINEAR: return triangle_at(x);
    case PROTEA_FILTER_BICUBIC: return cubic_at(x);
    }
    return 0;
}

static double step_of(const protea_span *s)
{
    return (s->in1 - s->in0) / s->n_all;
}

/* How much wider than for enlarging. */
static double scale_of(const protea_span *s)
{
    return step_of(s) < 1 ? 1 : step_of(s);
}

int protea_taps_width(const protea_span *s, protea_filter filter)
{
    return (int)ceil(half_width[filter] * scale_of(s)) * 2 + 1;
}

static int32_t fixed(double weight)
{
    return (int32_t)((weight < 0 ? -0.5 : 0.5) + weight * (1 << PROTEA_WEIGHT_BITS));
}

static void fill_one(protea_taps *t, int i, double center, const protea_span *s, protea_filter filter, double *weight)
{
    double support = half_width[filter] * scale_of(s), per_pixel = 1.0 / scale_of(s), sum = 0;
    int first = (int)(center - support + 0.5), last = (int)(center + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > s->n_in ? s->n_in : last;
    for (int x = first; x < last; x++) {
        weight[x - first] = filter_at(filter, (x - center + 0.5) * per_pixel);
        sum += weight[x - first];
    }
    for (int k = 0; k < last - first; k++)
        t->weight[(size_t)i * (size_t)t->width + (size_t)k] = fixed(weight[k] / sum);
    t->first[i] = first;
    t->n[i] = last - first;
}

void protea_taps_fill(protea_taps *t, const protea_span *s, protea_filter filter, double *weight)
{
    double step = step_of(s);
    for (int i = 0; i < s->n; i++)
        fill_one(t, s->mirrored ? s->n - 1 - i : i, s->in0 + (s->first + i + 0.5) * step, s, filter, weight);
}
