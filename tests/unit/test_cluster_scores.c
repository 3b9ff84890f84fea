/* Scores of clusters are scikit-learn's, do not depend on names, and the matching is the best there is. */
#include "support/test_context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster/scores.h"
#include "support/formula.h"

/* As tools/oracle/cluster_scores.py draws them. */
static void draw(int32_t *out, int64_t n, const char *name, int64_t high)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (int32_t)floor((formula_value(formula_name_hash(name), i) + 1) / 2 * (double)high);
}

static void draw_rows(int32_t *cluster, int32_t *label, int64_t n, int64_t k, int64_t c, double noise)
{
    draw(label, n, "label", c);
    draw(cluster, n, "cluster", k);
    for (int64_t i = 0; i < n; i++)
        if (!(formula_value(formula_name_hash("noise"), i) < 2 * noise - 1))
            cluster[i] = label[i] % (int32_t)k;
}

static void as_scikit_learn(void **state)
{
    (void)state;
    enum { MOST = 2000 };
    int32_t cluster[MOST], label[MOST];
    long long n, k, c;
    double noise, nmi, ami, ari, accuracy;
    int cases = 0;
    FILE *f = fopen(TEST_DATA "/cluster_scores.txt", "r");
    assert_non_null(f);
    while (fscanf(f, "%lld %lld %lld %lf %lf %lf %lf %lf", &n, &k, &c, &noise, &nmi, &ami, &ari, &accuracy) == 8) {
        protea_cluster_scores s;
        draw_rows(cluster, label, n, k, c, noise);
        assert_ok(protea_cluster_scores_of(&s, cluster, label, n, k, c));
        assert_true(fabs(s.nmi - nmi) < 1e-9 && fabs(s.ami - ami) < 1e-9);
        assert_true(fabs(s.ari - ari) < 1e-12 && fabs(s.accuracy - accuracy) < 1e-12);
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 13);
}

/* Other names and rows that are left out change nothing; no rows give zeros. */
static void names_and_gaps(void **state)
{
    (void)state;
    enum { N = 200, K = 9, C = 5 };
    int32_t cluster[N + 20], label[N + 20];
    protea_cluster_scores a, b;
    draw_rows(cluster, label, N, K, C, 0.4);
    assert_ok(protea_cluster_scores_of(&a, cluster, label, N, K, C));
    for (int i = 0; i < N; i++) {
        cluster[i] = (cluster[i] * 4 + 1) % K;
        label[i] = C - 1 - label[i];
    }
    for (int i = N; i < N + 20; i++) {
        cluster[i] = i % 2 ? -1 : 3;
        label[i] = i % 2 ? 2 : -1;
    }
    assert_ok(protea_cluster_scores_of(&b, cluster, label, N + 20, K, C));
    assert_true(fabs(a.nmi - b.nmi) < 1e-12 && fabs(a.ami - b.ami) < 1e-12 && fabs(a.ari - b.ari) < 1e-12);
    assert_true(a.accuracy == b.accuracy && a.accuracy > 0.3 && a.accuracy < 1);
    assert_ok(protea_cluster_scores_of(&b, cluster + N, label + N, 20, K, C));
    assert_true(b.nmi == 0 && b.ami == 0 && b.ari == 0 && b.accuracy == 0);
}

/* The best over all one-to-one maps, tried one after another. */
static double best_by_trying(const int64_t *table, int64_t rows, int64_t columns, int64_t row, unsigned taken)
{
    double best = 0;
    if (row == rows)
        return 0;
    for (int64_t j = 0; j < columns; j++)
        if ((taken >> j & 1) == 0)
            best = fmax(best, (double)table[row * columns + j] + best_by_trying(table, rows, columns, row + 1, taken | 1u << j));
    if (rows > columns)
        best = fmax(best, best_by_trying(table, rows, columns, row + 1, taken));
    return best;
}

static void the_best_matching(void **state)
{
    (void)state;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    for (int trial = 0; trial < 300; trial++) {
        int64_t table[36], rows = 1 + (int64_t)protea_rng_below(&rng, 6), columns = 1 + (int64_t)protea_rng_below(&rng, 6);
        double found;
        for (int64_t i = 0; i < rows * columns; i++)
            table[i] = (int64_t)protea_rng_below(&rng, trial % 3 ? 10 : 2);
        assert_ok(protea_best_matching(&found, table, rows, columns));
        assert_true(found == best_by_trying(table, rows, columns, 0, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scikit_learn),
        cmocka_unit_test(names_and_gaps),
        cmocka_unit_test(the_best_matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
