#include "loss/row_norm.h"

#include <math.h>

#include "tensor/check.h"
#include "tensor/ops.h"

static const double SHORTEST = 1e-12;

static protea_status check(const protea_tensor *y, const protea_tensor *norm, const protea_tensor *x)
{
    PROTEA_TRY(protea_check_same("row norm", y, x));
    return protea_check_plain("row norm", "norm", norm, 2, (const int64_t[]){ x->dim[0], 1 });
}

protea_status protea_row_norm(protea_ctx *cx, protea_row_norm_kind kind, protea_tensor *y, protea_tensor *norm,
                              const protea_tensor *x)
{
    if (kind == PROTEA_NORM_L2)
        return protea_l2norm(cx, y, norm, x);
    PROTEA_TRY(check(y, norm, x));
    int64_t n = cx->planning ? 0 : x->dim[0], d = x->dim[1];
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < n; row++) {
        const float *from = protea_f32(x) + row * d;
        double sum = 0;
        for (int64_t i = 0; i < d; i++)
            sum += fabs((double)from[i]);
        float length = (float)(sum > SHORTEST ? sum : SHORTEST);
        protea_f32(norm)[row] = length;
        for (int64_t i = 0; i < d; i++)
            protea_f32(y)[row * d + i] = from[i] / length;
    }
    return PROTEA_OK;
}

protea_status protea_row_norm_backward(protea_ctx *cx, protea_row_norm_kind kind, protea_tensor *dx, const protea_tensor *y,
                                       const protea_tensor *norm, const protea_tensor *dy)
{
    if (kind == PROTEA_NORM_L2)
        return protea_l2norm_backward(cx, dx, y, norm, dy);
    PROTEA_TRY(check(dx, norm, y));
    int64_t n = cx->planning ? 0 : y->dim[0], d = y->dim[1];
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < n; row++) {
        const float *unit = protea_f32(y) + row * d, *g = protea_f32(dy) + row * d;
        float *to = protea_f32(dx) + row * d, length = protea_f32(norm)[row];
        double dot = 0;
        for (int64_t i = 0; i < d; i++)
            dot += (double)unit[i] * g[i];
        for (int64_t i = 0; i < d; i++) {
            double sign = (unit[i] > 0) - (unit[i] < 0);
            to[i] = (float)((g[i] - sign * dot) / length);
        }
    }
    return PROTEA_OK;
}
