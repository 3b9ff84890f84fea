/* Overlaps are the lengths of runs in sorted pairs of clusters. */
#include "cluster/cluster_tree.h"

#include "base/alloc.h"
#include "base/sort.h"

/* pair (2,n): a finer cluster in the high half, a coarser one in the low half; then room to sort them. */
static void find_parents(protea_cluster_node *node, uint64_t *pair, int64_t n)
{
    protea_sort_u64(pair, pair + n, n, 0);
    for (int64_t i = 0, j; i < n; i = j) {
        protea_cluster_node *own = &node[pair[i] >> 32];
        for (j = i + 1; j < n && pair[j] == pair[i];)
            j++;
        double share = (double)(j - i) / (double)own->size;
        if (share > own->share) {
            own->share = share;
            own->parent = (int32_t)(pair[i] & 0xffffffff);
        }
    }
}

protea_status protea_cluster_tree_add(protea_cluster_tree *tree, const int32_t *cluster, int64_t k, const int32_t *above,
                                      int64_t n)
{
    protea_tree_level *level = &tree->level[tree->n_levels];
    uint64_t *pair; /* (2,n) */
    if (tree->n_levels == PROTEA_TREE_LEVELS)
        return protea_fail(PROTEA_ERR_INTERNAL, "a tree of more than %d clusterings", PROTEA_TREE_LEVELS);
    PROTEA_TRY(protea_new(&level->node, (size_t)k, sizeof *level->node, "a tree of clusters"));
    level->k = k;
    tree->n_levels++;
    for (int64_t j = 0; j < k; j++)
        level->node[j].parent = -1;
    for (int64_t i = 0; i < n; i++)
        level->node[cluster[i]].size++;
    if (above == NULL)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&pair, (size_t)n, 2 * sizeof *pair, "a tree of clusters"));
    for (int64_t i = 0; i < n; i++)
        pair[i] = (uint64_t)cluster[i] << 32 | (uint64_t)above[i];
    find_parents(level->node, pair, n);
    protea_free(pair);
    return PROTEA_OK;
}

void protea_cluster_tree_release(protea_cluster_tree *tree)
{
    for (int i = 0; i < tree->n_levels; i++)
        protea_free(tree->level[i].node);
    *tree = (protea_cluster_tree){ 0 };
}
