/* Reference: element by element. */
#include "backend/cpu/fill.h"
#include "backend/cpu/ref_access.h"

static void relu(protea_backend *be, void *y, const void *x, int64_t n, protea_dtype dtype)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        float value = get(x, dtype, i);
        put(y, dtype, i, value < 0 ? 0 : value);
    }
}

static void relu_backward(protea_backend *be, void *dx, const void *y, const void *dy, int64_t n, protea_dtype dtype)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        put(dx, dtype, i, get(y, dtype, i) > 0 ? get(dy, dtype, i) : 0);
}

static void add(protea_backend *be, void *y, const void *a, const void *b, int64_t n, protea_dtype dtype)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        put(y, dtype, i, get(a, dtype, i) + get(b, dtype, i));
}

static void convert(protea_backend *be, void *y, protea_dtype ydtype, const void *x, protea_dtype xdtype, int64_t n)
{
    (void)be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        put(y, ydtype, i, get(x, xdtype, i));
}

void protea_ref_fill_elementwise(protea_kernels *k)
{
    k->relu = relu;
    k->relu_backward = relu_backward;
    k->add = add;
    k->convert = convert;
}
