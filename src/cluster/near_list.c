#include "cluster/near_list.h"

#include <math.h>

#include "base/sort.h"

/* ---- by value */

static int64_t count_up_to(const float *value, int64_t n, float most)
{
    int32_t count = 0; /* a list has room for far fewer */
    for (int64_t i = 0; i < n; i++)
        count += value[i] <= most;
    return count;
}

float protea_near_about(const protea_near_list *list, int64_t k)
{
    enum { STEPS = 24 };
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < list->n; i++) {
        low = list->value[i] < low ? list->value[i] : low;
        high = list->value[i] > high ? list->value[i] : high;
    }
    for (int step = 0; step < STEPS; step++) { /* at least k are up to high, always */
        float middle = low + (high - low) / 2;
        int64_t count = count_up_to(list->value, list->n, middle);
        if (count >= k)
            high = middle;
        else
            low = middle;
        if (count >= k && count <= k + k / 32)
            break;
    }
    return high;
}

void protea_near_keep(protea_near_list *list, float most)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < list->n; i++) {
        list->value[kept] = list->value[i];
        list->row[kept] = list->row[i];
        kept += list->value[i] <= most;
    }
    list->n = kept;
}

/* ---- by value and row: together one number, so that they compare as numbers do */

static uint64_t pack(float value, int32_t row)
{
    union { float f; uint32_t u; } bits = { .f = value };
    uint32_t key = bits.u >> 31 ? ~bits.u : bits.u | 0x80000000u;
    return (uint64_t)key << 32 | (uint32_t)row;
}

static float value_of(uint64_t packed)
{
    uint32_t key = (uint32_t)(packed >> 32);
    union { uint32_t u; float f; } bits = { .u = key >> 31 ? key & 0x7fffffffu : ~key };
    return bits.f;
}

static void pack_all(uint64_t *out, const protea_near_list *list)
{
    for (int64_t i = 0; i < list->n; i++)
        out[i] = pack(list->value[i], list->row[i]);
}

static void unpack_all(protea_near_list *list, const uint64_t *in)
{
    for (int64_t i = 0; i < list->n; i++) {
        list->value[i] = value_of(in[i]);
        list->row[i] = (int32_t)(uint32_t)in[i];
    }
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t t = *a;
    *a = *b;
    *b = t;
}

static uint64_t median(uint64_t a, uint64_t b, uint64_t c)
{
    if (a > b)
        swap(&a, &b);
    return c <= a ? a : c >= b ? b : c;
}

/* Hoare's selection: a[at] as if a (n) were sorted, nothing larger before it. */
static void select_at(uint64_t *a, int64_t n, int64_t at)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        uint64_t pivot = median(a[low], a[low + (high - low) / 2], a[high]);
        int64_t i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j)
                swap(&a[i++], &a[j--]);
        }
        if (at > j && at < i)
            return;
        high = at <= j ? j : high;
        low = at >= i ? i : low;
    }
}

void protea_near_select(protea_near_list *list, int64_t k, uint64_t *scratch)
{
    int64_t kept = list->n < k ? list->n : k;
    if (kept == 0)
        return;
    pack_all(scratch, list);
    select_at(scratch, list->n, kept - 1);
    list->n = kept;
    unpack_all(list, scratch);
}

void protea_near_sort(protea_near_list *list, uint64_t *scratch)
{
    pack_all(scratch, list);
    protea_sort_u64(scratch, scratch + list->n, list->n, 0);
    unpack_all(list, scratch);
}
