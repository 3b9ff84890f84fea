/* --limit: the same few images each time, evenly over the folders. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/catalog.h"

static size_t folder_len(const char *name)
{
    const char *end = strrchr(name, '/');
    return end == NULL ? 0 : (size_t)(end - name);
}

static bool same_folder(const char *a, const char *b)
{
    size_t len = folder_len(a);
    return len == folder_len(b) && memcmp(a, b, len) == 0;
}

/* start[f] .. start[f + 1]: the entries of folder f. A folder's subfolders may lie between its files, so what counts as a
 * folder here is a run of neighbours in bytewise order. Returns how many there are. */
static int64_t find_folders(const protea_catalog *c, int64_t *start)
{
    int64_t n = 0;
    for (int64_t i = 0; i < c->n; i++)
        if (i == 0 || !same_folder(protea_catalog_name(c, i - 1), protea_catalog_name(c, i)))
            start[n++] = i;
    start[n] = c->n;
    return n;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* quota[f]: round after round each folder that has images left gives one; a last round that does not reach all is dealt to
 * folders drawn by the seed. */
static void share_out(int64_t *quota, const int64_t *start, int64_t n_folders, int64_t n, protea_rng *rng, int64_t *order)
{
    int64_t level = 0, left = n;
    for (;;) { /* the largest level that all folders together can be filled to */
        int64_t open = 0;
        for (int64_t f = 0; f < n_folders; f++)
            open += start[f + 1] - start[f] > level;
        if (open == 0 || open > left)
            break;
        left -= open;
        level++;
    }
    int64_t n_open = 0;
    for (int64_t f = 0; f < n_folders; f++) {
        int64_t size = start[f + 1] - start[f];
        quota[f] = size < level ? size : level;
        if (size > level)
            order[n_open++] = f;
    }
    for (int64_t i = 0; i < left && i < n_open; i++) {
        int64_t j = i + (int64_t)protea_rng_below(rng, (uint64_t)(n_open - i)), f = order[j];
        order[j] = order[i];
        quota[f]++;
    }
}

/* Draws quota of the numbers first .. first + size into chosen, in order. */
static void draw(int64_t *chosen, int64_t first, int64_t size, int64_t quota, protea_rng *rng, int64_t *order)
{
    for (int64_t i = 0; i < size; i++)
        order[i] = first + i;
    for (int64_t i = 0; i < quota; i++) {
        int64_t j = i + (int64_t)protea_rng_below(rng, (uint64_t)(size - i)), v = order[j];
        order[j] = order[i];
        order[i] = v;
    }
    memcpy(chosen, order, (size_t)quota * sizeof *chosen);
    qsort(chosen, (size_t)quota, sizeof *chosen, by_number);
}

protea_status protea_catalog_limit(protea_catalog *c, int64_t n, uint64_t seed)
{
    if (n <= 0 || n >= c->n)
        return PROTEA_OK;
    int64_t *block, entries = c->n;
    PROTEA_TRY(protea_new(&block, (size_t)entries * 4 + 1, sizeof *block, "choosing images"));
    int64_t *order = block, *chosen = order + entries, *quota = chosen + entries, *start = quota + entries;
    int64_t n_folders = find_folders(c, start);
    protea_rng shares = protea_rng_make(seed, PROTEA_RNG_LIMIT, 0, 0, 0);
    share_out(quota, start, n_folders, n, &shares, order);
    int64_t taken = 0;
    for (int64_t f = 0; f < n_folders; f++) {
        protea_rng rng = protea_rng_make(seed, PROTEA_RNG_LIMIT, 1, (uint64_t)f, 0);
        draw(chosen + taken, start[f], start[f + 1] - start[f], quota[f], &rng, order);
        taken += quota[f];
    }
    for (int64_t i = 0; i < taken; i++)
        c->entry[i] = c->entry[chosen[i]];
    c->n = taken;
    protea_free(block);
    return PROTEA_OK;
}
