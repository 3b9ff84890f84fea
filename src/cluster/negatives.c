#include "cluster/negatives.h"

/* room: the clusters that are not positive, in order; returns how many. */
static int64_t list_candidates(int32_t *room, const int32_t *positive, int64_t n, int64_t n_clusters)
{
    int64_t count = 0;
    for (int64_t c = 0; c < n_clusters; c++)
        room[c] = 0;
    for (int64_t i = 0; i < n; i++)
        room[positive[i]] = 1;
    for (int64_t c = 0; c < n_clusters; c++)
        if (room[c] == 0)
            room[count++] = (int32_t)c; /* count <= c: what is overwritten has been read */
    return count;
}

int64_t protea_draw_negatives(int32_t *negative, int64_t most, const int32_t *positive, int64_t n, int64_t n_clusters,
                              bool replace, int32_t *room, protea_rng *rng)
{
    int64_t count = list_candidates(room, positive, n, n_clusters);
    int64_t drawn = replace && count > 0 ? most : most < count ? most : count;
    for (int64_t i = 0; i < drawn; i++) {
        int64_t first = replace ? 0 : i; /* without replacement: the first steps of a shuffle */
        int64_t j = first + (int64_t)protea_rng_below(rng, (uint64_t)(count - first));
        negative[i] = room[j];
        room[j] = room[first];
        room[first] = negative[i];
    }
    return drawn;
}
