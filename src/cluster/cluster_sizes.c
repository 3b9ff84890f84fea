#include "cluster/cluster_sizes.h"

#include "base/alloc.h"

protea_status protea_cluster_sizes_of(protea_cluster_sizes *out, const int32_t *assign, int64_t n, int64_t k)
{
    int64_t *size, rows = 0, largest = 0; /* size (k) */
    double squares = 0;
    *out = (protea_cluster_sizes){ 0 };
    PROTEA_TRY(protea_new(&size, (size_t)k, sizeof *size, "sizes of clusters"));
    for (int64_t i = 0; i < n; i++)
        if (assign[i] >= 0) {
            size[assign[i]]++;
            rows++;
        }
    for (int64_t c = 0; c < k; c++) {
        out->used += size[c] > 0;
        out->singles += size[c] == 1;
        largest = size[c] > largest ? size[c] : largest;
        squares += (double)size[c] * (double)size[c];
    }
    out->largest = rows > 0 ? (double)largest / (double)rows : 0;
    out->imbalance = rows > 0 ? squares * (double)k / ((double)rows * (double)rows) : 0;
    protea_free(size);
    return PROTEA_OK;
}
