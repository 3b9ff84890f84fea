/* Sizes of clusters and their agreement: equal to the scores' NMI on random clusterings, 1 for the same under other names, 0
 * for what says nothing, and images without a cluster are left out. */
#include "support/test_context.h"

#include <math.h>

#include "cluster/agreement.h"
#include "cluster/cluster_sizes.h"
#include "cluster/scores.h"

enum { N = 500 };

static void nmi_is_that_of_the_scores(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        int32_t a[N], b[N];
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, round, 0, 0);
        int64_t k = 2 + (int64_t)protea_rng_below(&rng, 30), c = 2 + (int64_t)protea_rng_below(&rng, 9);
        for (int i = 0; i < N; i++) {
            a[i] = (int32_t)protea_rng_below(&rng, (uint64_t)k) - (protea_rng_below(&rng, 10) == 0 ? 100 : 0);
            b[i] = protea_rng_below(&rng, 2) == 0 ? a[i] % (int32_t)c : (int32_t)protea_rng_below(&rng, (uint64_t)c);
        }
        protea_cluster_scores scores;
        double nmi;
        assert_ok(protea_cluster_scores_of(&scores, a, b, N, k, c));
        assert_ok(protea_agreement(&nmi, a, b, N));
        assert_true(fabs(nmi - scores.nmi) < 1e-12);
    }
}

static void ends_of_the_scale(void **state)
{
    (void)state;
    const int32_t a[6] = { 0, 0, 1, 1, 2, -1 }, renamed[6] = { 70000, 70000, 3, 3, 9, 5 }, one[6] = { 4, 4, 4, 4, 4, 4 };
    double nmi;
    assert_ok(protea_agreement(&nmi, a, renamed, 6));
    assert_true(fabs(nmi - 1) < 1e-12);
    assert_ok(protea_agreement(&nmi, a, one, 6));
    assert_true(nmi == 0);
    assert_ok(protea_agreement(&nmi, one, one, 6));
    assert_true(nmi == 0);
    assert_ok(protea_agreement(&nmi, a, one, 0));
    assert_true(nmi == 0);
}

static void sizes(void **state)
{
    (void)state;
    const int32_t a[7] = { 0, 3, 3, -1, 1, 3, 0 }, none[2] = { -1, -100 };
    protea_cluster_sizes s;
    assert_ok(protea_cluster_sizes_of(&s, a, 7, 5));
    assert_true(s.used == 3 && s.singles == 1 && fabs(s.largest - .5) < 1e-12);
    assert_true(fabs(s.imbalance - 5 * (4 + 9 + 1) / 36.) < 1e-12);
    assert_ok(protea_cluster_sizes_of(&s, none, 2, 5));
    assert_true(s.used == 0 && s.singles == 0 && s.largest == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nmi_is_that_of_the_scores), cmocka_unit_test(ends_of_the_scale),
                                        cmocka_unit_test(sizes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
