/* Proves: a finer cluster's parent is the coarser one that has most of its images, as counting them one by one finds it; ties go to
 * the first; empty clusters and first levels have none; a tree that cannot be made leaves nothing. */
#include "support/test_context.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "cluster/cluster_tree.h"

static void by_hand(void **state)
{
    (void)state;
    const int32_t coarse[] = { 0, 0, 0, 1, 1, 1, 1 }, fine[] = { 0, 0, 2, 2, 1, 1, 2 }; /* 2: one of 0, two of 1; 3: empty */
    const int32_t finest[] = { 0, 1, 1, 0, 0, 1, 1 };
    protea_cluster_tree tree = { 0 };
    assert_ok(protea_cluster_tree_add(&tree, coarse, 2, NULL, 7));
    assert_ok(protea_cluster_tree_add(&tree, fine, 4, coarse, 7));
    assert_ok(protea_cluster_tree_add(&tree, finest, 2, fine, 7));
    assert_int_equal(tree.n_levels, 3);
    assert_int_equal(tree.level[0].node[1].size, 4);
    assert_int_equal(tree.level[0].node[1].parent, -1);
    const protea_cluster_node *node = tree.level[1].node;
    assert_true(node[0].parent == 0 && node[0].share == 1 && node[0].size == 2);
    assert_true(node[1].parent == 1 && node[1].share == 1);
    assert_true(node[2].parent == 1 && node[2].share == 2.0 / 3);
    assert_true(node[3].parent == -1 && node[3].share == 0 && node[3].size == 0);
    assert_int_equal(tree.level[2].node[0].parent, 0); /* one image of each of 0, 1 and 2: the first */
    assert_int_equal(tree.level[2].node[1].parent, 2);
    protea_cluster_tree_release(&tree);
    assert_int_equal(tree.n_levels, 0);
}

static void as_counted(void **state)
{
    (void)state;
    enum { N = 500, COARSE = 6, FINE = 17 };
    int32_t coarse[N], fine[N];
    int64_t count[FINE][COARSE] = { { 0 } }, size[FINE] = { 0 };
    protea_cluster_tree tree = { 0 };
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    for (int i = 0; i < N; i++) {
        coarse[i] = (int32_t)protea_rng_below(&rng, COARSE);
        fine[i] = (int32_t)protea_rng_below(&rng, FINE);
        count[fine[i]][coarse[i]]++;
        size[fine[i]]++;
    }
    assert_ok(protea_cluster_tree_add(&tree, coarse, COARSE, NULL, N));
    assert_ok(protea_cluster_tree_add(&tree, fine, FINE, coarse, N));
    for (int j = 0; j < FINE; j++) {
        int most = 0;
        for (int p = 1; p < COARSE; p++)
            most = count[j][p] > count[j][most] ? p : most;
        assert_int_equal(tree.level[1].node[j].parent, most);
        assert_true(tree.level[1].node[j].share == (double)count[j][most] / (double)size[j]);
    }
    protea_cluster_tree_release(&tree);
}

static void what_cannot_be(void **state)
{
    (void)state;
    const int32_t cluster[] = { 0 };
    protea_cluster_tree tree = { 0 };
    for (long n = 1; n <= 2; n++) {
        protea_alloc_fail_after(n, 0);
        assert_int_equal(protea_cluster_tree_add(&tree, cluster, 1, cluster, 1), PROTEA_ERR_MEMORY);
        protea_alloc_fail_after(0, 0);
    }
    while (tree.n_levels < PROTEA_TREE_LEVELS)
        assert_ok(protea_cluster_tree_add(&tree, cluster, 1, NULL, 1));
    assert_int_equal(protea_cluster_tree_add(&tree, cluster, 1, NULL, 1), PROTEA_ERR_INTERNAL);
    protea_cluster_tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand), cmocka_unit_test(as_counted), cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
