#include "eval/principal_axes.h"

#include <math.h>
#include <string.h>

enum { ITERATIONS = 40, SUMS = 8, CHUNK = 1024 }; /* rows whose sums are made together: the partition does not depend on threads */

typedef struct axes {
    const float *z;
    int64_t n, dim, chunks;
    double *mean;    /* (dim) */
    double *axis;    /* (2,dim) */
    double *part;    /* (chunks,2,dim): sums of a chunk */
} axes;

static protea_status axes_new(axes *a)
{
    a->chunks = (a->n + CHUNK - 1) / CHUNK;
    PROTEA_TRY(protea_new(&a->mean, (size_t)a->dim, sizeof *a->mean, "principal axes"));
    PROTEA_TRY(protea_new(&a->axis, (size_t)a->dim, 2 * sizeof *a->axis, "principal axes"));
    return protea_new(&a->part, (size_t)a->chunks, 2 * (size_t)a->dim * sizeof *a->part, "principal axes");
}

static void find_mean(axes *a)
{
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t d = 0; d < a->dim; d++)
            a->mean[d] += (double)a->z[i * a->dim + d] / (double)a->n;
}

/* Coordinate of row i on an axis; in several running sums, none of which waits for the others. */
static double project(const axes *a, int64_t i, int which)
{
    const float *z = a->z + i * a->dim;
    const double *axis = a->axis + which * a->dim, *mean = a->mean;
    double sum[SUMS] = { 0 }, all = 0;
    int64_t d = 0;
    for (; d + SUMS <= a->dim; d += SUMS)
        for (int s = 0; s < SUMS; s++)
            sum[s] += ((double)z[d + s] - mean[d + s]) * axis[d + s];
    for (; d < a->dim; d++)
        all += ((double)z[d] - mean[d]) * axis[d];
    for (int s = 0; s < SUMS; s++)
        all += sum[s];
    return all;
}

static void add_chunk(const axes *a, int64_t chunk)
{
    double *part = a->part + chunk * 2 * a->dim;
    int64_t end = (chunk + 1) * CHUNK < a->n ? (chunk + 1) * CHUNK : a->n;
    memset(part, 0, 2 * (size_t)a->dim * sizeof *part);
    for (int64_t i = chunk * CHUNK; i < end; i++)
        for (int which = 0; which < 2; which++) {
            double at = project(a, i, which);
            for (int64_t d = 0; d < a->dim; d++)
                part[which * a->dim + d] += at * ((double)a->z[i * a->dim + d] - a->mean[d]);
        }
}

/* The axes become orthogonal and of length 1 (Gram-Schmidt). */
static void straighten(double *axis, int64_t dim)
{
    for (int which = 0; which < 2; which++) {
        double *v = axis + which * dim, along = 0, square = 0;
        for (int64_t d = 0; d < dim && which == 1; d++)
            along += v[d] * axis[d];
        for (int64_t d = 0; d < dim; d++) {
            v[d] -= which == 1 ? along * axis[d] : 0;
            square += v[d] * v[d];
        }
        for (int64_t d = 0; d < dim; d++)
            v[d] = square > 0 ? v[d] / sqrt(square) : 0;
    }
}

/* axis <- covariance times axis. */
static void iterate(axes *a)
{
#pragma omp parallel for schedule(static)
    for (int64_t chunk = 0; chunk < a->chunks; chunk++)
        add_chunk(a, chunk);
    memset(a->axis, 0, 2 * (size_t)a->dim * sizeof *a->axis);
    for (int64_t chunk = 0; chunk < a->chunks; chunk++)
        for (int64_t d = 0; d < 2 * a->dim; d++)
            a->axis[d] += a->part[chunk * 2 * a->dim + d];
    straighten(a->axis, a->dim);
}

static void find_axes(axes *a)
{
    protea_rng rng = protea_rng_make(0, PROTEA_RNG_KMEANS, 1, 0, 0);
    find_mean(a);
    for (int64_t d = 0; d < 2 * a->dim; d++)
        a->axis[d] = (double)protea_rng_normal(&rng);
    straighten(a->axis, a->dim);
    for (int i = 0; i < ITERATIONS; i++)
        iterate(a);
}

static double variance(const axes *a)
{
    double sum = 0;
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t d = 0; d < a->dim; d++) {
            double x = (double)a->z[i * a->dim + d] - a->mean[d];
            sum += x * x;
        }
    return sum;
}

protea_status protea_principal_axes(float *xy, double share[2], const float *z, int64_t n, int64_t dim)
{
    axes a = { .z = z, .n = n, .dim = dim };
    double on[2] = { 0, 0 };
    protea_status status = axes_new(&a);
    if (status == PROTEA_OK) {
        find_axes(&a);
        for (int64_t i = 0; i < 2 * n; i++) {
            double at = project(&a, i / 2, (int)(i % 2));
            xy[i] = (float)at;
            on[i % 2] += at * at;
        }
        double all = variance(&a);
        for (int which = 0; which < 2 && share != NULL; which++)
            share[which] = all > 0 ? on[which] / all : 0;
    }
    protea_free(a.mean);
    protea_free(a.axis);
    protea_free(a.part);
    return status;
}
