/* Sinkhorn-Knopp by scaling vectors: the codes are diag(v) E diag(u), E = exp(scores / eps) (gibbs_kernel.c), and only u (K) and
 * v (B) change. A sweep reads E once: while a row is in cache, its scale v_b = 1 / (E_b . u) is found and v_b E_b is added to the
 * column sums that the next u needs. The result does not depend on how many threads share the parts of rows. */
#include "cluster/sinkhorn.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "cluster/gibbs_kernel.h"
#include "comm/comm.h"

static protea_status check(const protea_tensor *q, const protea_tensor *scores, double eps, int64_t iters)
{
    if (!(eps > 0) || isinf(eps))
        return protea_fail(PROTEA_ERR_USAGE, "epsilon: %g found, a number above 0 wanted", eps);
    if (iters < 1)
        return protea_fail(PROTEA_ERR_USAGE, "sinkhorn_iterations: %lld found, at least 1 wanted", (long long)iters);
    if (q->n_dims != 2 || scores->n_dims != 2 || q->dim[1] != scores->dim[1] || q->dim[0] > scores->dim[0] || q->dim[0] < 1)
        return protea_fail(PROTEA_ERR_INTERNAL, "sinkhorn: codes (%lld,%lld) do not fit scores (%lld,%lld)",
                           (long long)q->dim[0], (long long)q->dim[1], (long long)scores->dim[0], (long long)scores->dim[1]);
    return PROTEA_OK;
}

static protea_status allocate(sinkhorn *s)
{
    protea_arena *scratch = s->cx->scratch;
    size_t columns = (size_t)s->k, queue_rows = (size_t)(s->b - s->n);
    PROTEA_TRY(protea_arena_alloc(scratch, &s->e_queue, queue_rows * columns * sizeof(float)));
    PROTEA_TRY(protea_arena_alloc(scratch, &s->part_sum, (size_t)s->n_parts * columns * sizeof(float)));
    PROTEA_TRY(protea_arena_alloc(scratch, &s->column_sum, columns * sizeof(double)));
    PROTEA_TRY(protea_arena_alloc(scratch, &s->shift, columns * sizeof(float)));
    PROTEA_TRY(protea_arena_alloc(scratch, &s->level, (size_t)s->n_parts * sizeof(double)));
    return protea_arena_alloc(scratch, &s->u, columns * sizeof(float));
}

protea_status protea_sinkhorn_all_well(sinkhorn *s, int bad, const char *what)
{
    double any = bad;
    PROTEA_TRY(s->cx->comm->max_f64(s->cx->comm, &any, 1));
    if (any > 0)
        return protea_fail(PROTEA_ERR_DIVERGED, "sinkhorn: %s (%lld samples, %lld prototypes, epsilon %g)", what,
                           (long long)s->b, (long long)s->k, s->eps);
    return PROTEA_OK;
}

protea_status protea_sinkhorn_sum_columns(sinkhorn *s)
{
    enum { STRIP = 256 };
    int64_t k = s->k;
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < k; first += STRIP) {
        int64_t last = first + STRIP < k ? first + STRIP : k;
        memset(s->column_sum + first, 0, (size_t)(last - first) * sizeof(double));
        for (int64_t part = 0; part < s->n_parts; part++)
            for (int64_t i = first; i < last; i++)
                s->column_sum[i] += (double)s->part_sum[part * k + i];
    }
    return s->cx->comm->sum_f64(s->cx->comm, s->column_sum, (size_t)k);
}

/* u = (B/K) / column_sum. */
static protea_status scale_columns(sinkhorn *s)
{
    int64_t k = s->k;
    double target = (double)s->b * s->cx->comm->size / (double)k;
    int bad = 0;
    for (int64_t i = 0; i < k; i++) {
        s->u[i] = (float)(target / s->column_sum[i]);
        bad |= !(s->u[i] > 0 && s->u[i] <= FLT_MAX);
    }
    return protea_sinkhorn_all_well(s, bad, "a prototype's scores underflow; a larger epsilon is needed");
}

/* The rows [b, end) of E, PROTEA_ROWS_AT_ONCE at most, and v_b = 1 / (E_b . u) of each. */
typedef struct some_rows {
    float *row[PROTEA_ROWS_AT_ONCE];
    float v[PROTEA_ROWS_AT_ONCE];
    int count;
} some_rows;

/* Whether all is well. */
static bool scale_some(const sinkhorn *s, some_rows *out, int64_t b, int64_t end)
{
    protea_backend *be = s->cx->be;
    double dot[PROTEA_ROWS_AT_ONCE];
    bool good = true;
    out->count = end - b < PROTEA_ROWS_AT_ONCE ? (int)(end - b) : PROTEA_ROWS_AT_ONCE;
    for (int i = 0; i < out->count; i++)
        out->row[i] = sinkhorn_row(s, b + i);
    be->k.dot_rows(be, dot, out->row, out->count, s->u, s->k);
    for (int i = 0; i < out->count; i++) {
        out->v[i] = (float)(1 / dot[i]);
        good = good && out->v[i] > 0 && out->v[i] <= FLT_MAX;
    }
    return good;
}

/* v; the columns of diag(v) E are summed up. */
static protea_status scale_rows(sinkhorn *s)
{
    protea_backend *be = s->cx->be;
    int bad = 0;
#pragma omp parallel for schedule(static) reduction(| : bad)
    for (int64_t part = 0; part < s->n_parts; part++) {
        float *sum = s->part_sum + part * s->k;
        int64_t end = sinkhorn_part_end(s, part);
        memset(sum, 0, (size_t)s->k * sizeof(float));
        for (int64_t b = part * SINKHORN_PART; b < end; b += PROTEA_ROWS_AT_ONCE) {
            some_rows now;
            bad |= !scale_some(s, &now, b, end);
            be->k.add_rows(be, sum, now.v, now.row, now.count, s->k);
        }
    }
    PROTEA_TRY(protea_sinkhorn_all_well(s, bad, "a sample's scores underflow; a larger epsilon is needed"));
    return protea_sinkhorn_sum_columns(s);
}

/* The last sweep: the codes of the last n rows, in the place of their E. */
static protea_status write_codes(sinkhorn *s)
{
    protea_backend *be = s->cx->be;
    int bad = 0;
#pragma omp parallel for schedule(static) reduction(| : bad)
    for (int64_t b = s->b - s->n; b < s->b; b += PROTEA_ROWS_AT_ONCE) {
        some_rows now;
        bad |= !scale_some(s, &now, b, s->b);
        be->k.scale_rows(be, now.row, now.v, now.count, s->u, s->k);
    }
    return protea_sinkhorn_all_well(s, bad, "a sample's scores underflow; a larger epsilon is needed");
}

static protea_status alternate(sinkhorn *s, int64_t iters)
{
    PROTEA_TRY(protea_gibbs_kernel(s));
    for (int64_t sweep = 1; sweep < iters; sweep++) {
        PROTEA_TRY(scale_columns(s));
        PROTEA_TRY(scale_rows(s));
    }
    PROTEA_TRY(scale_columns(s));
    return write_codes(s);
}

protea_status protea_sinkhorn(protea_ctx *cx, protea_tensor *q, const protea_tensor *scores, double eps, int64_t iters)
{
    PROTEA_TRY(check(q, scores, eps, iters));
    sinkhorn s = { .cx = cx, .scores = protea_f32(scores), .e = protea_f32(q), .b = scores->dim[0], .n = q->dim[0],
                   .k = scores->dim[1], .eps = eps };
    s.n_parts = (s.b + SINKHORN_PART - 1) / SINKHORN_PART;
    size_t mark = protea_arena_mark(cx->scratch);
    protea_status status = allocate(&s);
    if (status == PROTEA_OK && !cx->planning)
        status = alternate(&s, iters);
    protea_arena_release(cx->scratch, mark);
    return status;
}
