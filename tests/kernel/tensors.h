/* Activations for kernel tests: plain f32 values and their copies in each back-end's layout, and how two are compared. */
#ifndef TESTS_KERNEL_TENSORS_H
#define TESTS_KERNEL_TENSORS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/kernels.h"
#include "base/rng.h"

static inline void *room(size_t bytes)
{
    return aligned_alloc(64, (bytes + 127) / 64 * 64);
}

static inline float *random_values(int64_t n, uint32_t stream, float scale)
{
    protea_rng rng = protea_rng_make(7, PROTEA_RNG_TEST, stream, 0, 0);
    float *v = room((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = scale * protea_rng_normal(&rng);
    return v;
}

static inline int64_t elements(const protea_map *m)
{
    return m->n * m->c * m->h * m->w;
}

static inline protea_map map_for(const protea_backend *be, protea_dtype dtype, int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (protea_map){ n, c, h, w, be->k.block(be, dtype, c), dtype };
}

static inline void *native_room(const protea_map *m)
{
    return room((size_t)elements(m) * protea_dtype_bytes(m->dtype));
}

static inline void *native_copy(protea_backend *be, const protea_map *m, const float *plain)
{
    void *x = native_room(m);
    be->k.to_native(be, x, m, plain);
    return x;
}

static inline float *plain_copy(protea_backend *be, const protea_map *m, const void *native)
{
    float *y = room((size_t)elements(m) * sizeof *y);
    be->k.from_native(be, y, native, m);
    return y;
}

/* True when |a - b| <= tolerance * (|b| + rms(b)) everywhere; prints the worst element otherwise. NaN never agrees. */
static inline int agree(const char *what, const float *a, const float *b, int64_t n, double tolerance)
{
    double squares = 0, worst = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        squares += (double)b[i] * (double)b[i];
    double rms = sqrt(squares / (double)n);
    for (int64_t i = 0; i < n; i++) {
        double off = fabs((double)a[i] - (double)b[i]) / (fabs((double)b[i]) + rms + 1e-30);
        if (!(off <= worst)) {
            worst = off;
            at = i;
        }
    }
    if (worst <= tolerance)
        return 1;
    printf("%s: element %lld is %.9g, reference %.9g (off by %.3g, allowed %.3g)\n", what, (long long)at, (double)a[at],
           (double)b[at], worst, tolerance);
    return 0;
}

#endif
