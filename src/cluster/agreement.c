/* Entropies from the lengths of runs in sorted keys. */
#include "cluster/agreement.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Entropy of the distribution of keys (n); they are sorted by it. */
static double entropy(uint64_t *keys, int64_t n)
{
    double h = 0;
    qsort(keys, (size_t)n, sizeof *keys, by_value);
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
    uint64_t *keys; /* (n) */
    PROTEA_TRY(protea_new(&keys, (size_t)n, sizeof *keys, "clusters of images"));
    double of_a = entropy(keys, make_keys(keys, a, NULL, a, b, n));
    double of_b = entropy(keys, make_keys(keys, NULL, b, a, b, n));
    double of_both = entropy(keys, make_keys(keys, a, b, a, b, n));
    *nmi = of_a + of_b > 0 ? fmax(0, 2 * (of_a + of_b - of_both) / (of_a + of_b)) : 0;
    protea_free(keys);
    return PROTEA_OK;
}
