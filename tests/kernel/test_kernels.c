/* Proves: batch-norm, pooling, layout, element-wise and row kernels equal the reference on odd sizes, both dtypes, 1 to 4
 * groups, on every instruction set; equal runs, and for sums any thread count, give equal bits; statistics survive a mean
 * a thousand times the deviation; NaN is never lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/bf16.h"
#include "base/parallel.h"
#include "per_isa.h"
#include "tensors.h"

typedef struct size4 {
    int64_t n, c, h, w;
} size4;

static const size4 sizes[] = { { 4, 16, 5, 7 }, { 8, 64, 3, 3 }, { 12, 80, 1, 1 }, { 4, 24, 9, 4 },   { 4, 20, 3, 5 },
                               { 4, 3, 6, 5 },  { 8, 512, 2, 2 }, { 4, 32, 40, 33 }, { 72, 48, 2, 3 }, { 4, 272, 2, 3 } };
static const protea_groups groupings[] = { { 1, 1 }, { 2, 0 }, { 4, 1 }, { 2, 2 } }; /* run 0: N / groups */
enum { N_SIZES = sizeof sizes / sizeof *sizes, N_GROUPINGS = sizeof groupings / sizeof *groupings };

/* One configuration of a batch-norm call, and what goes in. */
typedef struct bn_case {
    protea_map fast, reference;
    protea_groups g;
    int64_t count, coefficients; /* elements; groups * channels */
    float *x, *dy, *residual, *scale, *shift, *mean, *var;
    double tolerance;
} bn_case;

static bn_case bn_open(const size4 *s, const protea_groups *g, protea_dtype dtype, float offset)
{
    bn_case b = { map_for(fast, dtype, s->n, s->c, s->h, s->w), map_for(reference, dtype, s->n, s->c, s->h, s->w), *g, 0, 0,
                  NULL, NULL, NULL, NULL, NULL, NULL, NULL, dtype == PROTEA_BF16 ? 4e-3 : 2e-6 };
    if (b.g.run == 0)
        b.g.run = s->n / b.g.groups;
    b.count = elements(&b.fast);
    b.coefficients = b.g.groups * s->c;
    b.x = random_values(b.count, 1, 1);
    for (int64_t i = 0; i < b.count; i++)
        b.x[i] += offset;
    b.dy = random_values(b.count, 2, 1);
    b.residual = random_values(b.count, 3, 1);
    b.scale = random_values(b.coefficients, 4, 1);
    b.shift = random_values(b.coefficients, 5, 1);
    b.mean = random_values(b.coefficients, 6, 1);
    b.var = random_values(b.coefficients, 7, 1);
    return b;
}

static void bn_close(bn_case *b)
{
    free(b->x), free(b->dy), free(b->residual), free(b->scale), free(b->shift), free(b->mean), free(b->var);
}

static void check_stats(const bn_case *b, double tolerance)
{
    size_t bytes = (size_t)b->coefficients * sizeof(float);
    float *mean = room(bytes), *var = room(bytes), *want_mean = room(bytes), *want_var = room(bytes);
    void *xf = native_copy(fast, &b->fast, b->x), *xr = native_copy(reference, &b->reference, b->x);
    fast->k.bn_stats(fast, mean, var, xf, &b->fast, &b->g);
    reference->k.bn_stats(reference, want_mean, want_var, xr, &b->reference, &b->g);
    assert_true(agree("mean", mean, want_mean, b->coefficients, 1e-6));
    assert_true(agree("var", var, want_var, b->coefficients, tolerance));
    int threads = protea_threads();
    protea_set_threads(1);
    fast->k.bn_stats(fast, want_mean, want_var, xf, &b->fast, &b->g);
    protea_set_threads(threads);
    assert_memory_equal(mean, want_mean, bytes);
    assert_memory_equal(var, want_var, bytes);
    free(mean), free(var), free(want_mean), free(want_var), free(xf), free(xr);
}

static void for_each_case(void (*check)(const bn_case *b))
{
    for (int i = 0; i < N_SIZES; i++)
        for (int j = 0; j < N_GROUPINGS; j++)
            for (int t = PROTEA_F32; t <= PROTEA_BF16; t++) {
                bn_case b = bn_open(&sizes[i], &groupings[j], (protea_dtype)t, 0.5f);
                check(&b);
                bn_close(&b);
            }
}

static void check_stats_exact(const bn_case *b)
{
    check_stats(b, 2e-6);
}

static void test_stats(void **state)
{
    (void)state;
    for_each_case(check_stats_exact);
}

static void test_stats_far_from_zero(void **state)
{
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        bn_case b = bn_open(&sizes[i], &groupings[0], PROTEA_F32, 1000);
        check_stats(&b, 3e-6);
        bn_close(&b);
    }
}

static void check_apply(const bn_case *b)
{
    for (int variant = 0; variant < 4; variant++) {
        protea_act act = variant & 1 ? PROTEA_RELU : PROTEA_LINEAR;
        void *xf = native_copy(fast, &b->fast, b->x), *xr = native_copy(reference, &b->reference, b->x);
        void *rf = native_copy(fast, &b->fast, b->residual), *rr = native_copy(reference, &b->reference, b->residual);
        void *yf = variant & 2 ? rf : xf; /* in place, over the residual or over x */
        fast->k.bn_apply(fast, yf, xf, variant & 2 ? rf : NULL, b->scale, b->shift, &b->fast, &b->g, act);
        reference->k.bn_apply(reference, xr, xr, variant & 2 ? rr : NULL, b->scale, b->shift, &b->reference, &b->g, act);
        float *got = plain_copy(fast, &b->fast, yf), *want = plain_copy(reference, &b->reference, xr);
        assert_true(agree("bn_apply", got, want, b->count, b->tolerance));
        free(xf), free(xr), free(rf), free(rr), free(got), free(want);
    }
}

static void test_apply(void **state)
{
    (void)state;
    for_each_case(check_apply);
}

/* Values whose sign decides the mask must be equal for both, so x is what bf16 can hold and y is given apart. */
static void check_backward(const bn_case *b)
{
    for (int variant = 0; variant < 3; variant++) { /* linear, mask by y, mask recomputed */
        protea_act act = variant ? PROTEA_RELU : PROTEA_LINEAR;
        void *xf = native_copy(fast, &b->fast, b->x), *xr = native_copy(reference, &b->reference, b->x);
        void *yf = native_copy(fast, &b->fast, b->residual), *yr = native_copy(reference, &b->reference, b->residual);
        void *gf = native_copy(fast, &b->fast, b->dy), *gr = native_copy(reference, &b->reference, b->dy);
        void *y1 = variant == 1 ? yf : NULL, *y2 = variant == 1 ? yr : NULL;
        size_t bytes = (size_t)b->coefficients * sizeof(double);
        double *sums = room(4 * bytes);
        double *s1 = sums, *s2 = s1 + b->coefficients, *s3 = s2 + b->coefficients, *s4 = s3 + b->coefficients;
        fast->k.bn_backward_reduce(fast, s1, s2, xf, y1, gf, b->mean, b->scale, b->shift, &b->fast, &b->g, act);
        reference->k.bn_backward_reduce(reference, s3, s4, xr, y2, gr, b->mean, b->scale, b->shift, &b->reference, &b->g, act);
        for (int64_t i = 0; i < b->coefficients; i++) {
            assert_true(fabs(s1[i] - s3[i]) < 2e-5 * (fabs(s3[i]) + 10));
            assert_true(fabs(s2[i] - s4[i]) < 2e-5 * (fabs(s4[i]) + 10));
        }
        fast->k.bn_backward_apply(fast, xf, gf, xf, y1, gf, b->mean, b->var, b->shift, b->scale, b->shift, &b->fast, &b->g, act);
        reference->k.bn_backward_apply(reference, xr, gr, xr, y2, gr, b->mean, b->var, b->shift, b->scale, b->shift,
                                       &b->reference, &b->g, act);
        float *got = plain_copy(fast, &b->fast, xf), *want = plain_copy(reference, &b->reference, xr);
        float *got_dz = plain_copy(fast, &b->fast, gf), *want_dz = plain_copy(reference, &b->reference, gr);
        assert_true(agree("bn_backward_apply dx", got, want, b->count, b->tolerance));
        assert_true(agree("bn_backward_apply d_residual", got_dz, want_dz, b->count, 0));
        free(xf), free(xr), free(yf), free(yr), free(gf), free(gr), free(sums), free(got), free(want), free(got_dz), free(want_dz);
    }
}

static void test_backward(void **state)
{
    (void)state;
    for_each_case(check_backward);
}

static void check_elementwise(int64_t n, protea_dtype dtype)
{
    float *plain = random_values(n, 1, 1), *plain2 = random_values(n, 2, 1);
    size_t bytes = (size_t)n * protea_dtype_bytes(dtype);
    void *a = room(bytes), *b = room(bytes), *got = room(bytes), *want = room(bytes);
    plain[n / 2] = NAN;
    fast->k.convert(fast, a, dtype, plain, PROTEA_F32, n);
    reference->k.convert(reference, want, dtype, plain, PROTEA_F32, n);
    assert_memory_equal(a, want, bytes);
    reference->k.convert(reference, b, dtype, plain2, PROTEA_F32, n);
    fast->k.relu(fast, got, a, n, dtype);
    reference->k.relu(reference, want, a, n, dtype);
    assert_memory_equal(got, want, bytes);
    fast->k.relu_backward(fast, got, a, b, n, dtype);
    reference->k.relu_backward(reference, want, a, b, n, dtype);
    assert_memory_equal(got, want, bytes);
    fast->k.add(fast, got, a, b, n, dtype);
    reference->k.add(reference, want, a, b, n, dtype);
    assert_memory_equal(got, want, bytes);
    float *wide = room((size_t)n * 4), *wide2 = room((size_t)n * 4);
    fast->k.convert(fast, wide, PROTEA_F32, got, dtype, n);
    reference->k.convert(reference, wide2, PROTEA_F32, got, dtype, n);
    assert_memory_equal(wide, wide2, (size_t)n * 4);
    free(plain), free(plain2), free(a), free(b), free(got), free(want), free(wide), free(wide2);
}

static void test_elementwise(void **state)
{
    (void)state;
    static const int64_t counts[] = { 1, 7, 16, 33, 4096, 10007 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_elementwise(counts[i], PROTEA_F32);
        check_elementwise(counts[i], PROTEA_BF16);
    }
}

/* Rounding is to nearest even, and NaN and infinity stay what they are. */
static void test_bf16_rounding(void **state)
{
    (void)state;
    static const struct { uint32_t f; uint16_t h; } known[] = {
        { 0x3f800000, 0x3f80 }, { 0x3f808000, 0x3f80 }, { 0x3f818000, 0x3f82 }, { 0x3f808001, 0x3f81 }, { 0x3f807fff, 0x3f80 },
        { 0x7f800000, 0x7f80 }, { 0xff800000, 0xff80 }, { 0x7fc00000, 0x7fc0 }, { 0x7f800001, 0x7fc0 }, { 0x7f7fffff, 0x7f80 },
        { 0x80000000, 0x8000 }, { 0xffffffff, 0xffff }, { 0x00000001, 0x0000 },
    };
    enum { N = sizeof known / sizeof *known };
    float in[N];
    uint16_t out[N];
    for (int i = 0; i < N; i++)
        memcpy(&in[i], &known[i].f, 4);
    fast->k.convert(fast, out, PROTEA_BF16, in, PROTEA_F32, N);
    for (int i = 0; i < N; i++)
        assert_int_equal(out[i], known[i].h);
}

typedef struct pool_shape {
    int64_t n, c, h, w, k, stride, pad;
} pool_shape;

static void check_max_pool(const pool_shape *s, protea_dtype dtype)
{
    int64_t oh = (s->h + 2 * s->pad - s->k) / s->stride + 1, ow = (s->w + 2 * s->pad - s->k) / s->stride + 1;
    protea_conv_dims f = { map_for(fast, dtype, s->n, s->c, s->h, s->w), map_for(fast, dtype, s->n, s->c, oh, ow), s->k, s->k,
                           s->stride, s->pad };
    protea_conv_dims r = { map_for(reference, dtype, s->n, s->c, s->h, s->w), map_for(reference, dtype, s->n, s->c, oh, ow),
                           s->k, s->k, s->stride, s->pad };
    int64_t n_in = elements(&f.x), n_out = elements(&f.y);
    float *x = random_values(n_in, 1, 1), *dy = random_values(n_out, 2, 1);
    for (int64_t i = 0; i < n_in; i++)
        x[i] = rintf(x[i]); /* ties */
    x[n_in / 2] = NAN;
    void *xf = native_copy(fast, &f.x, x), *xr = native_copy(reference, &r.x, x);
    void *yf = native_copy(fast, &f.y, dy), *yr = native_copy(reference, &r.y, dy);
    void *gf = native_room(&f.y), *gr = native_room(&r.y);
    uint8_t *wf = room((size_t)n_out), *wr = room((size_t)n_out);
    fast->k.max_pool(fast, gf, wf, xf, &f);
    reference->k.max_pool(reference, gr, wr, xr, &r);
    float *got = plain_copy(fast, &f.y, gf), *want = plain_copy(reference, &r.y, gr);
    assert_memory_equal(got, want, (size_t)n_out * sizeof(float));
    fast->k.max_pool_backward(fast, xf, yf, wf, &f);
    reference->k.max_pool_backward(reference, xr, yr, wr, &r);
    float *got_dx = plain_copy(fast, &f.x, xf), *want_dx = plain_copy(reference, &r.x, xr);
    assert_true(agree("max_pool_backward", got_dx, want_dx, n_in, dtype == PROTEA_BF16 ? 4e-3 : 1e-6));
    free(x), free(dy), free(xf), free(xr), free(yf), free(yr), free(gf), free(gr), free(wf), free(wr);
    free(got), free(want), free(got_dx), free(want_dx);
}

static void test_max_pool(void **state)
{
    (void)state;
    static const pool_shape shapes[] = { { 2, 64, 16, 16, 3, 2, 1 }, { 1, 16, 7, 9, 3, 2, 1 }, { 3, 20, 5, 5, 2, 2, 0 },
                                         { 2, 32, 6, 4, 3, 1, 1 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_max_pool(&shapes[i], PROTEA_F32);
        check_max_pool(&shapes[i], PROTEA_BF16);
    }
}

static void check_mean_pool(const size4 *s, protea_dtype dtype)
{
    protea_map f = map_for(fast, dtype, s->n, s->c, s->h, s->w), r = map_for(reference, dtype, s->n, s->c, s->h, s->w);
    float *x = random_values(elements(&f), 1, 1);
    void *xf = native_copy(fast, &f, x), *xr = native_copy(reference, &r, x);
    float *got = room((size_t)(s->n * s->c) * 4), *want = room((size_t)(s->n * s->c) * 4);
    fast->k.mean_pool(fast, got, xf, &f);
    reference->k.mean_pool(reference, want, xr, &r);
    assert_true(agree("mean_pool", got, want, s->n * s->c, 3e-6));
    fast->k.mean_pool_backward(fast, xf, want, &f);
    reference->k.mean_pool_backward(reference, xr, want, &r);
    float *got_dx = plain_copy(fast, &f, xf), *want_dx = plain_copy(reference, &r, xr);
    assert_true(agree("mean_pool_backward", got_dx, want_dx, elements(&f), 1e-6));
    free(x), free(xf), free(xr), free(got), free(want), free(got_dx), free(want_dx);
}

static void test_mean_pool(void **state)
{
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        check_mean_pool(&sizes[i], PROTEA_F32);
        check_mean_pool(&sizes[i], PROTEA_BF16);
    }
}

/* What goes in comes out, up to the rounding to bf16. */
static void test_layout(void **state)
{
    (void)state;
    for (int i = 0; i < N_SIZES; i++)
        for (int t = PROTEA_F32; t <= PROTEA_BF16; t++) {
            protea_map m = map_for(fast, (protea_dtype)t, sizes[i].n, sizes[i].c, sizes[i].h, sizes[i].w);
            float *x = random_values(elements(&m), 1, 1);
            void *a = native_copy(fast, &m, x), *b = native_copy(reference, &m, x);
            float *back = plain_copy(fast, &m, a), *back2 = plain_copy(reference, &m, b);
            assert_memory_equal(a, b, (size_t)elements(&m) * protea_dtype_bytes(m.dtype));
            assert_memory_equal(back, back2, (size_t)elements(&m) * sizeof(float));
            assert_true(agree("layout", back, x, elements(&m), t == PROTEA_BF16 ? 4e-3 : 0));
            free(x), free(a), free(b), free(back), free(back2);
        }
}

static void check_rows(int64_t n, int64_t c)
{
    size_t bytes = (size_t)(n * c) * sizeof(float);
    float *x = random_values(n * c, 1, 3), *dy = random_values(n * c, 2, 1), *bias = random_values(c, 3, 1);
    float *got = room(bytes), *want = room(bytes), *got_n = room((size_t)n * 4), *want_n = room((size_t)n * 4);
    fast->k.softmax(fast, got, got_n, x, 10, n, c);
    reference->k.softmax(reference, want, want_n, x, 10, n, c);
    assert_true(agree("softmax", got, want, n * c, 1e-6));
    assert_true(agree("log_sum", got_n, want_n, n, 1e-6));
    fast->k.l2norm(fast, got, got_n, x, n, c);
    reference->k.l2norm(reference, want, want_n, x, n, c);
    assert_true(agree("l2norm", got, want, n * c, 1e-6));
    assert_true(agree("norm", got_n, want_n, n, 1e-6));
    fast->k.l2norm_backward(fast, got, want, want_n, dy, n, c);
    float *want_dx = room(bytes);
    reference->k.l2norm_backward(reference, want_dx, want, want_n, dy, n, c);
    assert_true(agree("l2norm_backward", got, want_dx, n * c, 1e-5));
    memcpy(got, x, bytes);
    memcpy(want, x, bytes);
    fast->k.add_bias(fast, got, bias, n, c);
    reference->k.add_bias(reference, want, bias, n, c);
    assert_memory_equal(got, want, bytes);
    memcpy(got, bias, (size_t)c * 4);
    memcpy(want, bias, (size_t)c * 4);
    fast->k.bias_backward(fast, got, dy, n, c);
    reference->k.bias_backward(reference, want, dy, n, c);
    assert_true(agree("bias_backward", got, want, c, 1e-6));
    free(x), free(dy), free(bias), free(got), free(want), free(got_n), free(want_n), free(want_dx);
}

static void test_rows(void **state)
{
    (void)state;
    check_rows(1, 1);
    check_rows(5, 17);
    check_rows(33, 128);
    check_rows(7, 3001);
}

/* Relative error below 2e-7 in the normal range, also for large arguments; below it rounded to what there is, then zero;
 * infinity above; NaN stays; the sum is that of the results. */
static void test_exp(void **state)
{
    (void)state;
    enum { N = 20001 };
    float *x = room(N * sizeof *x), *y = room(N * sizeof *y), *less = room(N * sizeof *less), *sum = room(N * sizeof *sum);
    for (int i = 0; i < N; i++) {
        x[i] = -1.0f + 2.0f * (float)i / (N - 1);
        less[i] = 0.125f;
        sum[i] = 1;
    }
    x[0] = NAN;
    fast->k.exp_less(fast, y, sum, x, less, 75, N);
    assert_true(isnan(y[0]));
    for (int i = 1; i < N; i++) {
        double want = exp((double)(x[i] - 0.125f) * 75);
        assert_true(fabs((double)y[i] - want) <= 2e-7 * want);
        assert_true(sum[i] == 1 + y[i]);
    }
    for (int away = 0; away < 2; away++) {
        memset(y, 0, N * sizeof *y);
        for (int i = 0; i < N; i++)
            sum[i] = 1;
        fast->k.exp_below(fast, y + away, sum, x, 0.125f, 75, 0.25f, N - 1, away);
        assert_true(isnan(y[away]));
        for (int i = 1; i < N - 1; i++) {
            double want = exp((double)(x[i] - 0.125f) * 75);
            assert_true(fabs((double)y[i + away] - want) <= 2e-7 * want);
            assert_true(fabsf(sum[i] - (1 + 0.25f * y[i + away])) <= 0x1p-23f * sum[i]);
        }
    }
    fast->k.exp_less(fast, y, sum, x, less, 94, N); /* to e^-105.75 and e^82.25 */
    for (int i = 1; i < N; i++)
        assert_true(fabs((double)y[i] - exp((double)(x[i] - 0.125f) * 94)) <= 1.5 * 0x1p-149 + 2e-7 * (double)y[i]);
    fast->k.exp_less(fast, y, sum, x, less, 3000, N);
    assert_true(y[1] == 0 && isinf(y[N - 1]));
    free(x), free(y), free(less), free(sum);
}

/* The other kernels on vectors, at every length of a tail; one number that is not finite is found wherever it is. */
static void test_vectors(void **state)
{
    (void)state;
    enum { MOST = 200 };
    float *x = random_values(MOST, 1, 1), *a = random_values(MOST, 2, 1), *b = room(MOST * sizeof *b);
    memcpy(b, a, MOST * sizeof *b);
    for (int64_t n = 0; n <= MOST; n += n < 70 ? 1 : 13) {
        assert_true(fast->k.max_of(fast, a, x, n) && reference->k.max_of(reference, b, x, n));
        assert_float_equal(fast->k.dot(fast, a, x, n), reference->k.dot(reference, b, x, n), 1e-4);
        assert_true(agree("max_of", a, b, MOST, 1e-6));
        assert_true(n == 0 || fast->k.largest(fast, x, n) == reference->k.largest(reference, x, n));
        for (int64_t i = 0; i < n; i++) {
            float kept = x[i];
            x[i] = i % 2 ? INFINITY : NAN;
            assert_false(fast->k.max_of(fast, a, x, n) || reference->k.max_of(reference, b, x, n));
            assert_false(isfinite(fast->k.largest(fast, x, n)) || isfinite(reference->k.largest(reference, x, n)));
            x[i] = kept;
        }
        for (int64_t i = 0; i < MOST; i++)
            a[i] = b[i] = (float)(i % 7) - 3;
    }
    free(x), free(a), free(b);
}

/* Rows at every length of a tail, as many at once as may be; a row's results do not depend on how many there are. */
static void test_row_vectors(void **state)
{
    (void)state;
    enum { MOST = 150, ROWS = PROTEA_ROWS_AT_ONCE };
    const float v[ROWS] = { 0.5f, -0.75f, 1.5f, 3 };
    float *u = random_values(MOST, 1, 1), *a = random_values(ROWS * MOST, 2, 1), *b = room(ROWS * MOST * sizeof *b);
    float *sum_a = room(MOST * sizeof *sum_a), *sum_b = room(MOST * sizeof *sum_b);
    for (int64_t n = 0; n <= MOST; n += n < 70 ? 1 : 13)
        for (int count = 1; count <= ROWS; count++) {
            float *rows_a[ROWS], *rows_b[ROWS];
            double dot_a[ROWS], dot_b[ROWS], alone;
            memcpy(b, a, ROWS * MOST * sizeof *b);
            for (int r = 0; r < count; r++)
                rows_a[r] = a + r * MOST, rows_b[r] = b + r * MOST;
            for (int64_t i = 0; i < MOST; i++)
                sum_a[i] = sum_b[i] = u[MOST - 1 - i];
            fast->k.dot_rows(fast, dot_a, rows_a, count, u, n);
            reference->k.dot_rows(reference, dot_b, rows_b, count, u, n);
            for (int r = 0; r < count; r++) {
                assert_float_equal(dot_a[r], dot_b[r], 1e-4);
                fast->k.dot_rows(fast, &alone, &rows_a[r], 1, u, n);
                assert_true(alone == dot_a[r]);
            }
            fast->k.add_rows(fast, sum_a, v, rows_a, count, n);
            reference->k.add_rows(reference, sum_b, v, rows_b, count, n);
            assert_true(agree("add_rows", sum_a, sum_b, MOST, 1e-6));
            fast->k.scale_rows(fast, rows_a, v, count, u, n);
            reference->k.scale_rows(reference, rows_b, v, count, u, n);
            assert_true(agree("scale_rows", a, b, ROWS * MOST, 1e-6));
            for (int64_t i = 0; i < ROWS * MOST; i++)
                a[i] = (float)(i % 7) / 3 - 1;
        }
    free(u), free(a), free(b), free(sum_a), free(sum_b);
}

static void test_wide_vectors(void **state)
{
    (void)state;
    enum { MOST = 200 };
    float *x = random_values(MOST, 1, 1), *start = random_values(MOST, 2, 1);
    double a[MOST], b[MOST];
    for (int64_t n = 0; n <= MOST; n++) {
        for (int64_t i = 0; i < MOST; i++)
            a[i] = b[i] = (double)start[i] / 3;
        assert_true(fabs(fast->k.dot_wide(fast, a, x, n) - reference->k.dot_wide(reference, b, x, n)) < 1e-13);
        fast->k.axpy_wide(fast, a, -1.0 / 7, x, n);
        reference->k.axpy_wide(reference, b, -1.0 / 7, x, n);
        for (int64_t i = 0; i < MOST; i++)
            assert_true(fabs(a[i] - b[i]) < 1e-15);
    }
    free(x), free(start);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats),       cmocka_unit_test(test_stats_far_from_zero), cmocka_unit_test(test_apply),
        cmocka_unit_test(test_backward),    cmocka_unit_test(test_elementwise),         cmocka_unit_test(test_bf16_rounding),
        cmocka_unit_test(test_max_pool),    cmocka_unit_test(test_mean_pool),           cmocka_unit_test(test_layout),
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_row_vectors),
        cmocka_unit_test(test_wide_vectors),
    };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}
