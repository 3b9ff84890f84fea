/* Proves: convolutions for inference, with bias, sum and activation in one, equal the reference's parts over stems, strides, odd
 * maps and both dtypes, on every instruction set; their packed weights serve many runs; equal runs give equal bits, and an image
 * the same ones in any batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/cpu/conv_rule.h"
#include "per_isa.h"
#include "tensors.h"

typedef struct shape {
    int64_t n, c, h, w, o, k, stride, pad;
} shape;

static const shape shapes[] = {
    { 2, 3, 33, 31, 16, 7, 2, 3 }, { 2, 3, 16, 16, 64, 3, 1, 1 }, { 3, 64, 8, 8, 64, 3, 1, 1 },  { 2, 32, 13, 11, 48, 3, 2, 1 },
    { 2, 64, 7, 5, 80, 1, 2, 0 },  { 1, 128, 10, 10, 64, 1, 1, 0 }, { 2, 16, 9, 9, 16, 3, 1, 1 }, { 3, 64, 1, 1, 32, 3, 1, 1 },
    { 2, 64, 11, 13, 80, 3, 1, 1 }, /* as { 3, 64, 8, 8 }, by Winograd where there is one */
    { 3, 48, 7, 5, 80, 1, 1, 0 },   { 2, 64, 9, 13, 16, 1, 1, 0 },
};

static protea_conv_dims dims_for(const protea_backend *be, protea_dtype dtype, const shape *s)
{
    int64_t oh = (s->h + 2 * s->pad - s->k) / s->stride + 1, ow = (s->w + 2 * s->pad - s->k) / s->stride + 1;
    return (protea_conv_dims){ map_for(be, dtype, s->n, s->c, s->h, s->w), map_for(be, dtype, s->n, s->o, oh, ow), s->k, s->k,
                               s->stride, s->pad };
}

/* What the second of two runs with the same packed weights writes, as plain f32. */
static float *run_twice(protea_backend *be, const protea_conv_dims *d, protea_conv_ending ending, const float *x, const float *w,
                        const float *bias, const float *y)
{
    size_t packed_bytes, scratch_bytes;
    assert_int_equal(be->k.conv_fused_bytes(be, &packed_bytes, &scratch_bytes, d, ending), PROTEA_OK);
    void *packed = room(packed_bytes), *scratch = room(scratch_bytes), *xn = native_copy(be, &d->x, x);
    float *result[2];
    assert_int_equal(be->k.conv_fused_pack(be, packed, w, bias, d, ending, scratch), PROTEA_OK);
    for (int i = 0; i < 2; i++) {
        void *yn = native_copy(be, &d->y, y);
        assert_int_equal(be->k.conv_fused(be, yn, xn, packed, d, ending, scratch), PROTEA_OK);
        result[i] = plain_copy(be, &d->y, yn);
        free(yn);
    }
    assert_memory_equal(result[0], result[1], (size_t)elements(&d->y) * sizeof(float));
    free(packed), free(scratch), free(xn), free(result[0]);
    return result[1];
}

/* How far an element may be off. The reference rounds its sums before they are added to; Winograd's filtering rounds transforms to
 * bf16, which test_conv_own.c holds to tighter means. */
static double tolerance(const protea_conv_dims *d)
{
    const protea_cpu *cpu = protea_cpu_of(fast);
    if (d->x.dtype == PROTEA_F32)
        return 3e-5;
    protea_conv_dims usual = *d;
    usual.x.n = usual.y.n = 32; /* which the choice is made for */
    protea_conv_own own = protea_conv_rule(&usual, PROTEA_CONV_FORWARD, cpu, fast->winograd);
    bool rounds_weights = fast->bf16_multiplies && own != PROTEA_OWN_F4_F32;
    return own == PROTEA_OWN_F2_BF16 ? 2.5e-2 : rounds_weights ? 1e-2 : 2e-2;
}

static void check(const shape *s, protea_dtype dtype, protea_conv_ending ending)
{
    protea_conv_dims df = dims_for(fast, dtype, s), dr = dims_for(reference, dtype, s);
    int64_t n = elements(&df.y);
    float *x = random_values(elements(&df.x), 1, 1), *w = random_values(s->o * s->c * s->k * s->k, 2, 0.1f);
    float *bias = random_values(s->o, 3, 1), *y = random_values(n, 4, 1);
    float *a = run_twice(fast, &df, ending, x, w, bias, y), *b = run_twice(reference, &dr, ending, x, w, bias, y);
    char what[160];
    snprintf(what, sizeof what, "dtype %d: %lldx%lldx%lldx%lld -> %lld, %lldx%lld stride %lld, add %d, act %d", (int)dtype,
             (long long)s->n, (long long)s->c, (long long)s->h, (long long)s->w, (long long)s->o, (long long)s->k,
             (long long)s->k, (long long)s->stride, ending.add, (int)ending.act);
    assert_true(agree(what, a, b, n, tolerance(&df)));
    free(x), free(w), free(bias), free(y), free(a), free(b);
}

static void equals_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int dtype = PROTEA_F32; dtype <= PROTEA_BF16; dtype++)
            for (int ending = 0; ending < 4; ending++)
                check(&shapes[i], (protea_dtype)dtype,
                      (protea_conv_ending){ ending & 1, ending & 2 ? PROTEA_RELU : PROTEA_LINEAR });
}

/* Of a batch so large that training's rule takes other kernels than for one image, and of its first image alone. */
static void an_image_is_the_same_in_any_batch(void **state)
{
    (void)state;
    const protea_conv_ending ending = { false, PROTEA_RELU };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shape many = shapes[i], one = shapes[i];
        if (one.k != 3 || one.stride != 1)
            continue;
        many.n = 32;
        one.n = 1;
        protea_conv_dims all = dims_for(fast, PROTEA_BF16, &many), first = dims_for(fast, PROTEA_BF16, &one);
        float *x = random_values(elements(&all.x), 1, 1), *w = random_values(one.o * one.c * one.k * one.k, 2, 0.1f);
        float *bias = random_values(one.o, 3, 1), *y = random_values(elements(&all.y), 4, 1);
        float *a = run_twice(fast, &all, ending, x, w, bias, y), *b = run_twice(fast, &first, ending, x, w, bias, y);
        assert_memory_equal(a, b, (size_t)elements(&first.y) * sizeof(float));
        free(x), free(w), free(bias), free(y), free(a), free(b);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(equals_the_reference),
                                        cmocka_unit_test(an_image_is_the_same_in_any_batch) };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}
