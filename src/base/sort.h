/* Sorting of whole numbers. */
#ifndef PROTEA_BASE_SORT_H
#define PROTEA_BASE_SORT_H

#include <stdint.h>

/* key (n) in ascending order of its bits from first_bit on; keys that are equal there keep their order. scratch (n) is used.
 * Radix sort, a byte a pass; a byte that all keys share costs no pass. */
void protea_sort_u64(uint64_t *key, uint64_t *scratch, int64_t n, int first_bit);

#endif
