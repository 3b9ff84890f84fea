/* Sinkhorn gives the published numbers, the plain definition's codes at any size, its marginals, the same bits for any
 * number of threads, and refuses what it cannot do. */
#include "support/test_context.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/codes.h"
#include "cluster/sinkhorn.h"
#include "support/formula.h"

static const float S[12] = { .9f, .1f, -.3f, .8f, .3f, 0, .7f, -.2f, .6f, .95f, .9f, -.5f };
static const float T[12] = { .8f, .2f, -.1f, .6f, .5f, .1f, .5f, 0, .7f, .9f, .7f, -.4f };

static void check_golden(const float *scores, double eps, int iters, const double wanted[12])
{
    protea_ctx cx = test_context_open(1 << 16);
    float codes[12];
    double plain[12], in_double[12];
    protea_tensor q = test_rows(codes, 4, 3), s = test_rows((float *)(uintptr_t)scores, 4, 3);
    for (int i = 0; i < 12; i++)
        in_double[i] = round((double)scores[i] * 100) / 100;
    assert_ok(protea_sinkhorn(&cx, &q, &s, eps, iters));
    protea_sinkhorn_reference(plain, in_double, 4, 3, eps, iters);
    for (int i = 0; i < 12; i++) {
        assert_float_equal(plain[i], wanted[i], 6e-7); /* six decimals are given */
        assert_float_equal(codes[i], wanted[i], 2e-6);
    }
    test_context_close(&cx);
}

static void golden_numbers(void **state)
{
    (void)state;
    check_golden(S, .05, 3, (const double[12]){ .999995, .000004, 0, .997275, .001810, .000915, .000905, 0, .999095, .063661,
                                                .936339, 0 });
    check_golden(S, .05, 1, (const double[12]){ 1, 0, 0, .999649, .000176, .000176, .004708, 0, .995292, .412474, .587526, 0 });
    check_golden(S, .05, 10, (const double[12]){ .999490, .000477, .000032, .775890, .149472, .074639, .000009, 0, .999991,
                                                 .000640, .999360, 0 });
    check_golden(S, .5, 3, (const double[12]){ .515571, .269078, .215350, .347155, .330133, .322712, .192419, .082220, .725360,
                                               .278369, .651108, .070523 });
    check_golden(T, .05, 3, (const double[12]){ .999556, .000442, .000002, .093038, .906322, .000640, .000121, 0, .999879,
                                                .431340, .568660, 0 });
}

/* Masses times K/B after three sweeps: near 1, not 1. */
static void golden_masses(void **state)
{
    (void)state;
    double s[12], q[12];
    const double wanted[3] = { 1.546377, .703615, .750007 };
    for (int i = 0; i < 12; i++)
        s[i] = round((double)S[i] * 100) / 100;
    protea_sinkhorn_reference(q, s, 4, 3, .05, 3);
    for (int k = 0; k < 3; k++)
        assert_float_equal((q[k] + q[3 + k] + q[6 + k] + q[9 + k]) * 3 / 4, wanted[k], 6e-7);
}

typedef struct problem {
    int64_t b, n, k;
    float *scores, *codes;
    double *scores64, *codes64;
} problem;

static problem problem_new(int64_t b, int64_t n, int64_t k, const char *name)
{
    problem p = { .b = b, .n = n, .k = k };
    size_t count = (size_t)(b * k);
    p.scores = malloc(count * sizeof(float));
    p.codes = malloc(count * sizeof(float));
    p.scores64 = malloc(count * sizeof(double));
    p.codes64 = malloc(count * sizeof(double));
    formula_fill(p.scores, b * k, name, 0, 1);
    for (size_t i = 0; i < count; i++)
        p.scores64[i] = p.scores[i];
    return p;
}

static void problem_free(problem *p)
{
    free(p->scores);
    free(p->codes);
    free(p->scores64);
    free(p->codes64);
}

/* Rows of codes sum to 1 and are those of the plain definition: relative to the code's largest, within 3e-5. Scores in
 * f32 divided by eps 0.05 carry 20 * 2^-24 each, sums over rows 1e-6; three sweeps add these up. */
static void check_against_reference(int64_t b, int64_t n, int64_t k, double eps, int64_t iters)
{
    protea_ctx cx = test_context_open(1 << 24);
    problem p = problem_new(b, n, k, "scores");
    protea_tensor s = test_rows(p.scores, b, k), q = test_rows(p.codes, n, k);
    assert_ok(protea_sinkhorn(&cx, &q, &s, eps, iters));
    protea_sinkhorn_reference(p.codes64, p.scores64, b, k, eps, iters);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < k; j++) {
            double wanted = p.codes64[(b - n + i) * k + j];
            assert_true(fabs(p.codes[i * k + j] - wanted) <= 3e-5 * wanted + 1e-7);
            sum += p.codes[i * k + j];
        }
        assert_float_equal(sum, 1, 1e-5);
    }
    assert_int_equal(protea_arena_mark(cx.scratch), 0);
    problem_free(&p);
    test_context_close(&cx);
}

static void odd_sizes_and_queue(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = { { 1, 1, 1 }, { 1, 1, 7 }, { 2, 1, 2 }, { 5, 5, 1 }, { 31, 31, 17 }, { 33, 7, 15 },
                                        { 64, 64, 64 }, { 97, 32, 33 }, { 129, 1, 31 }, { 300, 100, 257 } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int64_t iters = 1; iters <= 4; iters++)
            check_against_reference(sizes[i][0], sizes[i][1], sizes[i][2], 0.05, iters);
}

/* After many sweeps every prototype has its share: B/K. */
static void marginals(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 22);
    problem p = problem_new(120, 120, 30, "marginals");
    protea_tensor s = test_rows(p.scores, 120, 30), q = test_rows(p.codes, 120, 30);
    assert_ok(protea_sinkhorn(&cx, &q, &s, 0.2, 300));
    for (int64_t j = 0; j < 30; j++) {
        double mass = 0;
        for (int64_t i = 0; i < 120; i++)
            mass += p.codes[i * 30 + j];
        assert_float_equal(mass, 4, 1e-3);
    }
    problem_free(&p);
    test_context_close(&cx);
}

/* A constant added to all scores, or to all scores of one prototype, changes nothing. */
static void shifts_cancel(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 20);
    float shifted[12], a[12], b[12];
    protea_tensor qa = test_rows(a, 4, 3), qb = test_rows(b, 4, 3), s = test_rows(shifted, 4, 3);
    memcpy(shifted, S, sizeof S);
    assert_ok(protea_sinkhorn(&cx, &qa, &s, .05, 3));
    for (int i = 0; i < 12; i++)
        shifted[i] += i % 3 == 1 ? 8 : 16;
    assert_ok(protea_sinkhorn(&cx, &qb, &s, .05, 3));
    for (int i = 0; i < 12; i++)
        assert_float_equal(a[i], b[i], 1e-4); /* 16 + s keeps only 2^-20 of s, times 1/eps */
    test_context_close(&cx);
}

static void equal_bits_for_any_thread_count(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 24);
    problem p = problem_new(333, 222, 77, "threads");
    protea_tensor s = test_rows(p.scores, 333, 77), q = test_rows(p.codes, 222, 77);
    size_t bytes = 222 * 77 * sizeof(float);
    float *first = malloc(bytes);
    int before = protea_threads();
    for (int threads = 1; threads <= 5; threads++) {
        protea_set_threads(threads);
        assert_ok(protea_sinkhorn(&cx, &q, &s, .05, 3));
        if (threads == 1)
            memcpy(first, p.codes, bytes);
        assert_memory_equal(first, p.codes, bytes);
    }
    protea_set_threads(before);
    free(first);
    problem_free(&p);
    test_context_close(&cx);
}

/* Small eps, where exp of unshifted scores overflows (below 0.0113) and of globally shifted ones underflows: one prototype, or
 * one sample, is far from everything. */
static void extreme_scores(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    const float far_prototype[8] = { 1, -1, .99f, -.98f, .98f, -.99f, .97f, -1 };
    const float far_sample[8] = { 1, .98f, -.97f, -1, .99f, .98f, .97f, 1 };
    for (int which = 0; which < 2; which++) {
        float scores[8], codes[8];
        double s64[8], q64[8];
        protea_tensor s = test_rows(scores, 4, 2), q = test_rows(codes, 4, 2);
        memcpy(scores, which ? far_sample : far_prototype, sizeof scores);
        for (int i = 0; i < 8; i++)
            s64[i] = scores[i];
        assert_ok(protea_sinkhorn(&cx, &q, &s, .01, 3));
        protea_sinkhorn_reference(q64, s64, 4, 2, .01, 3);
        for (int i = 0; i < 8; i++)
            assert_float_equal(codes[i], q64[i], 1e-4); /* 1/eps times a f32's rounding of 1 */
    }
    test_context_close(&cx);
}

static void hopeless_input_is_refused(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float scores[12], codes[12];
    protea_tensor s = test_rows(scores, 4, 3), q = test_rows(codes, 4, 3);
    const float bad[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++)
        for (int at = 0; at < 12; at++) {
            memcpy(scores, S, sizeof S);
            scores[at] = bad[i];
            assert_int_equal(protea_sinkhorn(&cx, &q, &s, .05, 3), PROTEA_ERR_DIVERGED);
        }
    memcpy(scores, S, sizeof S); /* a sample and a prototype that are 100 eps and more from where all others are */
    scores[3] = scores[4] = scores[5] = -6;
    scores[2] = scores[8] = scores[11] = -6;
    scores[5] = -12;
    assert_int_equal(protea_sinkhorn(&cx, &q, &s, .05, 3), PROTEA_ERR_DIVERGED);
    assert_non_null(strstr(protea_last_error(), "larger epsilon"));
    assert_int_equal(protea_sinkhorn(&cx, &q, &s, 0, 3), PROTEA_ERR_USAGE);
    assert_int_equal(protea_sinkhorn(&cx, &q, &s, (double)NAN, 3), PROTEA_ERR_USAGE);
    assert_int_equal(protea_sinkhorn(&cx, &q, &s, .05, 0), PROTEA_ERR_USAGE);
    protea_tensor longer = test_rows(codes, 5, 3);
    assert_int_equal(protea_sinkhorn(&cx, &longer, &s, .05, 3), PROTEA_ERR_INTERNAL);
    test_context_close(&cx);
}

/* Uniform, one-hot and mixed codes have the statistics one expects. */
static void code_statistics(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float codes[12] = { .25f, .25f, .25f, .25f, 0, 1, 0, 0, 0, .6f, .4f, 0 };
    protea_tensor q = test_rows(codes, 3, 4), first = test_rows(codes, 1, 4), second = test_rows(codes + 4, 1, 4);
    protea_code_stats stats;
    assert_ok(protea_codes_stats(&cx, &stats, &first));
    assert_float_equal(stats.entropy, 1, 1e-6);
    assert_float_equal(stats.usage_entropy, 1, 1e-6);
    assert_ok(protea_codes_stats(&cx, &stats, &second));
    assert_float_equal(stats.entropy, 0, 1e-6);
    assert_float_equal(stats.usage_entropy, 0, 1e-6);
    assert_ok(protea_codes_stats(&cx, &stats, &q));
    assert_float_equal(stats.max_prob, (.25 + 1 + .6) / 3, 1e-6);
    assert_float_equal(stats.used, 2, 0);
    assert_float_equal(stats.entropy, (1 + 0 + -(.6 * log(.6) + .4 * log(.4)) / log(4)) / 3, 1e-6);
    assert_ok(protea_codes_harden(&cx, &q));
    const float hard[12] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0 };
    assert_memory_equal(codes, hard, sizeof hard);
    test_context_close(&cx);
}

static void embedding_spread(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float axes[8] = { 1, 0, -1, 0, 0, 1, 0, -1 }, same[8] = { .6f, .8f, .6f, .8f, .6f, .8f, .6f, .8f };
    protea_tensor spread = test_rows(axes, 4, 2), collapsed = test_rows(same, 4, 2);
    assert_float_equal(protea_embedding_std(&cx, &spread), 1, 1e-12);
    assert_float_equal(protea_embedding_std(&cx, &collapsed), 0, 1e-6);
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_numbers), cmocka_unit_test(golden_masses), cmocka_unit_test(odd_sizes_and_queue),
        cmocka_unit_test(marginals), cmocka_unit_test(shifts_cancel), cmocka_unit_test(equal_bits_for_any_thread_count),
        cmocka_unit_test(extreme_scores), cmocka_unit_test(hopeless_input_is_refused), cmocka_unit_test(code_statistics),
        cmocka_unit_test(embedding_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
