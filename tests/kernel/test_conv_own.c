/* Proves: our own convolutions (Winograd's, and the gradient of weights as a sum) are the sums over taps, which are
 * computed in double, over odd maps, channels, threads and batches, with each tile and each product that this machine has; equal
 * runs give equal bits, all but Winograd's gradient of weights for any number of threads; nothing is written beside results and
 * scratch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/cpu/conv_own.h"
#include "backend/cpu/conv_rule.h"
#include "base/parallel.h"
#include "per_isa.h"
#include "tensors.h"

typedef struct shape {
    int64_t n, c, o, h, w;
    int64_t kernel, stride, pad;
} shape;
#define THREE 3, 1, 1 /* the kernel that Winograd is for */

static const shape shapes[] = {
    { 1, 16, 16, 1, 1, THREE },     { 2, 16, 48, 3, 2, THREE },    { 3, 48, 16, 5, 9, THREE },   { 5, 32, 32, 4, 4, THREE },
    { 2, 80, 96, 7, 6, THREE },     { 2, 64, 64, 13, 8, THREE },   { 1, 144, 80, 6, 31, THREE }, { 17, 64, 128, 2, 3, THREE },
    { 3, 128, 144, 9, 5, THREE },   { 40, 128, 128, 4, 5, THREE }, { 130, 16, 32, 3, 2, THREE },
    { 260, 16, 1024, 2, 1, THREE }, /* several chunks of strips: of each thread's own, and shared */
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static const shape any_kernel[] = {
    { 2, 16, 48, 5, 7, 3, 2, 1 },   { 3, 48, 16, 8, 9, 1, 2, 0 },  { 5, 32, 32, 9, 4, 1, 1, 0 },  { 7, 80, 16, 6, 6, 1, 1, 0 },
    { 4, 80, 32, 11, 13, 5, 2, 2 }, { 3, 16, 16, 20, 9, 7, 3, 3 }, { 33, 32, 64, 4, 4, 3, 2, 1 }, { 3, 32, 48, 50, 20, 3, 2, 1 },
    { 3, 16, 32, 2, 2, 3, 2, 1 },   { 540, 16, 16, 2, 2, 1, 2, 0 }, { 1, 16, 16, 1, 300, 3, 1, 1 },
};
enum { N_ANY_KERNEL = sizeof any_kernel / sizeof *any_kernel };

/* What is computed, and how far from exact it may be: root mean squares, of what lies before the result is rounded. */
typedef struct variant {
    const char *name;
    protea_conv_own own;
    protea_dtype dtype;
    double allowed;
} variant;

static const variant variants[] = {
    { "F4x4 f32", PROTEA_OWN_F4_F32, PROTEA_F32, 1e-5 },
    { "F4x4 f32 of bf16", PROTEA_OWN_F4_F32, PROTEA_BF16, 1e-5 },
    { "F2x2 bf16", PROTEA_OWN_F2_BF16, PROTEA_BF16, 6e-3 },
    { "F4x4 bf16", PROTEA_OWN_F4_BF16, PROTEA_BF16, 1.6e-2 },
};
enum { N_VARIANTS = sizeof variants / sizeof *variants };
static const double OUTPUT_ROUNDING = 1.8e-3; /* of a result that is stored in bf16 */

static const variant direct_variants[] = { /* backward-weights only */
    { "direct f32", PROTEA_OWN_DIRECT_F32, PROTEA_F32, 1e-6 },
    { "direct f32 of bf16", PROTEA_OWN_DIRECT_F32, PROTEA_BF16, 1e-6 },
    { "direct bf16", PROTEA_OWN_DIRECT_BF16, PROTEA_BF16, 1e-6 },
};
enum { N_DIRECT = sizeof direct_variants / sizeof *direct_variants };

/* NULL: not on this machine. */
static const protea_winograd_ops *ops_of(const variant *v)
{
    return protea_cpu_of(fast)->winograd[v->own != PROTEA_OWN_F4_F32];
}

static protea_conv_dims dims_of(const shape *s, protea_dtype dtype, int64_t lanes)
{
    int64_t h = (s->h + 2 * s->pad - s->kernel) / s->stride + 1, w = (s->w + 2 * s->pad - s->kernel) / s->stride + 1;
    return (protea_conv_dims){ { s->n, s->c, s->h, s->w, lanes, dtype }, { s->n, s->o, h, w, lanes, dtype }, s->kernel, s->kernel,
                               s->stride, s->pad };
}

static int64_t taps_of(const protea_conv_dims *d)
{
    return d->kh * d->kw;
}

/* Plain values of x and dy as the kernels read them, and of w. */
typedef struct problem {
    protea_conv_dims d;
    protea_conv_pass pass;
    float *x, *dy, *w;
} problem;

/* As the type stores them. */
static void round_to(float *v, int64_t n, const protea_map *m)
{
    protea_map flat = { 1, 1, 1, n, 1, m->dtype };
    void *stored = native_copy(reference, &flat, v);
    reference->k.from_native(reference, v, stored, &flat);
    free(stored);
}

static problem make_problem(const shape *s, protea_dtype dtype, int64_t lanes, protea_conv_pass pass)
{
    problem p = { .d = dims_of(s, dtype, lanes), .pass = pass };
    p.x = random_values(elements(&p.d.x), 1, 1);
    p.dy = random_values(elements(&p.d.y), 2, 1);
    p.w = random_values(taps_of(&p.d) * s->c * s->o, 3, 0.1f);
    round_to(p.x, elements(&p.d.x), &p.d.x);
    round_to(p.dy, elements(&p.d.y), &p.d.y);
    return p;
}

static void free_problem(problem *p)
{
    free(p->x), free(p->dy), free(p->w);
}

static int64_t result_count(const problem *p)
{
    if (p->pass == PROTEA_CONV_BACKWARD_WEIGHTS)
        return taps_of(&p->d) * p->d.x.c * p->d.y.c;
    return elements(p->pass == PROTEA_CONV_FORWARD ? &p->d.y : &p->d.x);
}

/* Adds to the pass's result what input pixel (i, j) of sample n has to do with output pixel (y, x), for all channels. */
static void add_tap(double *sum, const problem *p, int64_t n, int64_t y, int64_t x, int64_t tap)
{
    const protea_map *in = &p->d.x, *out = &p->d.y;
    int64_t i = y * p->d.stride + tap / p->d.kw - p->d.pad, j = x * p->d.stride + tap % p->d.kw - p->d.pad;
    if (i < 0 || j < 0 || i >= in->h || j >= in->w)
        return;
    for (int64_t o = 0; o < out->c; o++)
        for (int64_t c = 0; c < in->c; c++) {
            int64_t ox = ((n * out->c + o) * out->h + y) * out->w + x, ix = ((n * in->c + c) * in->h + i) * in->w + j;
            int64_t wx = (o * in->c + c) * taps_of(&p->d) + tap;
            if (p->pass == PROTEA_CONV_FORWARD)
                sum[ox] += (double)p->x[ix] * (double)p->w[wx];
            else if (p->pass == PROTEA_CONV_BACKWARD_DATA)
                sum[ix] += (double)p->dy[ox] * (double)p->w[wx];
            else
                sum[wx] += (double)p->dy[ox] * (double)p->x[ix];
        }
}

static double *exact(const problem *p)
{
    double *sum = room((size_t)result_count(p) * sizeof *sum);
    for (int64_t i = 0; i < result_count(p); i++)
        sum[i] = p->pass == PROTEA_CONV_BACKWARD_WEIGHTS ? (double)p->w[i] : 0; /* which is added to */
    int64_t pixels = p->d.y.h * p->d.y.w, taps = taps_of(&p->d);
    for (int64_t at = 0; at < p->d.y.n * pixels * taps; at++)
        add_tap(sum, p, at / taps / pixels, at / taps / p->d.y.w % p->d.y.h, at / taps % p->d.y.w, at % taps);
    return sum;
}

/* Bytes that nobody may write behind memory of `bytes`. */
enum { GUARD = 64 };
static char *guarded(size_t bytes)
{
    char *at = room(bytes + GUARD);
    memset(at + bytes, 0x5a, GUARD);
    return at;
}

static void check_guard(const char *at, size_t bytes)
{
    for (int i = 0; i < GUARD; i++)
        assert_int_equal(at[bytes + (size_t)i], 0x5a);
}

static size_t map_bytes(const protea_map *m)
{
    return (size_t)elements(m) * protea_dtype_bytes(m->dtype);
}

/* Runs it on that many threads; the result as plain f32. */
static float *run(const problem *p, protea_conv_own own, int threads)
{
    const protea_cpu *cpu = protea_cpu_of(fast);
    protea_set_threads(threads);
    size_t bytes = protea_own_scratch(cpu, own, &p->d, p->pass);
    size_t x_bytes = map_bytes(&p->d.x), y_bytes = map_bytes(&p->d.y);
    size_t w_bytes = (size_t)(taps_of(&p->d) * p->d.x.c * p->d.y.c) * sizeof(float);
    char *scratch = guarded(bytes), *x = guarded(x_bytes), *y = guarded(y_bytes);
    float *w = room(w_bytes), *result;
    memset(scratch, 0xff, bytes); /* not numbers */
    fast->k.to_native(fast, x, &p->d.x, p->x);
    fast->k.to_native(fast, y, &p->d.y, p->dy);
    memcpy(w, p->w, w_bytes);
    if (p->pass == PROTEA_CONV_FORWARD)
        protea_own_forward(cpu, own, y, x, w, &p->d, scratch);
    else if (p->pass == PROTEA_CONV_BACKWARD_DATA)
        protea_own_backward_data(cpu, own, x, y, w, &p->d, scratch);
    else
        protea_own_backward_weights(cpu, own, w, y, x, &p->d, scratch);
    check_guard(scratch, bytes);
    check_guard(x, x_bytes);
    check_guard(y, y_bytes);
    result = p->pass == PROTEA_CONV_BACKWARD_WEIGHTS ? w : plain_copy(fast, p->pass == PROTEA_CONV_FORWARD ? &p->d.y : &p->d.x,
                                                                       p->pass == PROTEA_CONV_FORWARD ? y : x);
    if (result != w)
        free(w);
    free(scratch), free(x), free(y);
    return result;
}

/* Root of the mean square of got - want, relative to want. NaN when any is. */
static double distance(const float *got, const double *want, int64_t n)
{
    double off = 0, all = 0;
    for (int64_t i = 0; i < n; i++) {
        off += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        all += want[i] * want[i];
    }
    return sqrt(off / all);
}

static void check_variant(const problem *p, const double *want, const variant *v)
{
    enum { RUNS = 5 };
    static const int threads[RUNS] = { 3, 3, 1, 2, 7 };
    size_t bytes = (size_t)result_count(p) * sizeof(float);
    bool weights = p->pass == PROTEA_CONV_BACKWARD_WEIGHTS;
    bool any_threads = !weights || v->own == PROTEA_OWN_DIRECT_BF16 || v->own == PROTEA_OWN_DIRECT_F32;
    double allowed = v->allowed + (v->dtype == PROTEA_BF16 && !weights ? OUTPUT_ROUNDING : 0);
    float *first = NULL;
    for (int i = 0; i < RUNS; i++) {
        float *got = run(p, v->own, threads[i]);
        double off = distance(got, want, result_count(p));
        if (!(off <= allowed))
            fail_msg("%s, pass %d, %lldx%lld -> %lld @%lldx%lld, %d threads: off by %g, %g allowed", v->name, (int)p->pass,
                     (long long)p->d.x.n, (long long)p->d.x.c, (long long)p->d.y.c, (long long)p->d.x.h, (long long)p->d.x.w,
                     threads[i], off, allowed);
        if (i == 1 || (i > 0 && any_threads))
            assert_memory_equal(got, first, bytes);
        if (i == 0)
            first = got;
        else
            free(got);
    }
    free(first);
}

/* All variants of Winograd for this type: they share the problem and what is exact. */
static void check(const shape *s, protea_dtype dtype, int64_t lanes, protea_conv_pass pass)
{
    problem p = make_problem(s, dtype, lanes, pass);
    double *want = exact(&p);
    for (int i = 0; i < N_VARIANTS; i++)
        if (variants[i].dtype == dtype && ops_of(&variants[i]) != NULL)
            check_variant(&p, want, &variants[i]);
    free(want);
    free_problem(&p);
}

static void test_winograd(void **state)
{
    const protea_winograd_ops *ops = protea_cpu_of(fast)->winograd[false];
    int before = protea_threads();
    (void)state;
    if (ops == NULL)
        skip();
    for (int s = 0; s < N_SHAPES; s++)
        for (int pass = PROTEA_CONV_FORWARD; pass <= PROTEA_CONV_BACKWARD_WEIGHTS; pass++) {
            check(&shapes[s], PROTEA_F32, ops->lanes, (protea_conv_pass)pass);
            check(&shapes[s], PROTEA_BF16, ops->lanes, (protea_conv_pass)pass);
        }
    protea_set_threads(before);
}

static void check_direct(const shape *s, const variant *v, int64_t lanes)
{
    problem p = make_problem(s, v->dtype, lanes, PROTEA_CONV_BACKWARD_WEIGHTS);
    double *want = exact(&p);
    check_variant(&p, want, v);
    free(want);
    free_problem(&p);
}

/* Of any kernel, stride and padding. */
static void test_direct_weights(void **state)
{
    const protea_cpu *cpu = protea_cpu_of(fast);
    int before = protea_threads();
    (void)state;
    if (cpu->direct_weights[false] == NULL)
        skip();
    for (int i = 0; i < N_DIRECT; i++) {
        const protea_direct_weights_ops *ops = cpu->direct_weights[direct_variants[i].own == PROTEA_OWN_DIRECT_BF16];
        for (int s = 0; s < N_ANY_KERNEL && ops != NULL; s++)
            check_direct(&any_kernel[s], &direct_variants[i], ops->lanes);
    }
    protea_set_threads(before);
}

/* Inside a parallel region OpenMP gives one thread, however many are set: the work is cut the same, and so are the bits. */
static void test_fewer_threads(void **state)
{
    const shape s = { 5, 16, 32, 7, 6, THREE };
    int before = protea_threads();
    (void)state;
    for (int i = 0; i < N_VARIANTS; i++)
        for (int pass = PROTEA_CONV_FORWARD; pass <= PROTEA_CONV_BACKWARD_WEIGHTS && ops_of(&variants[i]) != NULL; pass++) {
            problem p = make_problem(&s, variants[i].dtype, ops_of(&variants[i])->lanes, (protea_conv_pass)pass);
            float *want = run(&p, variants[i].own, 3), *got = NULL;
#pragma omp parallel num_threads(2)
#pragma omp single
            got = run(&p, variants[i].own, 3);
            assert_memory_equal(got, want, (size_t)result_count(&p) * sizeof(float));
            free(want), free(got);
            free_problem(&p);
        }
    protea_set_threads(before);
}

/* Only 3x3 of stride 1 and padding 1 in blocks of a vector's channels; products of bf16 only of activations in bf16. */
static void test_takes(void **state)
{
    const protea_cpu *cpu = protea_cpu_of(fast);
    (void)state;
    if (cpu->winograd[false] == NULL)
        skip();
    int64_t lanes = cpu->winograd[false]->lanes;
    const shape s = { 2, 32, 32, 8, 8, THREE };
    protea_conv_dims good = dims_of(&s, PROTEA_F32, lanes), bad = good;
    assert_true(protea_own_takes(cpu, PROTEA_OWN_F4_F32, &good));
    bad.stride = 2;
    assert_false(protea_own_takes(cpu, PROTEA_OWN_F4_F32, &bad));
    bad = good;
    bad.x.block = 32;
    assert_false(protea_own_takes(cpu, PROTEA_OWN_F4_F32, &bad));
    assert_false(protea_own_takes(cpu, PROTEA_OWN_F4_BF16, &good));
    bad = dims_of(&s, PROTEA_BF16, lanes);
    assert_int_equal(protea_own_takes(cpu, PROTEA_OWN_F4_BF16, &bad), cpu->winograd[true] != NULL);
    assert_int_equal(protea_own_takes(cpu, PROTEA_OWN_DIRECT_BF16, &bad), cpu->bf16_vectors && lanes == 16);
    assert_int_equal(protea_own_takes(cpu, PROTEA_OWN_DIRECT_F32, &bad), lanes == 16);
    assert_int_equal(protea_own_takes(cpu, PROTEA_OWN_DIRECT_F32, &good), lanes == 16);
    assert_false(protea_own_takes(cpu, PROTEA_OWN_DIRECT_BF16, &good));
}

/* What the rule says of ResNet-18's layers where bf16 is multiplied without AMX. */
static void test_rule(void **state)
{
    protea_cpu *cpu = protea_cpu_of(fast);
    (void)state;
    if (cpu->winograd[true] == NULL || cpu->amx)
        skip();
    bool slow = cpu->slow_bf16;
    cpu->slow_bf16 = false;
    const shape wide = { 512, 64, 64, 32, 32, THREE }, odd = { 512, 256, 256, 5, 5, THREE }, few = { 2, 512, 512, 4, 4, THREE };
    const shape down = { 512, 64, 128, 32, 32, 3, 2, 1 }, skip_down = { 512, 64, 128, 32, 32, 1, 2, 0 };
    const shape down_small = { 512, 256, 512, 8, 8, 3, 2, 1 };
    protea_conv_dims d = dims_of(&wide, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_CLOSE), PROTEA_OWN_F2_BF16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_F4_BF16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_F4_BF16);
    d = dims_of(&odd, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_F2_BF16);
    d = dims_of(&few, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_NONE);
    d = dims_of(&down, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_NONE), PROTEA_OWN_DIRECT_BF16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_NONE);
    d = dims_of(&skip_down, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_NONE);
    d = dims_of(&wide, PROTEA_F32, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_F4_F32);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_NONE), PROTEA_OWN_NONE);
    d = dims_of(&down, PROTEA_F32, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_NONE), PROTEA_OWN_NONE);
    d = dims_of(&down_small, PROTEA_F32, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_NONE), PROTEA_OWN_DIRECT_F32);
    cpu->slow_bf16 = true; /* as on Intel's */
    d = dims_of(&wide, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_FORWARD, cpu, PROTEA_WINOGRAD_CLOSE), PROTEA_OWN_F4_F32);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_FAST), PROTEA_OWN_F4_F32);
    d = dims_of(&down, PROTEA_BF16, 16);
    assert_int_equal(protea_conv_rule(&d, PROTEA_CONV_BACKWARD_WEIGHTS, cpu, PROTEA_WINOGRAD_NONE), PROTEA_OWN_DIRECT_F32);
    cpu->slow_bf16 = slow;
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winograd), cmocka_unit_test(test_direct_weights), cmocka_unit_test(test_fewer_threads),
        cmocka_unit_test(test_takes),    cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}
