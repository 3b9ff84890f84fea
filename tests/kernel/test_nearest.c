/* On every instruction set, the fast search for nearest centroids finds what the reference finds, at sizes that fill no block,
 * panel or vector; of equal centroids the first; all that are below a limit; and sums of clusters and
 * distances are the reference's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backend/bf16.h"
#include "backend/cpu/bf16_vectors.h"
#include "backend/cpu/cpu.h"
#include "kernel/per_isa.h"
#include "kernel/tensors.h"

typedef struct problem {
    int64_t n;
    protea_nearest_dims dims;
    float *x, *centroids, *centre;
} problem;

static problem problem_new(int64_t n, int64_t d, int64_t k, protea_dtype dtype)
{
    problem p = { .n = n, .dims = { k, d, dtype }, .x = random_values(n * d, 1, 1), .centroids = random_values(k * d, 2, 1),
                  .centre = random_values(d, 3, 0.5f) };
    return p;
}

static void problem_free(problem *p)
{
    free(p->x);
    free(p->centroids);
    free(p->centre);
}

static int32_t *nearest_by(protea_backend *be, const problem *p, const int64_t *rows, int64_t n)
{
    void *pack = room(be->k.nearest_bytes(be, &p->dims));
    int32_t *index = room((size_t)n * sizeof *index);
    be->k.nearest_pack(be, pack, p->centroids, p->centre, &p->dims);
    be->k.nearest(be, index, NULL, p->x, rows, n, pack, &p->dims);
    free(pack);
    return index;
}

/* |x - c|^2 of rounded values when in bf16 (what the search compares), in double. */
static double distance(const problem *p, int64_t row, int32_t j)
{
    double sum = 0;
    for (int64_t i = 0; i < p->dims.d; i++) {
        float a = p->x[row * p->dims.d + i] - p->centre[i], b = p->centroids[j * p->dims.d + i] - p->centre[i];
        if (p->dims.dtype == PROTEA_BF16) {
            a = protea_bf16_to_f32(protea_f32_to_bf16(a));
            b = protea_bf16_to_f32(protea_f32_to_bf16(b));
        }
        sum += ((double)a - (double)b) * ((double)a - (double)b);
    }
    return sum;
}

/* The same index, or one that is as near but for the rounding of f32 sums. */
static void check_size(int64_t n, int64_t d, int64_t k, protea_dtype dtype)
{
    problem p = problem_new(n, d, k, dtype);
    int64_t *rows = room((size_t)n * sizeof *rows), others = 0;
    for (int64_t i = 0; i < n; i++)
        rows[i] = (n - 1 - i) / 2;
    int32_t *wanted = nearest_by(reference, &p, NULL, n), *found = nearest_by(fast, &p, NULL, n);
    int32_t *gathered = nearest_by(fast, &p, rows, n);
    for (int64_t i = 0; i < n; i++) {
        assert_in_range(found[i], 0, k - 1);
        if (found[i] != wanted[i])
            assert_true(distance(&p, i, found[i]) <= distance(&p, i, wanted[i]) + 1e-5 * (double)d);
        others += found[i] != wanted[i];
        assert_int_equal(gathered[i], found[rows[i]]);
    }
    assert_true(others <= n / 100);
    free(rows);
    free(wanted);
    free(found);
    free(gathered);
    problem_free(&p);
}

static void check_sizes(protea_dtype dtype)
{
    static const int64_t sizes[][3] = { { 1, 1, 1 }, { 1, 17, 2 }, { 3, 5, 33 }, { 33, 16, 16 }, { 31, 32, 47 }, { 257, 33, 49 },
                                        { 600, 128, 100 }, { 515, 7, 97 }, { 40, 300, 64 }, { 9, 5000, 50 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_size(sizes[i][0], sizes[i][1], sizes[i][2], dtype);
}

static void finds_what_the_reference_finds(void **state)
{
    (void)state;
    check_sizes(PROTEA_F32);
    check_sizes(PROTEA_BF16);
}

/* bf16 has three inner parts: the matrix unit's, vdpbf16ps, and f32 with rounded values. Every processor runs the last. */
static void so_do_vectors_that_do_not_multiply_bf16(void **state)
{
    (void)state;
    protea_cpu *cpu = protea_cpu_of(fast);
    const protea_nearest_ops *own = cpu->nearest[true];
    cpu->nearest[true] = protea_simd_nearest(cpu->isa, true);
    check_sizes(PROTEA_BF16);
    if (cpu->bf16_vectors) {
        cpu->nearest[true] = protea_bf16_nearest();
        check_sizes(PROTEA_BF16);
    }
    cpu->nearest[true] = own;
}

/* How often each pair was handed over, and its score. */
typedef struct taken {
    const problem *p;
    float *score;           /* (n,k): by pair */
    int *count;             /* (n,k) */
} taken;

static void take(void *self, const protea_near *near, int64_t n)
{
    taken *t = self;
    for (int64_t i = 0; i < n; i++) {
        int64_t pair = near[i].row * t->p->dims.k + near[i].centroid;
        t->count[pair]++;
        t->score[pair] = near[i].score;
    }
}

static taken take_below(protea_backend *be, const problem *p, float *limit)
{
    size_t pairs = (size_t)(p->n * p->dims.k);
    taken t = { p, calloc(pairs, sizeof *t.score), calloc(pairs, sizeof *t.count) };
    const protea_near_sink sink = { &t, limit, take };
    void *pack = room(be->k.nearest_bytes(be, &p->dims));
    be->k.nearest_pack(be, pack, p->centroids, p->centre, &p->dims);
    be->k.nearest_below(be, &sink, p->x, p->n, pack, &p->dims);
    free(pack);
    return t;
}

static void check_below(int64_t n, int64_t d, int64_t k, protea_dtype dtype)
{
    problem p = problem_new(n, d, k, dtype);
    float *limit = room((size_t)n * sizeof *limit);
    for (int64_t i = 0; i < n; i++)
        limit[i] = i % 3 == 0 ? INFINITY : i % 3 == 1 ? -INFINITY : 0;
    taken wanted = take_below(reference, &p, limit), found = take_below(fast, &p, limit);
    float slack = 1e-5f * (float)d;
    for (int64_t i = 0; i < n * k; i++) {
        float bound = limit[i / k];
        assert_in_range(found.count[i], 0, 1);
        if (found.count[i] && wanted.count[i])
            assert_true(fabsf(found.score[i] - wanted.score[i]) <= slack);
        else if (found.count[i] || wanted.count[i])
            assert_true(fabsf((found.count[i] ? found.score[i] : wanted.score[i]) - bound) <= slack);
    }
    free(limit);
    free(wanted.score);
    free(wanted.count);
    free(found.score);
    free(found.count);
    problem_free(&p);
}

static void hands_over_what_is_below(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = { { 1, 1, 1 }, { 3, 5, 33 }, { 33, 16, 16 }, { 31, 32, 47 }, { 257, 33, 49 }, { 515, 7, 97 },
                                        { 40, 300, 640 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int dtype = PROTEA_F32; dtype <= PROTEA_BF16; dtype++)
            check_below(sizes[i][0], sizes[i][1], sizes[i][2], (protea_dtype)dtype);
}

/* Every centroid three times, far apart and close together. */
static void the_first_of_equals(void **state)
{
    (void)state;
    enum { K = 150, D = 20, N = 100, ONCE = K / 3 };
    for (int dtype = PROTEA_F32; dtype <= PROTEA_BF16; dtype++) {
        problem p = problem_new(N, D, K, (protea_dtype)dtype);
        for (int64_t j = ONCE; j < K; j++)
            memcpy(p.centroids + j * D, p.centroids + j % ONCE * D, D * sizeof(float));
        int32_t *found = nearest_by(fast, &p, NULL, N);
        for (int64_t i = 0; i < N; i++)
            assert_in_range(found[i], 0, ONCE - 1);
        free(found);
        problem_free(&p);
    }
}

static void check_sums(int64_t n, int64_t d, bool weighted)
{
    enum { ROWS = 50 };
    float *x = random_values(ROWS * d, 4, 1), *c = random_values(d, 5, 1), weights[ROWS];
    double *a = calloc((size_t)d, sizeof *a), *b = calloc((size_t)d, sizeof *b);
    int64_t rows[ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
        weights[i] = (float)(i % 4) / 2;
        rows[i] = i * 7 % ROWS;
    }
    double wanted = reference->k.cluster_sum(reference, a, x, rows, weighted ? weights : NULL, c, n, d);
    double found = fast->k.cluster_sum(fast, b, x, rows, weighted ? weights : NULL, c, n, d);
    assert_true(fabs(found - wanted) <= 1e-6 * wanted);
    for (int64_t i = 0; i < d; i++)
        assert_true(fabs(a[i] - b[i]) <= 1e-13 * (double)n);
    wanted = reference->k.squared_distance(reference, x, c, d);
    assert_true(fabs(fast->k.squared_distance(fast, x, c, d) - wanted) <= 1e-6 * wanted);
    free(x);
    free(c);
    free(a);
    free(b);
}

static void sums_and_distances(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = { { 1, 1 }, { 8, 16 }, { 7, 17 }, { 50, 31 }, { 23, 200 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_sums(sizes[i][0], sizes[i][1], false);
        check_sums(sizes[i][0], sizes[i][1], true);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_the_reference_finds),
        cmocka_unit_test(so_do_vectors_that_do_not_multiply_bf16),
        cmocka_unit_test(hands_over_what_is_below),
        cmocka_unit_test(the_first_of_equals),
        cmocka_unit_test(sums_and_distances),
    };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}
