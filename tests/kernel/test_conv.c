/* Proves: the fast convolutions equal the reference over stems, strides, odd maps and both dtypes, on every instruction
 * set; equal runs give equal bits; and no layer of a ResNet falls to an implementation that is a reference of oneDNN's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/cpu/conv_cache.h"
#include "backend/cpu/cpu.h"
#include "per_isa.h"
#include "tensors.h"

typedef struct shape {
    int64_t n, c, h, w, o, k, stride, pad;
} shape;

static const shape shapes[] = {
    { 2, 3, 32, 32, 64, 3, 1, 1 },   { 2, 3, 33, 31, 16, 7, 2, 3 },   { 2, 16, 9, 9, 16, 3, 1, 1 },
    { 3, 64, 8, 8, 64, 3, 1, 1 },    { 2, 32, 13, 11, 48, 3, 2, 1 },  { 2, 64, 8, 8, 128, 1, 2, 0 },
    { 2, 64, 7, 5, 80, 1, 2, 0 },    { 5, 64, 3, 3, 64, 3, 1, 1 },    { 1, 128, 10, 10, 64, 1, 1, 0 },
    { 7, 80, 5, 5, 96, 3, 2, 1 },    { 3, 64, 1, 1, 32, 3, 1, 1 },    { 2, 64, 20, 20, 64, 3, 1, 1 },
    { 9, 128, 4, 4, 128, 3, 1, 1 },  { 70, 32, 6, 9, 96, 3, 2, 1 },   { 40, 64, 20, 20, 32, 3, 1, 1 },
    { 70, 64, 3, 3, 32, 3, 1, 1 },   { 64, 32, 5, 4, 64, 1, 2, 0 },   { 67, 32, 4, 4, 32, 3, 2, 1 },
    { 41, 32, 9, 6, 64, 3, 1, 0 },   { 34, 32, 5, 5, 32, 1, 1, 1 },   { 36, 96, 10, 10, 32, 1, 2, 0 },
    { 33, 32, 36, 8, 32, 3, 1, 1 },  { 3, 48, 7, 5, 80, 1, 1, 0 },    { 2, 64, 9, 13, 16, 1, 1, 0 },
    { 1, 16, 1, 1, 96, 1, 1, 0 },
};

static protea_conv_dims dims_for(const protea_backend *be, protea_dtype dtype, const shape *s)
{
    int64_t oh = (s->h + 2 * s->pad - s->k) / s->stride + 1, ow = (s->w + 2 * s->pad - s->k) / s->stride + 1;
    return (protea_conv_dims){ map_for(be, dtype, s->n, s->c, s->h, s->w), map_for(be, dtype, s->n, s->o, oh, ow), s->k, s->k,
                               s->stride, s->pad };
}

/* One pass on one back-end: what it writes, as plain f32. */
static float *run_pass(protea_backend *be, const protea_conv_dims *d, protea_conv_pass pass, const float *x, const float *w,
                       const float *dy)
{
    size_t bytes;
    int64_t weights = d->y.c * d->x.c * d->kh * d->kw;
    assert_int_equal(be->k.conv_scratch(be, &bytes, d, pass), PROTEA_OK);
    void *scratch = room(bytes), *xn = native_copy(be, &d->x, x), *yn = native_copy(be, &d->y, dy);
    float *masters = room((size_t)weights * sizeof(float)), *result = NULL;
    memcpy(masters, w, (size_t)weights * sizeof(float));
    switch (pass) {
    case PROTEA_CONV_FORWARD:
        assert_int_equal(be->k.conv_forward(be, yn, xn, masters, d, scratch), PROTEA_OK);
        result = plain_copy(be, &d->y, yn);
        break;
    case PROTEA_CONV_BACKWARD_DATA:
        assert_int_equal(be->k.conv_backward_data(be, xn, yn, masters, d, scratch), PROTEA_OK);
        result = plain_copy(be, &d->x, xn);
        break;
    case PROTEA_CONV_BACKWARD_WEIGHTS: /* the masters play the gradient that is added to */
        assert_int_equal(be->k.conv_backward_weights(be, masters, yn, xn, d, scratch), PROTEA_OK);
        result = masters;
        masters = NULL;
        break;
    }
    free(scratch), free(xn), free(yn), free(masters);
    return result;
}

/* How far an element may be off. Winograd's filtering rounds transforms to bf16: test_conv_own.c holds it to tighter means. */
static double tolerance(const protea_conv_dims *d, protea_conv_pass pass)
{
    const char *name;
    bool bf16 = d->x.dtype == PROTEA_BF16;
    assert_int_equal(protea_cpu_conv_name(&name, fast, d, pass), PROTEA_OK);
    if (strstr(name, "F2x2 bf16") != NULL)
        return 3e-2;
    if (!bf16 || pass == PROTEA_CONV_BACKWARD_WEIGHTS)
        return 3e-5;
    bool rounds_weights = fast->bf16_multiplies && strstr(name, "f32") == NULL;
    return rounds_weights ? 5e-3 : 2e-2; /* as the reference does */
}

static void check_pass(const shape *s, protea_dtype dtype, protea_conv_pass pass)
{
    protea_conv_dims df = dims_for(fast, dtype, s), dr = dims_for(reference, dtype, s);
    int64_t weights = s->o * s->c * s->k * s->k;
    int64_t n_result = pass == PROTEA_CONV_FORWARD ? elements(&df.y)
                       : pass == PROTEA_CONV_BACKWARD_DATA ? elements(&df.x) : weights;
    float *x = random_values(elements(&df.x), 1, 1), *w = random_values(weights, 2, 0.1f);
    float *dy = random_values(elements(&df.y), 3, 1);
    float *a = run_pass(fast, &df, pass, x, w, dy), *again = run_pass(fast, &df, pass, x, w, dy);
    float *b = run_pass(reference, &dr, pass, x, w, dy);
    char what[160];
    snprintf(what, sizeof what, "pass %d dtype %d: %lldx%lldx%lldx%lld -> %lld, %lldx%lld stride %lld", (int)pass, (int)dtype,
             (long long)s->n, (long long)s->c, (long long)s->h, (long long)s->w, (long long)s->o, (long long)s->k,
             (long long)s->k, (long long)s->stride);
    assert_true(agree(what, a, b, n_result, tolerance(&df, pass)));
    assert_memory_equal(a, again, (size_t)n_result * sizeof(float));
    free(x), free(w), free(dy), free(a), free(again), free(b);
}

static void check_all(protea_dtype dtype)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        bool for_amx = shapes[i].n >= 32; /* our own kernels; slow for the reference, so left out elsewhere */
        if (for_amx && !(dtype == PROTEA_BF16 && protea_cpu_of(fast)->amx))
            continue;
        for (int pass = PROTEA_CONV_FORWARD; pass <= PROTEA_CONV_BACKWARD_WEIGHTS; pass++)
            check_pass(&shapes[i], dtype, (protea_conv_pass)pass);
    }
}

static void test_f32(void **state)
{
    (void)state;
    check_all(PROTEA_F32);
}

static void test_bf16(void **state)
{
    (void)state;
    check_all(PROTEA_BF16);
}

static void check_implementation(const shape *s, protea_dtype dtype, protea_conv_pass pass)
{
    protea_conv_plan *plan;
    protea_conv_dims d = dims_for(fast, dtype, s);
    protea_cpu *cpu = protea_cpu_of(fast);
    assert_int_equal(protea_conv_cache_find(&plan, &cpu->convs, cpu->onednn, &d, pass, NULL), PROTEA_OK);
    if (strstr(protea_conv_plan_name(plan), "ref") != NULL)
        fail_msg("%lld -> %lld @%lld pass %d dtype %d: %s", (long long)s->c, (long long)s->o, (long long)s->h, (int)pass,
                 (int)dtype, protea_conv_plan_name(plan));
}

/* The convolutions of ResNet-18 (3x3 stem) and ResNet-50 (7x7 stem) that differ in kind. */
static void test_no_reference_implementation(void **state)
{
    (void)state;
    static const shape layers[] = {
        { 8, 3, 32, 32, 64, 3, 1, 1 },     { 8, 64, 32, 32, 64, 3, 1, 1 },    { 8, 64, 32, 32, 128, 3, 2, 1 },
        { 8, 64, 32, 32, 128, 1, 2, 0 },   { 8, 512, 4, 4, 512, 3, 1, 1 },    { 8, 256, 5, 5, 512, 3, 2, 1 },
        { 8, 512, 3, 3, 512, 3, 1, 1 },    { 2, 3, 224, 224, 64, 7, 2, 3 },   { 2, 64, 56, 56, 256, 1, 1, 0 },
        { 2, 1024, 14, 14, 2048, 1, 2, 0 }, { 8, 16, 32, 32, 16, 3, 1, 1 },   { 8, 16, 20, 20, 32, 3, 2, 1 },
    };
    protea_dtype dtype = fast->bf16_multiplies ? PROTEA_BF16 : PROTEA_F32;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int pass = PROTEA_CONV_FORWARD; pass <= PROTEA_CONV_BACKWARD_WEIGHTS; pass++) {
            if (layers[i].c == 3 && pass == PROTEA_CONV_BACKWARD_DATA)
                continue; /* no gradient of images is wanted */
            check_implementation(&layers[i], PROTEA_F32, (protea_conv_pass)pass);
            check_implementation(&layers[i], dtype, (protea_conv_pass)pass);
        }
}

static void test_gemm(void **state)
{
    (void)state;
    enum { M = 37, N = 53, K = 29, LD = 61, ALL = LD * LD };
    float *a = random_values(ALL, 1, 1), *b = random_values(ALL, 2, 1), *c = random_values(ALL, 3, 1);
    float *got = room(ALL * sizeof(float)), *want = room(ALL * sizeof(float));
    for (int t = 0; t < 8; t++) {
        float beta = t & 4 ? 0.5f : 0;
        memcpy(got, c, ALL * sizeof(float));
        memcpy(want, c, ALL * sizeof(float));
        if (beta == 0)
            got[0] = want[0] = NAN; /* beta 0 does not read c */
        assert_int_equal(fast->k.gemm(fast, got, a, b, t & 1, t & 2, M, N, K, 1.5f, beta, LD, LD, LD), PROTEA_OK);
        assert_int_equal(reference->k.gemm(reference, want, a, b, t & 1, t & 2, M, N, K, 1.5f, beta, LD, LD, LD), PROTEA_OK);
        assert_true(agree("gemm", got, want, ALL, 2e-5));
    }
    free(a), free(b), free(c), free(got), free(want);
}

/* Measured rates are rates: positive, and the matrix unit's is above that of vectors (on a busy machine the first tries may
 * mislead). vdpbf16ps may be slower than f32's, on processors that have it for the matrix unit's sake. */
static void test_peak(void **state)
{
    (void)state;
    enum { TRIES = 20 };
    double f32 = 0, bf16 = 0;
    bool amx = protea_cpu_of(fast)->amx;
    for (int i = 0; (i == 0 || amx) && i < TRIES && bf16 <= f32; i++) {
        f32 = protea_cpu_peak(fast, PROTEA_F32);
        bf16 = protea_cpu_peak(fast, PROTEA_BF16);
        assert_true(f32 > 0 && bf16 > 0);
    }
    assert_true(!amx || bf16 > f32);
}

static int group(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16),
                                        cmocka_unit_test(test_no_reference_implementation), cmocka_unit_test(test_gemm),
                                        cmocka_unit_test(test_peak) };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}
