/* Which rows and columns meet in a gradient of convolution weights that is summed tap by tap. */
#ifndef PROTEA_BACKEND_CPU_WEIGHTS_ROWS_H
#define PROTEA_BACKEND_CPU_WEIGHTS_ROWS_H

#include "backend/kernels.h"

typedef struct rows {
    int64_t from, to;
} rows;

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Rows of x that the taps lead to from these rows of dy. */
static inline rows rows_met(const protea_conv_dims *d, rows dy)
{
    int64_t from = dy.from * d->stride - d->pad, to = (dy.to - 1) * d->stride - d->pad + d->kh;
    return (rows){ most(from, 0), most(least(to, d->x.h), 0) };
}

/* The most rows of x that `band` rows of dy meet, from a multiple of band on. */
static inline int64_t most_rows_met(const protea_conv_dims *d, int64_t band)
{
    int64_t out = 0;
    for (int64_t from = 0; from < d->y.h; from += band) {
        rows r = rows_met(d, (rows){ from, least(from + band, d->y.h) });
        out = most(out, r.to - r.from);
    }
    return out;
}

/* Whether some tap leads to this row or column of x. */
static inline bool is_met(const protea_conv_dims *d, int64_t at, int64_t taps)
{
    for (int64_t p = 0; p < taps; p++)
        if ((at + d->pad - p) % d->stride == 0)
            return true;
    return false;
}

/* Output positions that tap `tap` leads from to positions inside [begin, end). */
static inline rows outputs_inside(const protea_conv_dims *d, int64_t tap, rows outputs, int64_t begin, int64_t end)
{
    rows r = outputs;
    while (r.from < r.to && r.from * d->stride + tap - d->pad < begin)
        r.from++;
    while (r.to > r.from && (r.to - 1) * d->stride + tap - d->pad >= end)
        r.to--;
    return r;
}

#endif
