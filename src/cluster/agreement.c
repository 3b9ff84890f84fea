/* Entropies from the lengths of runs in sorted keys. */
#include "cluster/agreement.h"

#include <math.h>

#include "base/alloc.h"
#include "base/sort.h"

/* Entropy of the distribution of keys (n), which are sorted by it; room (n) is used. */
static double entropy(uint64_t *keys, uint64_t *room, int64_t n)
{
    double h = 0;
    protea_sort_u64(keys, room, n, 0);
    for (int64_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && keys[j] == keys[i];)
            j++;
        double p = (double)(j - i) / (double)n;
        h -= p * log(p);
    }
    return h;
}

/* High half of each key from high, low half from low (either NULL: 0), where both a and b know a cluster; returns how many. */
static int64_t make_keys(uint64_t *keys, const int32_t *high, const int32_t *low, const int32_t *a, const int32_t *b, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        if (a[i] >= 0 && b[i] >= 0)
            keys[count++] = (uint64_t)(high != NULL ? high[i] : 0) << 32 | (uint64_t)(low != NULL ? low[i] : 0);
    return count;
}

protea_status protea_agreement(double *nmi, const int32_t *a, const int32_t *b, int64_t n)
{
    uint64_t *keys; /* (2,n): keys and room to sort them */
    PROTEA_TRY(protea_new(&keys, (size_t)n, 2 * sizeof *keys, "clusters of images"));
    double of_a = entropy(keys, keys + n, make_keys(keys, a, NULL, a, b, n));
    double of_b = entropy(keys, keys + n, make_keys(keys, NULL, b, a, b, n));
    double of_both = entropy(keys, keys + n, make_keys(keys, a, b, a, b, n));
    *nmi = of_a + of_b > 0 ? fmax(0, 2 * (of_a + of_b - of_both) / (of_a + of_b)) : 0;
    protea_free(keys);
    return PROTEA_OK;
}
