/* ProtoNCE: its value and gradient against the definition in double and finite differences, alone and masked; that two queries of
 * one cluster cost ln 2 unless masked; and what the draw of negatives gives. */
#include "support/test_context.h"

#include <math.h>
#include <string.h>

#include "cluster/negatives.h"
#include "loss/proto_nce.h"
#include "support/formula.h"

enum { N = 5, R = 4, K = 12, D = 6 };

static const int32_t POSITIVE[N] = { 3, 7, 3, 0, 11 }, NEGATIVE[R] = { 1, 9, 2, 5 };

static void set_up(float q[N * D], float c[K * D], float phi[K])
{
    formula_fill(q, N * D, "queries", 0, 1);
    formula_fill(c, K * D, "prototypes", 0, 1);
    formula_fill(phi, K, "phi", .3, .1);
}

static double plain_loss(const double *q, const float *c, const float *phi, const protea_proto_nce *g)
{
    double total = 0;
    for (int i = 0; i < N; i++) {
        double sum = 0, own = 0;
        for (int j = 0; j < N + g->n_negatives; j++) {
            int32_t cluster = j < N ? g->positive[j] : g->negative[j - N];
            double dot = 0;
            if (g->mask_same && j < N && j != i && cluster == g->positive[i])
                continue;
            for (int d = 0; d < D; d++)
                dot += q[i * D + d] * c[cluster * D + d] / phi[cluster];
            sum += exp(dot);
            own = i == j ? dot : own;
        }
        total += log(sum) - own;
    }
    return g->weight * total / N;
}

static void check_gradient(bool mask, int64_t n_negatives)
{
    protea_ctx cx = test_context_open(1 << 16);
    float q[N * D], c[K * D], phi[K], dq[N * D];
    double x[N * D], loss;
    set_up(q, c, phi);
    protea_tensor tq = test_rows(q, N, D), tc = test_rows(c, K, D), td = test_rows(dq, N, D);
    const protea_proto_nce g = { .prototypes = &tc, .concentration = phi, .positive = POSITIVE, .negative = NEGATIVE,
                                 .n_negatives = n_negatives, .mask_same = mask, .weight = 1. / 3 };
    for (int i = 0; i < N * D; i++) {
        x[i] = q[i];
        dq[i] = 2;
    }
    assert_ok(protea_proto_nce_loss(&cx, &loss, NULL, &td, &tq, &g));
    assert_float_equal(loss, plain_loss(x, c, phi, &g), 2e-6);
    for (int i = 0; i < N * D; i++) {
        double at = x[i], h = 1e-4;
        x[i] = at + h;
        double above = plain_loss(x, c, phi, &g);
        x[i] = at - h;
        double below = plain_loss(x, c, phi, &g);
        x[i] = at;
        assert_true(fabs(dq[i] - 2 - (above - below) / (2 * h)) < 3e-6); /* added to what was there */
    }
    assert_int_equal(protea_arena_mark(cx.scratch), 0);
    test_context_close(&cx);
}

static void gradients(void **state)
{
    (void)state;
    check_gradient(false, R);
    check_gradient(true, R);
    check_gradient(false, 0);
}

/* All queries at their prototypes, which are far apart: nothing is lost but what a cluster that appears twice costs. */
static void one_cluster_twice_costs_ln_2(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float q[2 * 3] = { 1, 0, 0, 1, 0, 0 }, c[2 * 3] = { 1, 0, 0, 0, 1, 0 }, phi[2] = { .05f, .05f }, dq[6] = { 0 };
    const int32_t positive[2] = { 0, 0 }, negative[1] = { 1 };
    protea_tensor tq = test_rows(q, 2, 3), tc = test_rows(c, 2, 3), td = test_rows(dq, 2, 3);
    protea_proto_nce g = { .prototypes = &tc, .concentration = phi, .positive = positive, .negative = negative, .n_negatives = 1,
                           .weight = 1 };
    double loss, accuracy;
    assert_ok(protea_proto_nce_loss(&cx, &loss, &accuracy, &td, &tq, &g));
    assert_float_equal(loss, log(2), 5e-6);
    assert_float_equal(accuracy, .5, 0);
    g.mask_same = true;
    assert_ok(protea_proto_nce_loss(&cx, &loss, &accuracy, &td, &tq, &g));
    assert_float_equal(loss, 0, 5e-6);
    assert_float_equal(accuracy, 1, 0);
    const int32_t wrong[2] = { 0, 2 };
    g.positive = wrong;
    assert_int_equal(protea_proto_nce_loss(&cx, &loss, NULL, &td, &tq, &g), PROTEA_ERR_INTERNAL);
    test_context_close(&cx);
}

static void negatives_are_others_and_distinct(void **state)
{
    (void)state;
    enum { MOST = 7, DRAWS = 4000 };
    int32_t negative[2 * K], room[K];
    int seen[K] = { 0 };
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, draw, 0, 0);
        assert_int_equal(protea_draw_negatives(negative, MOST, POSITIVE, N, K, false, room, &rng), MOST);
        for (int i = 0; i < MOST; i++) {
            for (int j = 0; j < N; j++)
                assert_true(negative[i] != POSITIVE[j]);
            for (int j = 0; j < i; j++)
                assert_true(negative[i] != negative[j]);
            seen[negative[i]]++;
        }
    }
    for (int c = 0; c < K; c++) { /* 8 candidates, 7 drawn; 5 sigma of the binomial */
        bool positive = c == 3 || c == 7 || c == 0 || c == 11;
        assert_true(positive ? seen[c] == 0 : abs(seen[c] - DRAWS * MOST / 8) < 105);
    }
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    assert_int_equal(protea_draw_negatives(negative, 2 * K, POSITIVE, N, K, false, room, &rng), 8);
    assert_int_equal(protea_draw_negatives(negative, 2 * K, POSITIVE, N, K, true, room, &rng), 2 * K);
    for (int i = 0; i < 2 * K; i++)
        assert_true(negative[i] != 3 && negative[i] != 7 && negative[i] != 0 && negative[i] != 11);
    const int32_t all[2] = { 0, 1 };
    assert_int_equal(protea_draw_negatives(negative, 3, all, 2, 2, true, room, &rng), 0);
    assert_int_equal(protea_draw_negatives(negative, 3, all, 2, 2, false, room, &rng), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gradients), cmocka_unit_test(one_cluster_twice_costs_ln_2),
                                        cmocka_unit_test(negatives_are_others_and_distinct) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
