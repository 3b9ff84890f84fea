#include "base/sort.h"

#include <string.h>

enum { BYTES = 256 };

/* from -> to, by the byte at `bit`. False, and nothing moves, where all keys have the same one. */
static int pass(uint64_t *to, const uint64_t *from, int64_t n, int bit)
{
    int64_t start[BYTES + 1] = { 0 };
    for (int64_t i = 0; i < n; i++)
        start[((from[i] >> bit) & (BYTES - 1)) + 1]++;
    if (start[((from[0] >> bit) & (BYTES - 1)) + 1] == n)
        return 0;
    for (int b = 0; b < BYTES; b++)
        start[b + 1] += start[b];
    for (int64_t i = 0; i < n; i++)
        to[start[(from[i] >> bit) & (BYTES - 1)]++] = from[i];
    return 1;
}

void protea_sort_u64(uint64_t *key, uint64_t *scratch, int64_t n, int first_bit)
{
    uint64_t *from = key, *to = scratch;
    for (int bit = first_bit; bit < 64 && n > 1; bit += 8)
        if (pass(to, from, n, bit)) {
            uint64_t *sorted = to;
            to = from;
            from = sorted;
        }
    if (from != key)
        memcpy(key, from, (size_t)n * sizeof *key);
}
